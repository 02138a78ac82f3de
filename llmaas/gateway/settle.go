package gateway

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
	"github.com/llmaas/llmaas-go/tokens"
)

// bill is what a request used and cost.
type bill struct {
	usage  cost.Usage
	total  cost.Amount
	energy cost.Energy
}

// end settles, records and counts a request, however it ended: answered, refused,
// broken off, left by its caller, or by a panic that is still on its way.
func (g *Gateway) end(x *exchange) {
	// The caller's context may be over; the books are kept all the same.
	ctx := context.WithoutCancel(x.ctx)
	b := g.bill(x)
	if x.lease != nil {
		if err := x.lease.Settle(ctx, limit.Used{Output: b.usage.Output, Cost: int64(b.total)}); err != nil {
			g.Log.Error("gateway: settle", "request", x.id, "tenant", x.who.Tenant.ID, "err", err)
		}
	}
	now := g.Now()
	if g.Audit != nil {
		record := x.record(b)
		record.Duration = now.Sub(x.begun)
		if err := g.Audit.Append(record); err != nil {
			g.unrecorded.Store(true)
			g.Log.Error("gateway: audit", "request", x.id, "err", err)
		}
	}
	if g.Metrics != nil {
		m := x.measured(b)
		m.Duration = now.Sub(x.begun)
		g.Metrics.Observe(m)
	}
	if x.counted != nil {
		x.counted()
	}
	if x.free != nil {
		x.free()
	}
}

// bill is by the answer's own usage, else by an estimate over what was sent and
// received. A request that no machine took, or that it refused, costs nothing.
func (g *Gateway) bill(x *exchange) bill {
	if x.filing != nil {
		return x.filing.bill
	}
	if x.resp == nil || x.resp.StatusCode != 200 || !x.ask.metered {
		return bill{}
	}
	usage, err := cost.UsageOr(x.usage, cost.Usage{})
	if usage.Estimated {
		estimate := cost.Usage{Input: int64(x.estimate.Total.Likely)}
		if x.answered.Len() > 0 {
			estimate.Output = int64(tokens.For(x.ask.model).Estimate(x.answered.String()).Likely)
		}
		usage, err = cost.UsageOr(x.usage, estimate)
	}
	if err != nil {
		g.Log.Warn("gateway: usage", "request", x.id, "backend", x.hint.Backend, "err", err)
	}
	if strings.HasSuffix(x.path, "/rerank") {
		usage.Rerank, usage.Input = usage.Input, 0
	}
	b := bill{usage: usage}
	made, err := g.Prices.At(x.begun).Bill(usage)
	if err != nil {
		g.Log.Warn("gateway: no bill", "request", x.id, "err", err)
	}
	b.total = made.Total
	if figure, ok := g.Energy.At(x.ask.model, x.begun); ok {
		b.energy, _ = figure.Of(usage)
	}
	return b
}

func (x *exchange) record(b bill) audit.Record {
	r := audit.Record{
		Time: x.begun, Tenant: x.who.Tenant.ID, KeyID: x.who.KeyID, Session: x.session(), RequestID: x.id,
		Endpoint: kindOf(x.path), Model: x.ask.model, Backend: x.hint.Backend, Stream: x.ask.stream,
		Status: x.recordedStatus(), Steps: x.steps,
		Input: b.usage.Input + b.usage.Rerank, Output: b.usage.Output, Reasoning: b.usage.Reasoning, Cost: int64(b.total), Estimated: b.usage.Estimated,
	}
	if x.filing != nil {
		r.Objects = x.filing.objects
	}
	if !x.first.IsZero() {
		r.TTFT = x.first.Sub(x.begun)
	}
	prompt := strings.Join(x.ask.prompts, "\n")
	if prompt != "" {
		r.PromptDigest = audit.Digest(prompt)
	}
	if x.answered.Len() > 0 {
		r.AnswerDigest = audit.Digest(x.answered.String())
	}
	if x.g.RecordTexts != nil && x.g.RecordTexts(x.who.Tenant.ID) {
		r.Prompt, r.Answer = prompt, x.answered.String()
	}
	return r
}

func (x *exchange) measured(b bill) metrics.Request {
	m := metrics.Request{
		Time: x.begun, ID: x.id, Tenant: x.who.Tenant.ID, Endpoint: kindOf(x.path), Model: x.ask.model, Backend: x.hint.Backend,
		Status: x.recordedStatus(), Stream: x.ask.stream,
		Input: b.usage.Input + b.usage.Rerank, Output: b.usage.Output, Reasoning: b.usage.Reasoning, Cost: int64(b.total), Energy: int64(b.energy),
		Rules: x.report.Rules(),
	}
	if len(x.report.Findings) > 0 {
		m.Action = x.report.Action.String()
	}
	if !x.first.IsZero() {
		m.TTFT = x.first.Sub(x.begun)
	}
	if x.failure != nil && x.failure.status == 429 {
		m.Limit = x.failure.code
	}
	if _, known := endpoints[m.Endpoint]; !known {
		m.Endpoint, m.Model = "", "" // whatever a stranger wrote is no label
	}
	return m
}

// recordedStatus is what the caller was sent, or what it would have been sent
// when the answer had begun already. After a panic it was nothing.
func (x *exchange) recordedStatus() int {
	if x.failure != nil {
		return x.failure.status
	}
	return cmp.Or(x.status, http.StatusInternalServerError)
}
