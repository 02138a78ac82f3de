package main

import (
	"math"
	"math/rand/v2"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// residual is what cross-validation saw of one text in one family.
type residual struct {
	class string
	long  bool // at least 200 characters
	bytes int
	y     float64
	sums  runs.Sums
}

// maxSlack is how far, on average over texts of 200 characters and more, a bound
// may stand from the truth, in percent.
const maxSlack = 14.7

// terms of a margin: one per kind, the square root, the constant.
const terms = int(runs.NumKinds) + 2

// boundFit searches the margins that cover the most texts of every class at the
// slack allowed. Two sets of residuals are covered: files held out, and whole
// repositories held out; slack is measured on the first.
type boundFit struct {
	sign    float64
	sets    [2][]boundRow
	classes [2][]float64 // texts per class
	names   map[string]int
	miss    []float64
}

type boundRow struct {
	class  int
	long   bool
	feat   [terms]float64
	target float64 // the margin that would just cover the text
	fixed  float64 // what the bound charges by bytes beyond the estimate
	odd    float64 // what it allows for when the text is strange
	room   float64 // up to one token a byte
	y      float64
}

func fitBounds(narrow, wide []residual, sign float64) (m runs.Margins) {
	f := boundFit{sign: sign, names: map[string]int{}}
	for i, res := range [][]residual{narrow, wide} {
		for j := range res {
			b := f.row(&res[j])
			f.sets[i] = append(f.sets[i], b)
			for len(f.classes[i]) <= b.class {
				f.classes[i] = append(f.classes[i], 0)
			}
			f.classes[i][b.class]++
		}
	}
	f.miss = make([]float64, len(f.names))
	theta := f.search()
	for k := range m.Kind {
		if k := runs.Kind(k); sign > 0 && (k == runs.Bytes || k == runs.Repeat) {
			continue // an upper bound charges these by their bytes
		}
		m.Kind[k] = uint16(math.Ceil(theta[k] * runs.One))
	}
	m.Root = uint16(math.Ceil(theta[terms-2] * runs.One))
	m.Once = uint16(math.Ceil(theta[terms-1] * runs.One))
	return m
}

// search tries random steps, keeps what lowers the loss and shortens the steps
// when little does.
func (f *boundFit) search() (theta [terms]float64) {
	for k := range theta {
		theta[k] = 0.08
	}
	rng := rand.New(rand.NewPCG(1, 2))
	best, step := f.loss(&theta), 0.5
	for range 12000 {
		try := theta
		for k := range try {
			if rng.IntN(3) == 0 {
				try[k] = max(try[k]*math.Exp(step*rng.NormFloat64()), 0.02)
			}
		}
		if l := f.loss(&try); l < best {
			best, theta = l, try
			step = min(step*1.3, 0.7)
		} else {
			step = max(step*0.99, 0.02)
		}
	}
	return theta
}

func (f *boundFit) row(r *residual) boundRow {
	total := 0.0
	class, ok := f.names[r.class]
	if !ok {
		class = len(f.names)
		f.names[r.class] = class
	}
	b := boundRow{class: class, long: r.long, y: r.y}
	for k, c := range r.sums.Cost {
		total += float64(c) / runs.One
		if k := runs.Kind(k); f.sign < 0 || k != runs.Bytes && k != runs.Repeat {
			b.feat[k] = max(float64(c)/runs.One, 0)
		}
	}
	b.target = f.sign * (r.y - total)
	b.room = float64(r.bytes) - total
	if f.sign > 0 {
		b.fixed = max(float64(r.sums.Charge-r.sums.Cost[runs.Bytes]-r.sums.Cost[runs.Repeat])/runs.One, 0)
		b.odd = float64(r.sums.Strange()) / runs.One
	}
	b.feat[terms-2] = math.Floor(math.Sqrt(max(total, 0)))
	b.feat[terms-1] = 1
	return b
}

func (f *boundFit) loss(theta *[terms]float64) (loss float64) {
	slack, long := 0.0, 0.0
	for i, rows := range f.sets {
		clear(f.miss)
		for j := range rows {
			b := &rows[j]
			margin := 0.0
			for k, v := range b.feat {
				margin += theta[k] * v
			}
			if f.sign > 0 {
				margin = min(max(margin, margin*runs.StrangeShare+b.odd)+b.fixed, b.room)
			}
			if i == 0 && b.long {
				long++
				slack += (margin - b.target) / b.y * 100
			}
			if lack := b.target - margin; lack > 0.5 { // a bound is rounded
				f.miss[b.class]++
				loss += lack / (b.y + 10) / float64(len(rows)) * [2]float64{400, 40}[i]
			}
		}
		for class, n := range f.miss {
			loss += max(n/f.classes[i][class]-0.004, 0) * [2]float64{4, 0.1}[i]
		}
	}
	slack /= long
	return loss + 0.004*slack + max(slack-maxSlack, 0)
}
