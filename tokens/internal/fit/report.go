package main

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// figures gathers the errors of some texts in one family.
type figures struct {
	n, abs, slack     float64
	missHigh, missLow float64
	est, y            float64
	rel               []float64 // percent
}

func (f *figures) add(y float64, low, likely, high int) {
	f.n++
	f.abs += math.Abs(float64(likely) - y)
	f.rel = append(f.rel, math.Abs(float64(likely)-y)/y*100)
	f.slack += (float64(high) - y) / y * 100
	f.est += float64(likely)
	f.y += y
	if float64(high) < y {
		f.missHigh++
	}
	if float64(low) > y {
		f.missLow++
	}
}

func (f *figures) mean() float64 {
	sum := 0.0
	for _, r := range f.rel {
		sum += r
	}
	return sum / f.n
}

func (f *figures) p95() float64 {
	slices.Sort(f.rel)
	return f.rel[len(f.rel)*95/100]
}

// group is a set of texts: all of them, those of at least 200 characters, and
// those below 50.
type group struct{ all, long, short [numFamilies]figures }

// report prints the errors of all texts and of each class.
func report(rows []sample, res [][numFamilies]residual, high, low [numFamilies]runs.Margins) {
	var total group
	classes := map[string]*group{}
	for i := range rows {
		s := &rows[i]
		if classes[s.Class] == nil {
			classes[s.Class] = new(group)
		}
		for k := range families {
			t := runs.Table{High: high[k], Low: low[k]}
			l, likely, h := t.Bounds(&res[i][k].sums, len(s.Text))
			for _, g := range []*group{&total, classes[s.Class]} {
				g.all[k].add(s.y[k], l, likely, h)
				switch {
				case s.Chars >= 200:
					g.long[k].add(s.y[k], l, likely, h)
				case s.Chars < 50:
					g.short[k].add(s.y[k], l, likely, h)
				}
			}
		}
	}
	row("", func(k int) string { return families[k] })
	number := func(name string, f func(k int) float64) {
		row(name, func(k int) string { return fmt.Sprintf("%.2f", f(k)) })
	}
	number("mean |error| %, >= 200", func(k int) float64 { return total.long[k].mean() })
	number("P95 %, >= 200", func(k int) float64 { return total.long[k].p95() })
	number("total %", func(k int) float64 { return 100 * (total.all[k].est/total.all[k].y - 1) })
	number("tokens off, < 50", func(k int) float64 { return total.short[k].abs / total.short[k].n })
	number("High covers %", func(k int) float64 { return 100 - total.all[k].missHigh/total.all[k].n*100 })
	number("Low covers %", func(k int) float64 { return 100 - total.all[k].missLow/total.all[k].n*100 })
	number("slack of High %", func(k int) float64 { return total.long[k].slack / total.long[k].n })
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		g := classes[class]
		number(class+" mean", func(k int) float64 { return g.long[k].mean() })
		number(class+" High", func(k int) float64 { return 100 - g.all[k].missHigh/g.all[k].n*100 })
		number(class+" slack", func(k int) float64 { return g.long[k].slack / g.long[k].n })
	}
}

func row(name string, cell func(k int) string) {
	fmt.Printf("%-24s", name)
	for k := range families {
		fmt.Printf(" %11s", cell(k))
	}
	fmt.Println()
}
