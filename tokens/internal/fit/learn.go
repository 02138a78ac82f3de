package main

import (
	"math"
	"sync"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// How strongly each kind of parameter is held to its prior, and the rest of what
// cross-validation chose.
const (
	penaltyPiece float32 = 0.01
	penaltyBase  float32 = 0.0005
	penaltyGram  float32 = 0.01
	penaltyGlyph float32 = 0.01

	iterations   = 140
	reweightings = 2  // rounds that turn least squares towards least absolute error
	offset       = 20 // tokens added to a count before errors are taken relative to it
	folds        = 4
)

// crossValidate learns from all sources but a fold's, and measures on that fold.
func crossValidate(rows []sample, wide bool) [][numFamilies]residual {
	res := make([][numFamilies]residual, len(rows))
	each(folds, func(fold int) {
		test := func(s *sample) bool { return s.fold(folds, wide) == fold }
		tables := learn(rows, func(s *sample) bool { return !test(s) })
		for i := range rows {
			s := &rows[i]
			if !test(s) {
				continue
			}
			for k, t := range tables {
				r := &res[i][k]
				*r = residual{class: s.Class, long: s.Chars >= 200, bytes: len(s.Text), y: s.y[k]}
				t.Scan(s.Text, &r.sums)
			}
		}
	})
	return res
}

func column(res [][numFamilies]residual, k int) []residual {
	out := make([]residual, len(res))
	for i := range res {
		out[i] = res[i][k]
	}
	return out
}

// each runs f for 0..n-1, two at a time.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	sem := make(chan struct{}, 2)
	for i := range n {
		wg.Go(func() {
			sem <- struct{}{}
			f(i)
			<-sem
		})
	}
	wg.Wait()
}

func learn(rows []sample, use func(*sample) bool) (tables [numFamilies]*runs.Table) {
	x := chooseIndex(rows, use)
	var feats [][]feature
	var kept []sample
	for i := range rows {
		if use(&rows[i]) {
			feats = append(feats, extract(rows[i].Text, x))
			kept = append(kept, rows[i])
		}
	}
	theta := fit(kept, feats)
	for k := range tables {
		tables[k] = bake(kept, x, theta, k)
	}
	return tables
}

// fit returns the parameters of all families, prior included.
func fit(rows []sample, feats [][]feature) []vec {
	pr := &problem{rows: feats, y: make([]vec, len(rows)), w: make([]vec, len(rows)), penalty: penalties()}
	prior := make([]vec, atEnd)
	for i := range runs.NumBase {
		for k := range prior[atBase+i] {
			prior[atBase+i][k] = float32(runs.Prior(i))
		}
	}
	for n := range rows {
		sure := predict(feats[n], prior)
		for k, y := range rows[n].y {
			pr.y[n][k] = float32(y) - sure[k]
			pr.w[n][k] = float32(1 / ((y + offset) * (y + offset)))
		}
	}
	theta := make([]vec, atEnd)
	pr.solve(theta, iterations)
	for range reweightings {
		for n := range rows {
			e := predict(feats[n], theta)
			for k := range e {
				y := rows[n].y[k]
				rel := math.Abs(float64(e[k]-pr.y[n][k])) / (y + offset)
				pr.w[n][k] = float32(1 / ((y + offset) * (y + offset)) * 0.03 / max(rel, 0.01))
			}
		}
		pr.solve(theta, iterations/2)
	}
	for j := range theta {
		for k := range theta[j] {
			theta[j][k] += prior[j][k]
		}
	}
	return theta
}

func penalties() []float32 {
	p := make([]float32, atEnd)
	for j := range p {
		switch {
		case j < atBase:
			p[j] = penaltyPiece
		case j < atGram:
			p[j] = penaltyBase
		case j < atGlyph:
			p[j] = penaltyGram
		default:
			p[j] = penaltyGlyph
		}
	}
	return p
}
