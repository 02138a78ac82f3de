package metrics

import (
	"cmp"
	"slices"
	"strings"
)

// other is the label value of all that came after the bound was reached.
const other = "other"

// maxLabel bounds a label value, in bytes.
const maxLabel = 128

// labels bounds the values of one label.
type labels struct {
	most  int
	known map[string]bool
}

func (l *labels) bound(value string) string {
	switch {
	case value == "" || l.known[value]:
		return value
	case len(l.known) >= l.most || len(value) > maxLabel:
		return other
	case l.known == nil:
		l.known = make(map[string]bool)
	}
	l.known[value] = true
	return value
}

// group is the series of one label's values.
type group struct {
	labels
	all map[string]*series
}

// of returns the series of a value. Values that callers make up become a label
// only if they are worth it, so that names of nothing do not use up the room.
func (g *group) of(value string, worth bool) *series {
	if s := g.all[value]; s != nil {
		return s
	}
	if value != "" && !worth {
		value = other
	} else {
		value = g.bound(value)
	}
	s := g.all[value]
	if s == nil {
		s = &series{name: value, requests: make(map[int]int64)}
		g.all[value] = s
	}
	return s
}

// sorted gives the text a stable order.
func (g *group) sorted() []*series {
	all := make([]*series, 0, len(g.all))
	for _, s := range g.all {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *series) int { return strings.Compare(a.name, b.name) })
	return all
}

// series is what is counted of one model, one backend or one endpoint. Counters
// only grow: what is negative is not counted.
type series struct {
	name                     string
	requests                 map[int]int64 // by HTTP status
	input, output, reasoning int64         // tokens; output is without reasoning
	cost                     int64         // nano-euro
	energy                   int64         // microwatt-hours
	ejections                int64

	duration, ttft, speed distribution
}

// used counts what a request used.
func (s *series) used(r *Request) {
	s.requests[r.Status]++
	s.input += max(r.Input, 0)
	s.output += max(r.Output-r.Reasoning, 0)
	s.reasoning += max(r.Reasoning, 0)
	s.cost += max(r.Cost, 0)
	s.energy += max(r.Energy, 0)
}

// took counts how long a backend took for a request.
func (s *series) took(r *Request) {
	s.duration.observe(secondsBuckets, r.Duration.Seconds())
	if r.TTFT <= 0 || !r.Stream {
		return // all tokens of a whole answer come at once
	}
	s.ttft.observe(secondsBuckets, r.TTFT.Seconds())
	if rest := r.Duration - r.TTFT; rest > 0 && r.Output > 1 {
		s.speed.observe(speedBuckets, float64(r.Output-1)/rest.Seconds())
	}
}

// key is the values of a series' labels, in the order of its names.
type key [2]string

// counter is a family of sums by label values.
type counter map[key]int64

// buckets are the upper bounds of a histogram, in its unit.
type buckets []float64

var (
	secondsBuckets = buckets{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}
	speedBuckets   = buckets{1, 5, 10, 20, 40, 80, 160, 320, 640}
)

// distribution is a histogram of one series.
type distribution struct {
	counts []int64 // one a bucket, and one for what is above all; none before the first value
	sum    float64
	n      int64
}

func (d *distribution) observe(bounds buckets, v float64) {
	if d.counts == nil {
		d.counts = make([]int64, len(bounds)+1)
	}
	v = max(v, 0) // a clock that was set back must not make a sum shrink
	i, _ := slices.BinarySearch(bounds, v)
	d.counts[i]++
	d.sum += v
	d.n++
}

// sortedKeys gives the text a stable order.
func sortedKeys[V any](m map[key]V) []key {
	all := make([]key, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b key) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
	return all
}
