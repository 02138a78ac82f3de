package metrics

import (
	"slices"
	"time"
)

const (
	step   = 10 * time.Second // of a curve
	points = 360              // one hour
	sample = 64               // latencies kept of one step, for its percentiles
)

// Point is what happened in ten seconds.
type Point struct {
	Time     time.Time     `json:"time"` // its beginning
	Requests int64         `json:"requests"`
	Failed   int64         `json:"failed"`  // status 500 and above
	Limited  int64         `json:"limited"` // status 429
	Blocked  int64         `json:"blocked"` // by the guard
	Input    int64         `json:"input"`   // tokens
	Output   int64         `json:"output"`  // tokens
	Cost     int64         `json:"cost"`    // nano-euro
	P50      time.Duration `json:"p50"`     // of the requests that reached a backend
	P99      time.Duration `json:"p99"`

	latencies []time.Duration
	seen      int
}

// curve is the last hour in steps. It moves with the requests' own times.
type curve struct {
	at [points]Point
}

func (c *curve) add(r Request) {
	begin := r.Time.Truncate(step)
	p := &c.at[int(begin.Unix()/int64(step/time.Second))%points]
	if p.Time.After(begin) {
		return // older than the hour that is kept
	}
	if !p.Time.Equal(begin) {
		*p = Point{Time: begin, latencies: p.latencies[:0]}
	}
	p.Requests++
	p.Input += r.Input
	p.Output += r.Output
	p.Cost += r.Cost
	switch {
	case r.failed():
		p.Failed++
	case r.Status == 429:
		p.Limited++
	}
	if r.Action == "block" {
		p.Blocked++
	}
	if r.Backend == "" {
		return
	}
	// Every latency until the sample is full, then every so many-th: the
	// percentiles of a step are a picture, not a bill.
	p.seen++
	if len(p.latencies) < sample {
		p.latencies = append(p.latencies, r.Duration)
	} else if p.seen%7 == 0 {
		p.latencies[p.seen/7%sample] = r.Duration
	}
}

// Curve returns the points since an instant, at most one hour of them, the
// oldest first. Steps without a request are left out.
func (m *Metrics) Curve(since time.Time) []Point {
	oldest := m.now().Add(-points * step)
	if since.Before(oldest) {
		since = oldest
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []Point{}
	for _, p := range m.curve.at {
		if p.Time.IsZero() || p.Time.Add(step).Before(since) {
			continue
		}
		p.P50, p.P99 = percentile(p.latencies, 50), percentile(p.latencies, 99)
		p.latencies = nil
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Point) int { return a.Time.Compare(b.Time) })
	return all
}

// percentile is the nearest-rank percentile; 0 of nothing.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)*p+99)/100-1]
}
