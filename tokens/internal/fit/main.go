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

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

func main() {
	out := flag.String("out", "", "directory to write the tables to; empty only measures")
	flag.Parse()
	if err := run(*out); err != nil {
		log.Fatal("fit: ", err)
	}
}

func run(out string) error {
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
	if out == "" {
		return nil
	}
	tables := learn(rows, func(*sample) bool { return true })
	return write(out, tables, high, low)
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
