package metrics

import (
	"math/bits"
	"slices"
	"time"
)

const (
	step   = 10 * time.Second // of a curve
	points = 360              // one hour
)

// Point is what ended in ten seconds.
type Point struct {
	Time     time.Time     `json:"time"` // its beginning
	Requests int64         `json:"requests"`
	Failed   int64         `json:"failed"`  // status 500 and above
	Limited  int64         `json:"limited"` // status 429
	Blocked  int64         `json:"blocked"` // by the guard
	Input    int64         `json:"input"`   // tokens
	Output   int64         `json:"output"`  // tokens
	Cost     int64         `json:"cost"`    // nano-euro
	P50      time.Duration `json:"p50"`     // of the requests that reached a backend, to a sixteenth
	P99      time.Duration `json:"p99"`
}

// curve is the last hour in steps. A request counts when it ends: one that hangs
// for minutes must not vanish in a past that nobody looks at any more.
type curve struct {
	at [points]slot
}

type slot struct {
	Point
	spread spread
}

func (c *curve) add(r *Request, now func() time.Time) {
	begin := r.Time.Add(max(r.Duration, 0)).Truncate(step)
	n := begin.Unix() / int64(step/time.Second) % points
	s := &c.at[(n+points)%points]
	if s.Time.After(begin) && !s.Time.After(now()) {
		return // older than the hour that is kept; a slot of the future is of a clock that was set back
	}
	if !s.Time.Equal(begin) {
		*s = slot{Point: Point{Time: begin}}
	}
	s.Requests++
	s.Input += r.Input
	s.Output += r.Output
	s.Cost += r.Cost
	switch {
	case r.failed():
		s.Failed++
	case r.Status == 429:
		s.Limited++
	}
	if r.Action == "block" {
		s.Blocked++
	}
	if r.Backend != "" {
		s.spread.add(r.Duration)
	}
}

// Curve returns the points since an instant, at most one hour of them, the
// oldest first. Steps in which no request ended are left out.
func (m *Metrics) Curve(since time.Time) []Point {
	now := m.now()
	all := []Point{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := range m.curve.between(since, now) {
		p := s.Point
		p.P50, p.P99 = s.spread.percentile(50), s.spread.percentile(99)
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Point) int { return a.Time.Compare(b.Time) })
	return all
}

// between yields the steps of the last hour that end after since, in any order.
func (c *curve) between(since, now time.Time) func(func(*slot) bool) {
	if oldest := now.Add(-points * step); since.Before(oldest) {
		since = oldest
	}
	return func(yield func(*slot) bool) {
		for i := range c.at {
			s := &c.at[i]
			if s.Requests > 0 && s.Time.Add(step).After(since) && !s.Time.After(now) && !yield(s) {
				return
			}
		}
	}
}

// spread counts durations in bins whose width is an eighth of a power of two
// microseconds, so that percentiles are right to a sixteenth whatever their size.
type spread struct {
	bins [256]uint32
	n    uint32
}

func (s *spread) add(d time.Duration) {
	s.bins[bin(d)]++
	s.n++
}

func (s *spread) merge(other *spread) {
	for i, n := range other.bins {
		s.bins[i] += n
	}
	s.n += other.n
}

// percentile is the nearest-rank percentile; 0 of nothing.
func (s *spread) percentile(p int) time.Duration {
	rank := (uint64(s.n)*uint64(p) + 99) / 100
	for i, n := range s.bins {
		if rank <= uint64(n) && n > 0 {
			return middle(i)
		}
		rank -= uint64(n)
	}
	return 0
}

// bin is the number of a duration's bin: its exponent and the three bits below.
func bin(d time.Duration) int {
	us := uint64(min(max(d, 0), 2*time.Hour) / time.Microsecond)
	if us < 8 {
		return int(us)
	}
	e := bits.Len64(us) - 4 // us>>e is 8 to 15
	return min(e*8+int(us>>e), 255)
}

// middle of a bin.
func middle(i int) time.Duration {
	if i < 8 {
		return time.Duration(i) * time.Microsecond
	}
	e := i/8 - 1
	return time.Duration((2*(8+i%8)+1)<<e) * time.Microsecond / 2
}
