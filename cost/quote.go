package cost

import (
	"cmp"
	"fmt"
	"math"
)

// Range bounds a number of tokens that is not known yet: at least Low, at most
// High, and Likely what it will be. The estimates of package tokens convert to
// it: cost.Range(estimate).
type Range struct {
	Low, Likely, High int
}

// Request is the shape of a call that has not been made. Nothing is defaulted:
// a host that leaves max_tokens out of its request fills in what the service
// takes for it (1024, by its API page).
type Request struct {
	Input Range // tokens of the prompt

	// MaxTokens bounds the answer, its reasoning included, as the request does.
	// Zero is a call without an answer, such as an embedding.
	MaxTokens int

	// LikelyOutput is how long the answer will probably be, from what the host
	// has seen; zero takes MaxTokens, as the formula of the concepts page does.
	LikelyOutput int

	// Reasoning says that the model may reason: at worst all of MaxTokens is
	// reasoning. LikelyReasoning is the part of the likely output that probably is.
	Reasoning       bool
	LikelyReasoning int

	Choices int  // answers asked for with n; zero is one
	Batch   bool // through the Batch API
}

// Quote is what a call can cost, before it is made.
type Quote struct {
	Tariff string `json:"tariff"` // id of the tariff it was made under
	Least  Amount `json:"least"`  // Input.Low tokens in, no answer
	Likely Amount `json:"likely"` // Input.Likely in, the likely answer
	Most   Amount `json:"most"`   // Input.High in, MaxTokens out at the dearer price
}

// Quote returns the least, likely and most that a request can cost. As long as
// Input.High and MaxTokens are true bounds, no bill for the call exceeds Most.
func (t Tariff) Quote(r Request) (Quote, error) {
	least, likely, most, err := r.usages(t)
	if err != nil {
		return Quote{}, err
	}
	q := Quote{Tariff: t.ID}
	for _, c := range [...]struct {
		usage Usage
		to    *Amount
	}{{least, &q.Least}, {likely, &q.Likely}, {most, &q.Most}} {
		bill, err := t.Bill(c.usage)
		if err != nil {
			return Quote{}, err
		}
		*c.to = bill.Total
	}
	return q, nil
}

// usages returns what the request uses at least, probably and at most.
func (r Request) usages(t Tariff) (least, likely, most Usage, err error) {
	if err := r.check(); err != nil {
		return least, likely, most, err
	}
	choices := int64(max(r.Choices, 1))
	if int64(r.MaxTokens) > math.MaxInt64/choices {
		return least, likely, most, fmt.Errorf("%w: max_tokens × choices", ErrOverflow)
	}
	least = Usage{Input: int64(r.Input.Low), Batch: r.Batch, Estimated: true}
	likely = Usage{
		Input: int64(r.Input.Likely), Output: int64(r.likelyOutput()) * choices,
		Reasoning: int64(r.LikelyReasoning) * choices, Batch: r.Batch, Estimated: true,
	}
	most = Usage{Input: int64(r.Input.High), Output: int64(r.MaxTokens) * choices, Batch: r.Batch, Estimated: true}
	if r.Reasoning && t.prices[Reasoning] > t.prices[Output] {
		most.Reasoning = most.Output
	}
	return least, likely, most, nil
}

func (r Request) likelyOutput() int { return cmp.Or(r.LikelyOutput, r.MaxTokens) }

func (r Request) check() error {
	in := r.Input
	switch {
	case in.Low < 0 || in.Likely < in.Low || in.High < in.Likely:
		return fmt.Errorf("%w: got an input of %d, %d, %d tokens, want 0 ≤ low ≤ likely ≤ high", ErrUsage, in.Low, in.Likely, in.High)
	case r.MaxTokens < 0 || r.LikelyOutput < 0 || r.LikelyOutput > r.MaxTokens:
		return fmt.Errorf("%w: got %d likely output tokens of %d, want 0 ≤ likely ≤ max_tokens", ErrUsage, r.LikelyOutput, r.MaxTokens)
	case r.LikelyReasoning < 0 || r.LikelyReasoning > 0 && (!r.Reasoning || r.LikelyReasoning > r.likelyOutput()):
		return fmt.Errorf("%w: got %d likely reasoning tokens, want them for a reasoning model and within the likely output", ErrUsage, r.LikelyReasoning)
	case r.Choices < 0:
		return fmt.Errorf("%w: got %d choices, want 0 or more", ErrUsage, r.Choices)
	}
	return nil
}
