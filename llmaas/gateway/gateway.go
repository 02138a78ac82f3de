package gateway

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// Gateway is the service's API as an [net/http.Handler]. It is safe for
// concurrent use.
type Gateway struct {
	Config
	slots      chan struct{} // one a request under way
	unrecorded atomic.Bool   // the last request could not be recorded
	owners     owners        // of files and batches
}

// New makes a gateway. The error says which field of the config is wrong.
func New(cfg Config) (*Gateway, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	return &Gateway{Config: cfg, slots: make(chan struct{}, cfg.MaxConcurrent)}, nil
}

// ServeHTTP answers one request. Paths begin with /v1.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), g.Timeout)
	defer cancel()
	// A caller that does not read must not hold its slot. A writer without
	// deadlines, as in tests, still writes.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(g.Timeout + patience))
	x := g.begin(ctx, w, r)
	defer g.end(x) // settlement, audit and metrics, whatever happens
	if err := g.serve(x); err != nil {
		x.fail(err)
	}
}

// patience is how long one write to a caller may take.
const patience = 30 * time.Second

// serve is the way of a request. Each step decides, and leaves its decision on
// the record; an error ends the way.
func (g *Gateway) serve(x *exchange) error {
	for _, step := range [...]struct {
		name string
		do   func(*Gateway, *exchange) error
	}{
		{"room", (*Gateway).room},     // is there a free slot?
		{"access", (*Gateway).access}, // whose key is it, and may it come here?
		{"body", (*Gateway).body},     // what is asked for?
		{"model", (*Gateway).model},   // may the key have the model, and does it still live?
		{"limit", (*Gateway).limit},   // is there room in the limits for the worst case?
		{"guard", (*Gateway).guard},   // is what is new in this turn a prompt to let through?
		{"backend", (*Gateway).send},  // a machine that serves the model
		{"answer", (*Gateway).answer}, // its answer, on to the caller
	} {
		x.step(step.name)
		if err := step.do(g, x); err != nil {
			x.decide("refuse")
			return err
		}
	}
	return nil
}
