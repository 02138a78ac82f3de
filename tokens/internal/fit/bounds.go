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

// fitBounds finds margins per kind so that est + margins covers y in at least
// the given share of the texts of every class, with little slack: quantile
// regression by subgradients; the classes that are not covered yet gain weight.
func fitBounds(res []residual, sign float64, share float64) (m runs.Margins) {
	const terms = int(runs.NumKinds) + 2
	feat := make([][terms]float64, len(res))
	target := make([]float64, len(res))
	for i := range res {
		r := &res[i]
		total := 0.0
		for k, c := range r.sums.Cost {
			v := max(float64(c)/runs.One, 0)
			total += float64(c) / runs.One
			if runs.Kind(k) != runs.Bytes && runs.Kind(k) != runs.Repeat {
				feat[i][k] = v
			}
		}
		target[i] = sign * (r.y - total)
		if sign > 0 {
			target[i] -= float64(r.sums.Raw[runs.Bytes]+r.sums.Raw[runs.Repeat]) -
				float64(r.sums.Cost[runs.Bytes]+r.sums.Cost[runs.Repeat])/runs.One
		}
		feat[i][terms-2] = math.Sqrt(max(total, 0))
		feat[i][terms-1] = 1
	}
	weight := map[string]float64{}
	var theta [terms]float64
	for k := range theta {
		theta[k] = 0.08
	}
	margin := func(i int) (s float64) {
		for k, v := range feat[i] {
			s += theta[k] * v
		}
		return s
	}
	for round := range 400 {
		step := 0.02 / math.Sqrt(float64(round+1))
		var grad [terms]float64
		miss, n := map[string]float64{}, map[string]float64{}
		for i := range res {
			scale := 1 / (res[i].y + 10)
			n[res[i].class]++
			g := scale
			if margin(i) < target[i] {
				miss[res[i].class]++
				g = -scale * (100 + weight[res[i].class])
			}
			for k, v := range feat[i] {
				grad[k] += g * v
			}
		}
		for c := range n {
			if miss[c]/n[c] > 1-share {
				weight[c] = weight[c]*1.03 + 5
			} else {
				weight[c] *= 0.98
			}
		}
		for k := range theta {
			theta[k] = max(theta[k]-step*grad[k]/float64(len(res))*8, 0)
		}
	}
	for k := range m.Kind {
		m.Kind[k] = uint16(math.Ceil(theta[k] * runs.One))
	}
	m.Root = uint16(math.Ceil(theta[terms-2] * runs.One))
	m.Once = uint16(math.Ceil(theta[terms-1] * runs.One))
	return m
}
