package main

import (
	"fmt"
	"sort"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

type figures struct{ n, err, rel, slack, missHigh, missLow float64 }

func report(rows []sample, res [][numFamilies]residual, high, low [numFamilies]runs.Margins) {
	var short, long [numFamilies]figures
	all := [numFamilies][]float64{}
	tot := [numFamilies][2]float64{}
	cls := map[string]*[numFamilies]figures{}
	every := map[string]*[numFamilies]figures{}
	for i := range rows {
		s := &rows[i]
		if cls[s.Class] == nil {
			cls[s.Class], every[s.Class] = new([numFamilies]figures), new([numFamilies]figures)
		}
		for k := range families {
			t := runs.Table{High: high[k], Low: low[k]}
			l, est, h := t.Bounds(&res[i][k].sums, len(s.Text))
			y := s.y[k]
			add := func(f *figures) {
				f.n++
				f.err += abs(float64(est) - y)
				f.rel += abs(float64(est)-y) / y * 100
				f.slack += (float64(h) - y) / y * 100
				if float64(h) < y {
					f.missHigh++
				}
				if float64(l) > y {
					f.missLow++
				}
			}
			add(&every[s.Class][k])
			if s.Chars < 50 {
				add(&short[k])
			}
			if s.Chars >= 200 {
				all[k] = append(all[k], abs(float64(est)-y)/y*100)
				add(&cls[s.Class][k])
				add(&long[k])
			}
			tot[k][0] += float64(est)
			tot[k][1] += y
		}
	}
	fmt.Printf("%-12s", "")
	for _, f := range families {
		fmt.Printf(" %8.8s", f)
	}
	row := func(name string, f func(k int) float64) {
		fmt.Printf("\n%-12s", name)
		for k := range families {
			fmt.Printf(" %8.2f", f(k))
		}
	}
	row("mean", func(k int) float64 { return long[k].rel / long[k].n })
	row("p95", func(k int) float64 { sort.Float64s(all[k]); return all[k][len(all[k])*95/100] })
	row("total", func(k int) float64 { return 100 * (tot[k][0]/tot[k][1] - 1) })
	row("short", func(k int) float64 { return short[k].err / short[k].n })
	row("slack", func(k int) float64 { return long[k].slack / long[k].n })
	names := []string{}
	for c := range cls {
		names = append(names, c)
	}
	sort.Strings(names)
	for _, c := range names {
		row(c, func(k int) float64 { return cls[c][k].rel / cls[c][k].n })
	}
	for _, c := range names {
		row("cover "+c, func(k int) float64 { return 100 - every[c][k].missHigh/every[c][k].n*100 })
	}
	for _, c := range names {
		row("slack "+c, func(k int) float64 { return cls[c][k].slack / cls[c][k].n })
	}
	for _, c := range names {
		row("lowcv "+c, func(k int) float64 { return 100 - every[c][k].missLow/every[c][k].n*100 })
	}
	fmt.Println()
}
