package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/tokens"
)

// exchange is one request on its way, and all that becomes known of it.
type exchange struct {
	g     *Gateway
	ctx   context.Context
	w     http.ResponseWriter
	r     *http.Request
	id    string
	begun time.Time
	path  string // endpoint below /v1

	who      access.Principal
	ask      ask // what the body asks for
	report   guard.Report
	lease    *limit.Lease
	estimate tokens.MessagesEstimate
	hint     balance.Hint
	resp     *http.Response
	filing   *filing // of a request about files and batches

	status   int       // sent to the caller; 0 while none is
	first    time.Time // when the first token went out
	usage    []byte    // the answer's usage object, or the whole answer
	answered text      // what the caller was given, to bill and digest
	failure  *failure
	steps    []audit.Step
	way      [9]audit.Step // room for them
	free     func()        // gives the slot back
	counted  func()        // takes the request off the gauge
}

// text collects an answer up to a bound.
type text struct {
	strings.Builder
}

// maxText is how much of an answer is kept for its bill and its digest, in bytes.
const maxText = 4 << 20

func (t *text) add(words []byte) {
	t.Write(words[:min(len(words), maxText-t.Len())])
}

func (g *Gateway) begin(ctx context.Context, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{g: g, ctx: ctx, w: w, r: r, id: newID(), begun: g.Now(), path: endpoint(r.URL.Path)}
	x.steps = x.way[:0]
	if g.Metrics != nil {
		x.counted = g.Metrics.Begin()
	}
	h := w.Header()
	h.Set("Id", x.id)
	h.Set("X-Request-Id", x.id)
	h.Set("X-Content-Type-Options", "nosniff")
	return x
}

// newID names a request: 128 bits of crypto/rand.
func newID() string {
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand
	return string(ids.AppendEncode([]byte("req-"), secret[:]))
}

var ids = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// step begins a step on the record, as one that lets the request through.
func (x *exchange) step(name string) {
	x.steps = append(x.steps, audit.Step{Name: name, Decision: "allow"})
}

// decide changes what the current step decided.
func (x *exchange) decide(decision string, rules ...string) {
	last := &x.steps[len(x.steps)-1]
	last.Decision = decision
	for _, rule := range rules {
		if !slices.Contains(last.Rules, rule) {
			last.Rules = append(last.Rules, rule) // bounded by the rules there are
		}
	}
}

// room takes a slot, or refuses: a gateway that is full must answer, not hang,
// and one whose audit could not be written must not go on in silence.
func (g *Gateway) room(x *exchange) error {
	select {
	case g.slots <- struct{}{}:
		x.free = func() { <-g.slots }
	default:
		return errFull
	}
	if g.unrecorded.Load() {
		again := audit.Record{Time: x.begun, RequestID: x.id, Steps: []audit.Step{{Name: "audit", Decision: "resumed"}}}
		if g.Audit.Append(again) != nil {
			return errUnrecorded
		}
		g.unrecorded.Store(false)
	}
	return nil
}

// access asks whose key it is and whether it reaches the endpoint.
func (g *Gateway) access(x *exchange) error {
	token, err := access.Bearer(x.r.Header)
	if err != nil {
		return err
	}
	if x.who, err = g.Keys.Authenticate(token, x.begun); err != nil {
		return err
	}
	if _, known := endpoints[kindOf(x.path)]; !known {
		return errNoEndpoint
	}
	return x.who.Allow(kindOf(x.path), "")
}

// limit sets the worst case aside.
func (g *Gateway) limit(x *exchange) error {
	if g.Limits == nil || !x.ask.metered {
		return nil
	}
	var err error
	x.lease, err = g.Limits.Reserve(x.ctx, limit.Request{
		Tenant: x.who.Tenant.ID,
		Output: x.ask.maxTokens * x.ask.choices,
		Cost:   int64(g.most(x)),
	}, x.begun)
	if err != nil {
		return fmt.Errorf("%w: %w", errLimits, err)
	}
	x.lease.Requests().Set(x.w.Header())
	return nil
}

// most is what the request can cost at worst. Without a tariff it is 0, and the
// limits in tokens hold alone.
func (g *Gateway) most(x *exchange) cost.Amount {
	if x.filing != nil {
		return g.quote(x.ask.work, x.begun)
	}
	in := x.estimate.Total
	quote, err := g.Prices.At(x.begun).Quote(cost.Request{
		Input:     cost.Range{Low: in.Low, Likely: in.Likely, High: in.High},
		MaxTokens: int(x.ask.maxTokens),
		Reasoning: true,
		Choices:   int(x.ask.choices),
	})
	if errors.Is(err, cost.ErrOverflow) {
		return math.MaxInt64 // more than any budget has
	}
	if err != nil {
		g.Log.Warn("gateway: no quote", "request", x.id, "err", err)
		return 0
	}
	return quote.Most
}

// guard judges the texts that are new in this turn, and without the session all
// others that a machine might read.
func (g *Gateway) guard(x *exchange) error {
	session := x.session()
	for i := range len(x.ask.prompts) + len(x.ask.others) {
		in := guard.Input{Tenant: x.who.Tenant.ID, Session: session, Time: x.begun}
		if i < len(x.ask.prompts) {
			in.Text = x.ask.prompts[i]
		} else {
			in.Text, in.Session = x.ask.others[i-len(x.ask.prompts)], ""
		}
		report := g.Guard.Inspect(x.ctx, in)
		if report.Action >= x.report.Action {
			x.report = report
		}
		if report.Off {
			x.decide("off")
		}
		if report.Action == guard.Block {
			x.decide("refuse", report.Rules()...)
			return errBlocked
		}
	}
	switch {
	case x.report.Action == guard.Flag:
		x.decide("flag", x.report.Rules()...)
	case x.ask.metered && x.filing == nil && len(x.ask.prompts)+len(x.ask.others) == 0:
		x.decide("unread") // an input without a prompt
	}
	return nil
}

// session is what the caller names as the conversation, or the user; without
// either there is none, and no history is kept.
func (x *exchange) session() string {
	if s := x.r.Header.Get("X-Session-Id"); s != "" && len(s) <= 256 {
		return "session:" + s
	}
	if x.ask.user != "" {
		return "user:" + x.ask.user
	}
	return ""
}

// gone reports whether the caller went away or ran out of time.
func (x *exchange) gone() error {
	switch err := x.ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		return errTimeout
	case err != nil:
		return errGone
	}
	return nil
}
