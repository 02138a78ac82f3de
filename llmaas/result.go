package llmaas

import (
	"net/http"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/lifecycle"
	"github.com/llmaas/llmaas-go/tokens"
)

// Result is what a call was, beside its answer.
type Result struct {
	Report    guard.Report            // the guard's verdict; zero without a guard
	Status    lifecycle.Status        // of the model at the time of the call; zero for a model unknown to the catalogue
	Estimate  tokens.MessagesEstimate // of the prompt, before it was sent, in tokens
	Quote     cost.Quote              // of the call, before it was sent, in nano-euro
	Billed    cost.Usage              // what was used; Estimated when the service did not say
	Bill      cost.Bill               // what it cost, by kind, in nano-euro
	Energy    cost.Energy             // what it took; 0 when EnergyKnown is false
	Advice    string                  // what is coming for the model, "" when there is nothing to say
	Model     string                  // that answered; "" when none did
	Fallbacks []error                 // why those asked before it did not answer, in order
	Output    []guard.Finding         // what the output scan found in the answer, at most the first 100
	Backend   Backend                 // the machine that answered
	Reasoning string                  // what the model thought, if it says so apart from its answer
	RequestID string                  // the service's id of the request
	Attempts  int                     // requests sent

	Hedged      bool // a second request was sent because the first was slow; the one that answered is billed
	EnergyKnown bool // the table has a figure for the model
}

// Backend is the machine that answered, as the service names it.
type Backend struct {
	Engine  string `json:"engine_type"`
	Machine string `json:"machine_name"`
}

// note keeps what the header of a reply says.
func (r *Result) note(h http.Header, known *facts) {
	r.RequestID, r.Attempts, r.Hedged = requestID(h), known.attempts, known.hedged
}

// settle bills a call by the usage that the service sent, else by an estimate
// over what was sent and received.
func (c *Client) settle(req openai.ChatCompletionRequest, result *Result, sent *usage, received func() string) {
	c.bill(req.Model, sent.used(func() cost.Usage {
		return cost.Usage{Input: int64(result.Estimate.Total.Likely), Output: likely(req.Model, received())}
	}), result)
}

// bill says what a usage costs and takes.
func (c *Client) bill(model string, used cost.Usage, result *Result) {
	c.billAt(c.now(), model, used, result)
}

func (c *Client) billAt(now time.Time, model string, used cost.Usage, result *Result) {
	result.Billed = used
	// A tariff that sells no such kind leaves the bill empty; Billed still counts.
	result.Bill, _ = c.prices.At(now).Bill(used)
	if figure, ok := c.energy.At(model, now); ok {
		result.Energy, result.EnergyKnown = figure.Of(used)
	}
}
