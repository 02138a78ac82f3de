package llmaas

import (
	"context"
	"sync"
	"time"
)

type gateKey struct{}

// gate lets a number of calls through at once that adapts: one more for each
// round that goes well, half as many when the service says 429 (additive
// increase, multiplicative decrease, as TCP does).
type gate struct {
	most int

	mu     sync.Mutex // guards what follows
	free   sync.Cond
	limit  float64
	inside int
	halved time.Time
}

func newGate(most int) *gate {
	g := &gate{most: most, limit: float64(most)}
	g.free.L = &g.mu
	return g
}

// enter waits until a call may be made.
func (g *gate) enter(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free.Broadcast()
	})()
	g.mu.Lock()
	defer g.mu.Unlock()
	for ctx.Err() == nil && g.inside >= int(g.limit) {
		g.free.Wait()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.inside++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.free.Signal()
}

func (g *gate) faster() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = min(g.limit+1/g.limit, float64(g.most))
	g.free.Signal()
}

// slower halves the limit, once a second: the calls that were under way together
// hit the same wall.
func (g *gate) slower() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); now.Sub(g.halved) >= time.Second {
		g.limit, g.halved = max(g.limit/2, 1), now
	}
}

func (g *gate) size() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int(g.limit)
}
