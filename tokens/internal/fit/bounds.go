package main

import (
	"math"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// residual is what cross-validation saw of one text in one family.
type residual struct {
	class string
	long  bool // at least 200 characters
	bytes float64
	y     float64
	sums  runs.Sums
}

// maxSlack is how far, on average over texts of 200 characters and more, a bound
// may stand from the truth, in percent.
const maxSlack = 14.3

// terms of a margin: one per kind, the square root, the constant.
const terms = int(runs.NumKinds) + 2

// boundFit searches the margins that cover the most texts of every class at the
// slack allowed. Two sets of residuals are covered: files held out, and whole
// repositories held out; slack is measured on the first.
type boundFit struct {
	sign    float64
	sets    [2][]boundRow
	classes [2]map[string]float64
}

type boundRow struct {
	class  string
	long   bool
	feat   [terms]float64
	target float64 // the margin that would just cover the text
	fixed  float64 // what the bound charges by bytes beyond the estimate
	y      float64
}

func fitBounds(narrow, wide []residual, sign float64) (m runs.Margins) {
	f := boundFit{sign: sign}
	for i, res := range [][]residual{narrow, wide} {
		f.classes[i] = map[string]float64{}
		for j := range res {
			f.sets[i] = append(f.sets[i], f.row(&res[j]))
			f.classes[i][res[j].class]++
		}
	}
	var theta [terms]float64
	for k := range theta {
		theta[k] = 0.08
	}
	best := f.loss(&theta)
	for step := 0.2; step > 0.002; {
		better := false
		for k := range theta {
			for _, d := range [...]float64{step, -step} {
				try := theta
				if k == terms-1 {
					d *= 5
				}
				try[k] = max(try[k]+d, 0.02)
				if l := f.loss(&try); l < best {
					best, theta, better = l, try, true
				}
			}
		}
		if !better {
			step /= 1.6
		}
	}
	for k := range m.Kind {
		m.Kind[k] = uint16(math.Ceil(theta[k] * runs.One))
	}
	m.Root = uint16(math.Ceil(theta[terms-2] * runs.One))
	m.Once = uint16(math.Ceil(theta[terms-1] * runs.One))
	return m
}

func (f *boundFit) row(r *residual) boundRow {
	total := 0.0
	b := boundRow{class: r.class, long: r.long, y: r.y}
	for k, c := range r.sums.Cost {
		total += float64(c) / runs.One
		if k := runs.Kind(k); f.sign < 0 || k != runs.Bytes && k != runs.Repeat {
			b.feat[k] = max(float64(c)/runs.One, 0)
		}
	}
	b.target = f.sign * (r.y - total)
	if f.sign > 0 {
		b.fixed = max(float64(r.sums.Charge-r.sums.Cost[runs.Bytes]-r.sums.Cost[runs.Repeat])/runs.One, 0)
	}
	b.feat[terms-2] = math.Floor(math.Sqrt(max(total, 0)))
	b.feat[terms-1] = 1
	return b
}

func (f *boundFit) loss(theta *[terms]float64) (loss float64) {
	slack, long := 0.0, 0.0
	for i, rows := range f.sets {
		miss := map[string]float64{}
		for j := range rows {
			b := &rows[j]
			margin := b.fixed
			for k, v := range b.feat {
				margin += theta[k] * v
			}
			if i == 0 && b.long {
				long++
				slack += (margin - b.target) / b.y * 100
			}
			if lack := b.target - margin; lack > 0 {
				miss[b.class]++
				loss += lack / (b.y + 10) / float64(len(rows)) * [2]float64{400, 100}[i]
			}
		}
		for class, n := range miss {
			loss += max(n/f.classes[i][class]-0.004, 0) * [2]float64{2, 0.3}[i]
		}
	}
	slack /= long
	return loss + 0.004*slack + max(slack-maxSlack, 0)
}
