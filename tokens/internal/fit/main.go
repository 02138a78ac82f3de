// Command fit learns the tables of package tokens from texts with exact counts.
//
//	LLMAAS_EVAL=/path/to/eval go generate ./tokens
//
// It prints the errors it finds by cross-validation and writes the tables; the
// same data gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

var (
	lamPiece = flag.Float64("lp", 0.01, "")
	lamBase  = flag.Float64("lb", 0.0005, "")
	lamGram  = flag.Float64("lg", 0.03, "")
	lamGlyph = flag.Float64("ly", 0.01, "")
	iters    = flag.Int("it", 200, "")
	irls     = flag.Int("irls", 2, "")
	offset   = flag.Float64("c", 20, "")
	out      = flag.String("out", "", "directory for the tables")
)

func main() {
	flag.IntVar(&minSources, "min", 4, "")
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal("fit: ", err)
	}
}

func run() error {
	rows, err := load(os.Getenv("LLMAAS_EVAL"))
	if err != nil {
		return err
	}
	narrow, wide := crossValidate(rows, false), crossValidate(rows, true)
	high, low := [numFamilies]runs.Margins{}, [numFamilies]runs.Margins{}
	each(numFamilies, func(k int) {
		high[k] = fitBounds(column(narrow, k), column(wide, k), 1)
		low[k] = fitBounds(column(narrow, k), column(wide, k), -1)
	})
	fmt.Println("Files held out:")
	report(rows, narrow, high, low)
	fmt.Println("Whole repositories held out:")
	report(rows, wide, high, low)
	if *out == "" {
		return nil
	}
	tables := learn(rows, func(*sample) bool { return true })
	return write(*out, tables, high, low)
}

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
				*r = residual{class: s.Class, long: s.Chars >= 200, bytes: float64(len(s.Text)), y: s.y[k]}
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

const folds = 5

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

// bytePrior is what a byte of a script without data is taken to cost.
const bytePrior = 0.5

func fit(rows []sample, feats [][]feature) []vec {
	pr := &problem{rows: feats, y: make([]vec, len(rows)), w: make([]vec, len(rows)), penalty: make([]float32, atEnd)}
	for j := range pr.penalty {
		switch {
		case j < atBase:
			pr.penalty[j] = float32(*lamPiece)
		case j < atGram:
			pr.penalty[j] = float32(*lamBase)
		case j < atGlyph:
			pr.penalty[j] = float32(*lamGram)
		default:
			pr.penalty[j] = float32(*lamGlyph)
		}
	}
	theta := make([]vec, atEnd)
	prior := make([]vec, atEnd)
	for j := atBase + runs.ByteParams; j < atGram; j++ {
		for k := range prior[j] {
			prior[j][k] = bytePrior
		}
	}
	defer func() {
		for j := range theta {
			for k := range theta[j] {
				theta[j][k] += prior[j][k]
			}
		}
	}()
	for n := range rows {
		sure := predict(feats[n], prior)
		for k, y := range rows[n].y {
			pr.y[n][k] = float32(y) - sure[k]
			pr.w[n][k] = float32(1 / ((y + *offset) * (y + *offset)))
		}
	}
	pr.solve(theta, *iters)
	for range *irls {
		for n := range rows {
			e := predict(feats[n], theta)
			for k := range e {
				y := rows[n].y[k]
				rel := abs(float64(e[k]-pr.y[n][k])) / (y + *offset)
				pr.w[n][k] = float32(1 / ((y + *offset) * (y + *offset)) * 0.03 / max(rel, 0.01))
			}
		}
		pr.solve(theta, *iters/2)
	}
	return theta
}

func write(dir string, tables [numFamilies]*runs.Table, high, low [numFamilies]runs.Margins) error {
	b, err := tables[0].Index.AppendBinary(nil)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "index.bin"), b, 0o644); err != nil {
		return err
	}
	for k, t := range tables {
		t.High, t.Low = high[k], low[k]
		b, err := t.AppendBinary(nil)
		if err != nil {
			return err
		}
		fmt.Println(families[k], len(b), "bytes")
		if err := os.WriteFile(filepath.Join(dir, families[k]+".bin"), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
