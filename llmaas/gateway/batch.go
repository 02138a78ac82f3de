package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
	"github.com/llmaas/llmaas-go/tokens"
)

// orderNames are the members of a new batch that the gateway reads.
var orderNames = []string{"input_file_id", "endpoint"}

// order reads what batch is to be made: of a file of the tenant's own, whose
// requests the key may make, at their worst within the limits.
func (g *Gateway) order(x *exchange) error {
	if err := validJSON(x.ask.raw); err != nil {
		return err
	}
	var input, at string
	err := members(x.ask.raw, orderNames, func(name string, value []byte, _ span) (err error) {
		switch name {
		case "input_file_id":
			input, err = unquote(value)
		case "endpoint":
			at, err = unquote(value)
		}
		return err
	})
	if err != nil {
		return err
	}
	file := g.owners.find(x.who.Tenant.ID, input, false, x.begun)
	switch {
	case file == nil:
		return errNoFile
	case !batched(endpoint(at)):
		return badBody("endpoint: want /v1/chat/completions, /v1/completions or /v1/embeddings")
	}
	w := file.work
	if w.requests == 0 {
		w.refuse("want a file of requests")
	}
	if w.problem != "" {
		return badBody("input_file_id: %s", w.problem)
	}
	if w.endpoint != endpoint(at) {
		return badBody("endpoint: want the url of the file's requests, /v1%s", w.endpoint)
	}
	if err := x.who.Allow(w.endpoint, ""); err != nil {
		return err
	}
	x.filing.on = file
	x.hint.Machine = file.machine
	x.ask.work, x.ask.models = w, w.models
	x.ask.metered, x.ask.maxTokens = true, w.output
	return nil
}

// batched reports whether batches go to an endpoint: to those that have a price
// for it, by tokens in and out.
func batched(endpoint string) bool {
	return endpoints[endpoint].kind == chatBody || endpoint == "/embeddings"
}

// quote is the most that a batch can cost. Where there is no price for batches,
// the ordinary one counts.
func (g *Gateway) quote(w work, at time.Time) cost.Amount {
	total, err := g.price(cost.Usage{Input: w.input, Output: w.output}, at, true)
	if errors.Is(err, cost.ErrOverflow) {
		return math.MaxInt64 // more than any budget has
	}
	if err != nil {
		g.Log.Warn("gateway: no quote of a batch", "err", err)
	}
	return total
}

// price is what a batch costs, at the tariff of the day on which it was made. At
// worst all of its answers were reasoning.
func (g *Gateway) price(u cost.Usage, at time.Time, worst bool) (cost.Amount, error) {
	tariff := g.Prices.At(at)
	u.Batch = true
	made, err := tariff.Bill(u)
	if errors.Is(err, cost.ErrNoPrice) {
		u.Batch = false
		made, err = tariff.Bill(u)
		if worst && err == nil {
			u.Reasoning = u.Output
			if dearer, err := tariff.Bill(u); err == nil && dearer.Total > made.Total {
				made = dearer
			}
		}
	}
	return made.Total, err
}

// over are the states that a batch does not leave any more.
var over = map[string]bool{"completed": true, "failed": true, "expired": true, "cancelled": true}

// seen looks at a batch as its machine shows it. When it is over it is billed, and
// its results become its tenant's, before the caller is told of them: nobody has
// results that are not billed, and as it happens once, fetching them twice or in
// parallel changes nothing.
func (g *Gateway) seen(x *exchange, o *owned, raw []byte) error {
	var b struct {
		Status string `json:"status"`
		Output string `json:"output_file_id"`
		Errors string `json:"error_file_id"`
	}
	if json.Unmarshal(raw, &b) != nil {
		return errBrokenOff
	}
	if !over[b.Status] {
		return nil
	}
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-x.ctx.Done():
		return x.gone()
	}
	if o.settled.Load() {
		return nil
	}
	var results []string
	for _, id := range []string{b.Output, b.Errors} {
		if id != "" && isID(id) {
			results = append(results, id)
		}
	}
	sum, err := g.count(x, o, results)
	if err != nil {
		return x.goneOr(err)
	}
	for _, id := range results {
		g.owners.put(o.result(id, x.begun))
	}
	g.settle(x.ctx, o, sum.bill)
	f := x.filing
	f.bill = f.bill.plus(sum.bill)
	f.objects = append(f.objects, audit.Object{Event: "settled", ID: o.id, Results: results, Backend: o.machine})
	if f.settled++; f.settled == 1 {
		x.ask.model = sum.model
	} else if x.ask.model != sum.model {
		x.ask.model = ""
	}
	return nil
}

// settle charges what a batch has used to the limits. Its turn is taken.
func (g *Gateway) settle(ctx context.Context, o *owned, b bill) {
	o.settled.Store(true)
	if o.lease == nil {
		return
	}
	if err := o.lease.Settle(ctx, limit.Used{Output: b.usage.Output, Cost: int64(b.total)}); err != nil {
		g.Log.Error("gateway: settle a batch", "tenant", o.tenant, "err", err)
	}
	o.lease = nil
}

// sum is what the results of a batch say that it used.
type sum struct {
	bill
	model string // of all results; "" if they are of several
	lines int
}

// maxResult is the longest line of results, in bytes.
const maxResult = 64 << 20

// count adds up the results of a batch. A machine that has the batch but not its
// results any more leaves only the worst case to be billed.
func (g *Gateway) count(x *exchange, o *owned, results []string) (sum, error) {
	var s sum
	for _, id := range results {
		resp, err := g.fetch(x, o.machine, "/files/"+id+"/content")
		if err != nil {
			return s, err
		}
		if resp.StatusCode == http.StatusNotFound {
			_ = resp.Body.Close()
			return sum{bill: g.worst(o)}, nil
		}
		err = &machineError{http.StatusBadGateway}
		if resp.StatusCode == http.StatusOK {
			err = g.countLines(&s, resp, o)
		}
		if _ = resp.Body.Close(); err != nil {
			return s, err
		}
	}
	total, err := g.price(s.usage, o.created, false)
	if err != nil {
		g.Log.Warn("gateway: no bill of a batch", "request", x.id, "err", err)
	}
	s.total = total
	return s, nil
}

func (g *Gateway) countLines(s *sum, resp *http.Response, o *owned) error {
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxResult)
	for lines.Scan() {
		g.countLine(s, lines.Bytes(), o)
	}
	if lines.Err() != nil {
		return errBrokenOff
	}
	return nil
}

// countLine adds one result. One that failed used nothing.
func (g *Gateway) countLine(s *sum, line []byte, o *owned) {
	var result struct {
		Response struct {
			Status int             `json:"status_code"`
			Body   json.RawMessage `json:"body"`
		} `json:"response"`
	}
	if json.Unmarshal(line, &result) != nil || result.Response.Status != http.StatusOK {
		return
	}
	var of struct {
		Model string `json:"model"`
	}
	_ = json.Unmarshal(result.Response.Body, &of) // no name is none
	var said text
	r := (&replyReader{say: func(_ source, words []byte) { said.add(words) }}).read(result.Response.Body)
	estimate := cost.Usage{Output: int64(tokens.For(of.Model).Estimate(said.String()).Likely)}
	usage, err := cost.UsageOr(r.usage, estimate)
	if err != nil {
		g.Log.Warn("gateway: usage of a batch", "backend", o.machine, "err", err)
	}
	one := bill{usage: usage}
	if figure, ok := g.Energy.At(of.Model, o.created); ok {
		one.energy, _ = figure.Of(usage)
	}
	s.bill = s.bill.plus(one)
	if s.lines++; s.lines == 1 {
		s.model = of.Model
	} else if s.model != of.Model {
		s.model = ""
	}
}

// plus adds two bills.
func (b bill) plus(c bill) bill {
	b.usage.Input += c.usage.Input
	b.usage.Output += c.usage.Output
	b.usage.Reasoning += c.usage.Reasoning
	b.usage.Estimated = b.usage.Estimated || c.usage.Estimated
	b.total += c.total
	b.energy += c.energy
	return b
}

// worst is the bill of a batch whose results nobody has seen.
func (g *Gateway) worst(o *owned) bill {
	return bill{usage: cost.Usage{Input: o.work.input, Output: o.work.output, Estimated: true}, total: g.quote(o.work, o.created)}
}

// sweep forgets files and batches that are too old.
func (g *Gateway) sweep(x *exchange) {
	for _, o := range g.owners.sweep(x.begun) {
		g.expire(o)
	}
}

// expire bills a batch at its worst if nobody has seen its end: its machine may
// have run it, and will not tell any more.
func (g *Gateway) expire(o *owned) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	default:
		return // it is being settled now
	}
	if !o.batch || o.settled.Load() {
		return
	}
	b := g.worst(o)
	g.settle(context.Background(), o, b)
	now := g.Now()
	if g.Audit != nil {
		err := g.Audit.Append(audit.Record{
			Time: now, Tenant: o.tenant, Endpoint: "/batches", Backend: o.machine, Status: http.StatusGone,
			Steps: []audit.Step{{Name: "batch", Decision: "expired"}},
			Input: b.usage.Input, Output: b.usage.Output, Cost: int64(b.total), Estimated: true,
			Objects: []audit.Object{{Event: "settled", ID: o.id}},
		})
		if err != nil {
			g.unrecorded.Store(true)
			g.Log.Error("gateway: audit", "tenant", o.tenant, "err", err)
		}
	}
	if g.Metrics != nil {
		g.Metrics.Observe(metrics.Request{
			Time: now, Tenant: o.tenant, Endpoint: "/batches", Backend: o.machine, Status: http.StatusGone,
			Input: b.usage.Input, Output: b.usage.Output, Cost: int64(b.total),
		})
	}
}

// hold sets the worst case of a restored batch aside again, as far as the limits
// let it: what was let in once is not refused now, but counted when it is over.
func (g *Gateway) hold(ctx context.Context, o *owned) *limit.Lease {
	if g.Limits == nil {
		return nil
	}
	r := limit.Request{Tenant: o.tenant, Output: o.work.output, Cost: int64(g.quote(o.work, o.created))}
	lease, err := g.Limits.Reserve(ctx, r, o.created)
	if err != nil {
		lease, err = g.Limits.Reserve(ctx, limit.Request{Tenant: o.tenant}, o.created)
	}
	if err == nil {
		err = lease.Detach(ctx)
	}
	if err != nil {
		g.Log.Warn("gateway: a batch is not held", "tenant", o.tenant, "err", err)
	}
	return lease
}

// restoreSettled notes that a batch was billed before a restart.
func (g *Gateway) restoreSettled(ctx context.Context, o *owned, a audit.Object, at time.Time) {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	g.settle(ctx, o, bill{}) // the host charges what the record says
	for _, id := range a.Results {
		g.owners.put(o.result(id, at))
	}
}
