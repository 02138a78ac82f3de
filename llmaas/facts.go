package llmaas

import (
	"context"
	"net/http"
	"time"
)

// facts are what a call learns on its way, for its error, its result and its events.
type facts struct {
	ctx       context.Context // of the call, for its events
	observer  Observer
	op, model string
	base      string       // of the target that is asked
	token     *credentials // of the target; nil means the client's
	began     time.Time
	attempts  int
	hedged    bool // a second request was sent for a slow one
	once      bool // it must not be done twice
	requestID string
	lease     lease // what the limits hold for the call
}

type factsKey struct{}

// begin starts a call.
func (c *Client) begin(ctx context.Context, op, model string) *facts {
	known := &facts{ctx: ctx, observer: c.observer, op: op, model: model, base: c.base}
	if c.observer != nil {
		known.began = time.Now()
		known.event(Started, nil)
	}
	return known
}

// target says who is asked now.
func (f *facts) target(t target) { f.model, f.base, f.token = t.Model, t.BaseURL, t.token }

func (f *facts) event(kind EventKind, err error) {
	if f.observer != nil {
		f.observer.Observe(f.ctx, f.newEvent(kind, err))
	}
}

func (f *facts) newEvent(kind EventKind, err error) Event {
	return Event{
		Kind: kind, Op: f.op, Model: f.model, Tenant: callFrom(f.ctx).Tenant,
		Since: time.Since(f.began), Attempts: f.attempts, Err: err,
	}
}

// retried tells of a request that is sent again.
func (f *facts) retried(resp *http.Response, err error, wait time.Duration) {
	if g, ok := f.ctx.Value(gateKey{}).(*gate); ok && resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		g.slower()
	}
	if f.observer == nil {
		return
	}
	e := f.newEvent(Retried, nil)
	e.Wait = wait
	if resp != nil {
		e.Status = resp.StatusCode
	}
	if err != nil {
		e.Err = errorOf(err)
	}
	f.observer.Observe(f.ctx, e)
}

// hedge tells of a second request, after the first was waited for.
func (f *facts) hedge(waited time.Duration) {
	f.hedged = true
	f.attempts++
	if f.observer != nil {
		e := f.newEvent(Hedged, nil)
		e.Wait = waited
		f.observer.Observe(f.ctx, e)
	}
}

// finish ends a call: what the limits held is given back, its end is told.
func (c *Client) finish(known *facts, result *Result, err error) {
	known.lease.settle(known.ctx, result)
	if c.observer == nil {
		return
	}
	e := known.newEvent(Ended, err)
	e.RequestID, e.Backend, e.Usage, e.Bill = known.requestID, result.Backend, result.Billed, result.Bill
	c.observer.Observe(known.ctx, e)
}
