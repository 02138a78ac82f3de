package bpetest

import (
	"testing"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// TestSurePairs: two letters that the estimate is sure of are one token.
func TestSurePairs(t *testing.T) {
	letters := lows + ups
	for _, name := range encodings {
		enc, sure := encoding(t, name), 0
		for _, a := range letters {
			for _, b := range letters {
				if !runs.Sure(byte(a), byte(b)) {
					continue
				}
				sure++
				if n, err := enc.Count(string(a) + string(b)); n != 1 || err != nil {
					t.Errorf("%s: %c%c is %d tokens, %v", name, a, b, n, err)
				}
			}
		}
		if sure < 1000 {
			t.Errorf("%s: only %d pairs are sure", name, sure)
		}
	}
}
