package metrics

import (
	"cmp"
	"slices"
	"strings"
)

// other is the label value of all that came after the bound was reached.
const other = "other"

// labels bounds the values of one label.
type labels struct {
	most  int
	known map[string]bool
}

func (l *labels) bound(value string) string { return l.admit(value, true) }

// admit is bound for values that callers make up: a new one becomes a label only
// if it is worth it, so that names of nothing do not use up the room.
func (l *labels) admit(value string, worth bool) string {
	if value == "" {
		return ""
	}
	if l.known[value] {
		return value
	}
	if !worth || len(l.known) >= l.most || len(value) > 128 {
		return other
	}
	if l.known == nil {
		l.known = make(map[string]bool)
	}
	l.known[value] = true
	return value
}

// key is the values of a series' labels, in the order of its names.
type key [2]string

// counter is a family of sums by label values.
type counter map[key]int64

func (c counter) add(a, b string, n int64) {
	if n != 0 {
		c[key{a, b}] += n
	}
}

// buckets are the upper bounds of a histogram, in its unit.
type buckets []float64

var (
	secondsBuckets = buckets{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}
	speedBuckets   = buckets{1, 5, 10, 20, 40, 80, 160, 320, 640}
)

// histogram is a family of distributions by model.
type histogram struct {
	bounds buckets
	series map[string]*distribution
}

type distribution struct {
	counts []int64 // one a bucket, and one for what is above all
	sum    float64
	n      int64
}

func newHistogram(b buckets) histogram {
	return histogram{bounds: b, series: make(map[string]*distribution)}
}

func (h *histogram) observe(model string, v float64) {
	d := h.series[model]
	if d == nil {
		d = &distribution{counts: make([]int64, len(h.bounds)+1)}
		h.series[model] = d
	}
	i, _ := slices.BinarySearch(h.bounds, v)
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
