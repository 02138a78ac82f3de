package lifecycle

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const maxReply = 8 << 20 // bytes of a GET /models reply

// LiveModel is a model as the service's GET /models names it.
type LiveModel struct {
	ID          string   `json:"id"`
	Aliases     []string `json:"aliases,omitempty"`
	MaxModelLen int      `json:"max_model_len,omitempty"` // tokens; 0 if the service does not say
}

// Mismatch is a model that both know and say different things about.
type Mismatch struct {
	Model string `json:"model"`
	Text  string `json:"text"`
}

// Reconciliation is what the service and the catalogue know of one another.
type Reconciliation struct {
	// Served models that no table names, by id or alias.
	Unknown []LiveModel `json:"unknown"`
	// Missing models should be served on the day, by the tables, and are not.
	Missing []Status `json:"missing"`
	// Lingering models are served although they should not be any more.
	Lingering []Status `json:"lingering"`
	// Contexts are models whose max_model_len is not the context in the tables.
	Contexts []Mismatch `json:"contexts"`
	// Matched counts the served models that the tables name.
	Matched int `json:"matched"`
}

// Reconcile compares the catalogue on the day of t with a reply of GET /models.
// A served model matches by its id or by any of its aliases. Fields that the
// comparison does not use are ignored: the reply is the service's, not ours.
func (c *Catalogue) Reconcile(reply io.Reader, t time.Time) (*Reconciliation, error) {
	served, err := readReply(reply)
	if err != nil {
		return nil, err
	}
	r := &Reconciliation{Unknown: []LiveModel{}, Missing: []Status{}, Lingering: []Status{}, Contexts: []Mismatch{}}
	seen := make(map[*entry]bool, len(served))
	day := DateOf(t)
	for _, m := range served {
		e := c.findLive(m)
		if e == nil {
			r.Unknown = append(r.Unknown, m)
			continue
		}
		r.Matched++
		if seen[e] {
			continue
		}
		seen[e] = true
		if s := e.status(day); s.Phase > EndOfSupport {
			r.Lingering = append(r.Lingering, s)
		}
		if m.MaxModelLen > 0 && e.Context > 0 && m.MaxModelLen != e.Context {
			r.Contexts = append(r.Contexts, Mismatch{e.ID, fmt.Sprintf("max_model_len %d, context in the table of %s %d", m.MaxModelLen, e.AsOf, e.Context)})
		}
	}
	for i := range c.models {
		if s := c.models[i].status(day); s.Phase.Available() && !seen[&c.models[i]] {
			r.Missing = append(r.Missing, s)
		}
	}
	return r, nil
}

func (c *Catalogue) findLive(m LiveModel) *entry {
	for _, name := range append([]string{m.ID}, m.Aliases...) {
		if e := c.find(name); e != nil {
			return e
		}
	}
	return nil
}

// readReply reads the list, each id once. Errors name no member's content: the
// reply comes from outside.
func readReply(reply io.Reader) ([]LiveModel, error) {
	data, err := io.ReadAll(io.LimitReader(reply, maxReply+1))
	if err != nil {
		return nil, fmt.Errorf("lifecycle: GET /models: %w", err)
	}
	if len(data) > maxReply {
		return nil, fmt.Errorf("lifecycle: GET /models: got more than %d bytes, want fewer", maxReply)
	}
	var body struct {
		Data *[]LiveModel `json:"data"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("lifecycle: GET /models: %w", err)
	}
	if body.Data == nil {
		return nil, fmt.Errorf("lifecycle: GET /models: got no data, want a list of models")
	}
	list := *body.Data
	for i, m := range list {
		if m.ID == "" {
			return nil, fmt.Errorf("lifecycle: GET /models: data[%d].id: got none, want one", i)
		}
	}
	slices.SortStableFunc(list, func(a, b LiveModel) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b LiveModel) bool { return a.ID == b.ID }), nil
}
