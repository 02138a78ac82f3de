package lifecycle

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// ErrNoSuccessor says that no living model can do what the one asked about did.
var ErrNoSuccessor = errors.New("lifecycle: no living successor")

// Replacement is a living model to use in place of another.
type Replacement struct {
	Model  string `json:"model"`
	Reason string `json:"reason"` // why this one, for a log line or an error text
	Phase  Phase  `json:"phase"`  // Production, or Notice if nothing better lives
}

// Successor returns a model that lives on the day of t and can stand in for
// id: the one that the provider names, else the closest by capability, rough
// size, family (then publisher), context and exact size, rather one that
// outlives id than one that does not. A model in notice is chosen only if none
// in production will do. A model of which no table prints capabilities counts
// as a chat model.
func (c *Catalogue) Successor(id string, t time.Time) (Replacement, error) {
	e := c.find(id)
	if e == nil {
		return Replacement{}, &UnknownModelError{ID: id}
	}
	day := DateOf(t)
	named := c.named(e, day)
	if named != nil {
		if p, _ := named.phase(day); p == Production {
			return Replacement{named.ID, "named by the provider for " + e.ID, p}, nil
		}
	}
	best, bestRank := (*entry)(nil), rank{}
	for i := range c.models {
		other := &c.models[i]
		r, ok := e.rank(other, day)
		if ok && other != e && (best == nil || r.compare(bestRank) < 0) {
			best, bestRank = other, r
		}
	}
	switch {
	case named != nil && (best == nil || bestRank.notice == 1):
		return Replacement{named.ID, "named by the provider for " + e.ID + "; in notice itself", Notice}, nil
	case best == nil:
		return Replacement{}, fmt.Errorf("%w for %s on %s", ErrNoSuccessor, e.ID, day)
	}
	p, _ := best.phase(day)
	return Replacement{best.ID, bestRank.reason(e, best), p}, nil
}

// named follows the provider's names to the first model in production or
// notice. Names may form a circle; a chain of eight is long enough.
func (c *Catalogue) named(e *entry, day Date) *entry {
	start := e
	for range 8 {
		if e = c.find(e.Model.Successor); e == nil || e == start {
			return nil
		}
		if p, _ := e.phase(day); p == Production || p == Notice {
			return e
		}
	}
	return nil
}

// rank orders candidates; less is better, the fields in order of weight.
type rank struct {
	notice, kind, missing int
	early                 int // it ends no later than the other does
	far                   int // more than two doublings from the size of the other
	kin, context          int
	size                  float64
	end                   int
	id                    string
}

func (r rank) compare(o rank) int {
	return cmp.Or(cmp.Compare(r.notice, o.notice), cmp.Compare(r.kind, o.kind), cmp.Compare(r.missing, o.missing),
		cmp.Compare(r.early, o.early), cmp.Compare(r.far, o.far), cmp.Compare(r.kin, o.kin), cmp.Compare(r.context, o.context), cmp.Compare(r.size, o.size), cmp.Compare(r.end, o.end), strings.Compare(r.id, o.id))
}

// rank says how well other stands in for e; ok is false if it does not.
func (e *entry) rank(other *entry, day Date) (r rank, ok bool) {
	p, _ := other.phase(day)
	want := cmp.Or(e.Capabilities, Chat)
	r = rank{missing: bits.OnesCount16(uint16(want &^ other.Capabilities)), size: sizeDistance(e.Size, other.Size), end: -int(other.end.n), id: other.ID}
	if p == Notice {
		r.notice = 1
	}
	if day.Before(e.end) && !e.end.Before(other.end) {
		r.early = 1
	}
	if kind(want) != kind(other.Capabilities) {
		r.kind = 1
	}
	switch {
	case e.Family() == other.Family():
	case e.Publisher != "" && other.Publisher != "" && (strings.Contains(e.Publisher, other.Publisher) || strings.Contains(other.Publisher, e.Publisher)):
		r.kin = 1 // "Mistral AI" and "Mistral AI & All Hands AI"
	default:
		r.kin = 2
	}
	if r.size > 2 {
		r.far = 1
	}
	if other.Context < e.Context {
		r.context = 1
	}
	return r, (p == Production || p == Notice) && (r.kind == 0 || r.missing == 0)
}

// kind is what a model is for: an embedding model does not replace a chat model.
func kind(c Capabilities) Capabilities {
	for _, k := range []Capabilities{Chat, Embedding, Rerank, Translation, Audio, Image, Safety, Vision} {
		if c.Has(k) {
			return k
		}
	}
	return c
}

// sizeDistance is the number of doublings between two sizes.
func sizeDistance(a, b int64) float64 {
	if a == 0 || b == 0 {
		return 100
	}
	return math.Abs(math.Log2(float64(a) / float64(b)))
}

func (r rank) reason(e, other *entry) string {
	why := []string{[]string{"same family", "same publisher", "another publisher"}[r.kin]}
	switch {
	case e.Capabilities == 0:
		why = append(why, "a "+kind(other.Capabilities).String()+" model")
	case r.missing == 0:
		why = append(why, "can "+e.Capabilities.String())
	default:
		why = append(why, "lacks "+(e.Capabilities&^other.Capabilities).String())
	}
	if e.Size > 0 && other.Size > 0 {
		why = append(why, fmt.Sprintf("%s parameters for %s", short(other.Size), short(e.Size)))
	}
	if r.notice == 1 {
		why = append(why, "in notice itself")
	}
	return strings.Join(why, ", ")
}

// short prints a number of parameters as tables do: 32B, 300M.
func short(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%gM", float64(n)/1e6)
	}
	return fmt.Sprintf("%gB", float64(n)/1e9)
}

// Order is what [Catalogue.Select] prefers.
type Order uint8

// The orders. Where a table prints no figure for a model, it comes last.
const (
	Smallest    Order = iota // fewest parameters: small models first
	LeastEnergy              // fewest kWh per million tokens
	Cheapest                 // least by Need.Cost
)

// Need is what a task asks of a model.
type Need struct {
	// Capabilities the model must have; 0 means [Chat].
	Capabilities Capabilities
	// Context is the least context window in tokens; 0 asks for none.
	Context int
	// LTS asks for long-term support.
	LTS bool
	// Days is how long the model must stay in support, from the day asked for. 0
	// asks for nothing more than production, which is further than the notice.
	Days int
	// Order says what is best among those that do.
	Order Order
	// Cost gives the price of a model in any unit, for [Cheapest]; false leaves
	// the model out. Prices are not in this catalogue.
	Cost func(Model) (int64, bool)
}

// ErrNoModel says that no model in production satisfies a [Need].
var ErrNoModel = errors.New("lifecycle: no model in production does")

// Select returns the smallest, least thirsty or cheapest model that is in
// production on the day of t and does what need asks. Equals go by size, then
// by the later end, then by id.
func (c *Catalogue) Select(need Need, t time.Time) (Model, error) {
	if need.Order == Cheapest && need.Cost == nil {
		return Model{}, errors.New("lifecycle: need: got Cheapest without Cost, want both")
	}
	day, want := DateOf(t), cmp.Or(need.Capabilities, Chat)
	type candidate struct {
		*entry
		weight int64
	}
	var fit []candidate
	for i := range c.models {
		e := &c.models[i]
		p, _ := e.phase(day)
		if p != Production || !e.Capabilities.Has(want) || e.Context < need.Context || (need.LTS && !e.LTS) || e.End().Sub(day) < need.Days {
			continue
		}
		if w, ok := need.weight(e); ok {
			fit = append(fit, candidate{e, w})
		}
	}
	if len(fit) == 0 {
		return Model{}, fmt.Errorf("%w: %s, context %d, on %s", ErrNoModel, want, need.Context, day)
	}
	best := slices.MinFunc(fit, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.Size, b.Size), b.End().Compare(a.End()), strings.Compare(a.ID, b.ID))
	})
	return best.copy(), nil
}

func (n Need) weight(e *entry) (int64, bool) {
	w := e.Size
	switch n.Order {
	case LeastEnergy:
		w = e.EnergyWh
	case Cheapest:
		return n.Cost(e.copy())
	}
	if w == 0 {
		w = math.MaxInt64
	}
	return w, true
}
