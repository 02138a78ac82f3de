package cost

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoCandidate says that no candidate can take the request.
var ErrNoCandidate = errors.New("cost: no candidate fits the request")

// Candidate is a model that could take a request. The host fills it from its
// catalogue of models.
type Candidate struct {
	ID        string
	Context   int // tokens of prompt and answer together; zero is unknown, and fits nothing
	Tools     bool
	Vision    bool
	Reasoning bool // the model reasons, and its answers are quoted as such

	// Input is the prompt in tokens of this model's tokenizer. Zero takes that
	// of the request.
	Input Range
}

// Needs is what a request asks of a model.
type Needs struct {
	Tools     bool
	Vision    bool
	Reasoning bool
}

// Offer is a candidate with what it would cost and take.
type Offer struct {
	ID          string `json:"id"`
	Quote       Quote  `json:"quote"`
	Energy      Energy `json:"energy_kwh"` // of the likely usage
	EnergyKnown bool   `json:"energy_known"`
	Misfit      string `json:"misfit,omitempty"` // why it cannot take the request; "" if it can
}

// Compare puts the candidates side by side for one request at the instant t: the
// fitting ones first, by likely cost, then by energy (unknown last), then by id.
// The service sells all chat models at the same prices, so between two that do
// not reason it is often the energy that decides.
//
// Candidates that lack a need, or whose context cannot hold Input.High and
// MaxTokens, stand at the end with the reason in Misfit and no quote.
func Compare(b *PriceBook, e *EnergyTable, t time.Time, r Request, n Needs, candidates []Candidate) ([]Offer, error) {
	tariff := b.At(t)
	offers := make([]Offer, 0, len(candidates))
	for _, c := range candidates {
		offer, err := c.offer(tariff, e, t, r, n)
		if err != nil {
			return nil, err
		}
		offers = append(offers, offer)
	}
	slices.SortStableFunc(offers, compareOffers)
	return offers, nil
}

// Cheapest returns the first of [Compare], or [ErrNoCandidate] if none fits.
func Cheapest(b *PriceBook, e *EnergyTable, t time.Time, r Request, n Needs, candidates []Candidate) (Offer, error) {
	offers, err := Compare(b, e, t, r, n, candidates)
	if err != nil {
		return Offer{}, err
	}
	if len(offers) == 0 || offers[0].Misfit != "" {
		return Offer{}, ErrNoCandidate
	}
	return offers[0], nil
}

func compareOffers(a, b Offer) int {
	return cmp.Or(
		compareBool(a.Misfit == "", b.Misfit == ""),
		cmp.Compare(a.Quote.Likely, b.Quote.Likely),
		compareBool(a.EnergyKnown, b.EnergyKnown),
		cmp.Compare(a.Energy, b.Energy),
		cmp.Compare(a.ID, b.ID),
	)
}

// compareBool puts true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (c Candidate) offer(tariff Tariff, e *EnergyTable, t time.Time, r Request, n Needs) (Offer, error) {
	if c.Input != (Range{}) {
		r.Input = c.Input
	}
	if !c.Reasoning {
		r.LikelyReasoning = 0
	}
	r.Reasoning = c.Reasoning
	_, likely, _, err := r.usages(tariff)
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{ID: c.ID, Misfit: c.misfit(n, r)}
	if offer.Misfit != "" {
		return offer, nil
	}
	if offer.Quote, err = tariff.Quote(r); err != nil {
		return Offer{}, err
	}
	if figure, ok := e.At(c.ID, t); ok {
		offer.Energy, offer.EnergyKnown = figure.Of(likely)
	}
	return offer, nil
}

// misfit says why the model cannot take a request of that size, or "". Each
// answer asked for has the context to itself, so one counts.
func (c Candidate) misfit(n Needs, r Request) string {
	switch {
	case n.Tools && !c.Tools:
		return "no tools"
	case n.Vision && !c.Vision:
		return "no vision"
	case n.Reasoning && !c.Reasoning:
		return "no reasoning"
	case c.Context <= 0:
		return "context unknown"
	case r.Input.High > c.Context || r.MaxTokens > c.Context-r.Input.High:
		return fmt.Sprintf("context of %d tokens is too small", c.Context)
	}
	return ""
}
