//go:build eval

package bpetest

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/llmaas/llmaas-go/tokens/bpe"
)

// TestEvaluation checks texts with counts that somebody else made.
func TestEvaluation(t *testing.T) {
	dir := os.Getenv("LLMAAS_EVAL")
	if dir == "" {
		t.Fatal("LLMAAS_EVAL is not set: it must name the directory of the evaluation data")
	}
	f, err := os.Open(filepath.Join(dir, "tokens", "dev.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	// granite4 counts as cl100k does.
	encodings := map[string]*bpe.Encoding{"o200k": encoding(t, "o200k_base"), "granite4": encoding(t, "cl100k_base")}
	rows := 0
	for dec := json.NewDecoder(z); ; rows++ {
		var row struct {
			ID, Text string
			Counts   map[string]int
		}
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for family, enc := range encodings {
			if got, err := enc.Count(row.Text); err != nil || got != row.Counts[family] {
				t.Errorf("row %s: %s: got %d, %v, want %d", row.ID, family, got, err, row.Counts[family])
			}
		}
	}
	if rows == 0 {
		t.Fatal("no rows")
	}
	t.Logf("%d rows", rows)
}
