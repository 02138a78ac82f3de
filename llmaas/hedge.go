package llmaas

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Hedge sends a request a second time when its answer is later to begin than
// usual: the first answer counts, the other request is canceled. The zero value
// means that none is.
//
// What is usual is learned for each model and kind of call, from the last 256
// answers. Batches, uploads and calls without a model are never hedged. A call is
// hedged once at most: that is one request more than [Retry] lets it send. Both
// requests have one Idempotency-Key. [Limits] and [Budget] count a hedged call
// once; the service may count it twice, and bill what the canceled request had
// used by then.
type Hedge struct {
	// Quantile is the share of answers that begin before a second request is
	// sent, such as 0.95. 0 means no hedging.
	Quantile float64

	// MaxExtra bounds the second requests as a share of the first ones, over all
	// models. 0 means 0.05. What was not used is saved up for 10 at most.
	MaxExtra float64

	// MinSamples is how many answers of a model must have been seen before its
	// requests are hedged, at most 256. 0 means 20.
	MinSamples int
}

const (
	maxSamples        = 256 // latencies that are kept of a route
	maxRoutes         = 64  // routes that are kept; requests of further ones are not hedged
	maxSpare          = 10  // second requests that are saved up
	defaultMaxExtra   = 0.05
	defaultMinSamples = 20
)

func (h Hedge) check() error {
	switch {
	case !(h.Quantile >= 0 && h.Quantile < 1):
		return errors.New("llmaas: Config.Hedge.Quantile: want at least 0 and less than 1")
	case !(h.MaxExtra >= 0 && h.MaxExtra <= 1):
		return errors.New("llmaas: Config.Hedge.MaxExtra: want 0 to 1")
	case h.MinSamples < 0 || h.MinSamples > maxSamples:
		return errors.New("llmaas: Config.Hedge.MinSamples: want 0 to 256")
	case h.Quantile == 0 && h != Hedge{}:
		return errors.New("llmaas: Config.Hedge: got no Quantile, want one such as 0.95")
	}
	return nil
}

// hedger is a transport that hedges. It keeps maxSamples latencies of maxRoutes
// routes at most, about 300 KB.
type hedger struct {
	Hedge
	base http.RoundTripper

	mu    sync.Mutex // guards what follows
	spare float64    // second requests that may be sent now
	seen  map[route]*latencies
}

// route is what has latencies of its own: a whole reply begins when the model has
// ended, a stream when it begins.
type route struct{ base, op, model string }

func newHedger(h Hedge, base http.RoundTripper) *hedger {
	if h.MaxExtra == 0 {
		h.MaxExtra = defaultMaxExtra
	}
	if h.MinSamples == 0 {
		h.MinSamples = defaultMinSamples
	}
	return &hedger{Hedge: h, base: base, seen: make(map[route]*latencies)}
}

// RoundTrip sends req, and again if that takes too long.
func (h *hedger) RoundTrip(req *http.Request) (*http.Response, error) {
	known, _ := req.Context().Value(factsKey{}).(*facts)
	if !mayHedge(req, known) {
		return h.base.RoundTrip(req)
	}
	way := route{known.base, known.op, known.model}
	after, ready := h.usual(way)
	start := time.Now()
	resp, err := h.race(req, known, after, ready)
	if err == nil && resp.StatusCode < 300 {
		// Of a first request that lost it is the time it had, which is longer than
		// usual too: without it, the quantile would sink with each hedge.
		h.observe(way, time.Since(start))
	}
	return resp, err
}

func mayHedge(req *http.Request, known *facts) bool {
	if known == nil || known.model == "" || known.hedged || req.Method != http.MethodPost || req.GetBody == nil {
		return false
	}
	_, batch := req.Context().Value(gateKey{}).(*gate)
	return !batch && strings.HasPrefix(req.Header.Get("Content-Type"), "application/json")
}

// usual is how long to wait for an answer. It counts a first request.
func (h *hedger) usual(way route) (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spare = min(h.spare+h.MaxExtra, maxSpare)
	l := h.seen[way]
	if l == nil || len(l.sorted) < h.MinSamples {
		return 0, false
	}
	return l.quantile(h.Quantile), true
}

// take reports whether a second request may be sent, and counts it.
func (h *hedger) take() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spare < 1 {
		return false
	}
	h.spare--
	return true
}

func (h *hedger) observe(way route, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.seen[way]
	if l == nil {
		if len(h.seen) == maxRoutes {
			return
		}
		l = new(latencies)
		h.seen[way] = l
	}
	l.add(d)
}

// latencies are the last maxSamples, in the order of their coming and of their size.
type latencies struct {
	ring   [maxSamples]time.Duration
	next   int
	sorted []time.Duration
}

func (l *latencies) add(d time.Duration) {
	if len(l.sorted) == maxSamples {
		i, _ := slices.BinarySearch(l.sorted, l.ring[l.next])
		l.sorted = slices.Delete(l.sorted, i, i+1)
	}
	l.ring[l.next] = d
	l.next = (l.next + 1) % maxSamples
	i, _ := slices.BinarySearch(l.sorted, d)
	l.sorted = slices.Insert(l.sorted, i, d)
}

// quantile is the nearest rank. There is a sample at least.
func (l *latencies) quantile(q float64) time.Duration {
	return l.sorted[max(int(math.Ceil(q*float64(len(l.sorted))))-1, 0)]
}
