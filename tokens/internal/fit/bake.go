package main

import (
	"math"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// bake rounds the parameters of family k into a table. What a piece would cost
// without the index is added to its own parameter here, once, so that a scan
// needs one look.
func bake(rows []sample, x *runs.Index, theta []vec, k int) *runs.Table {
	t := &runs.Table{Index: x}
	for i := range t.Base {
		t.Base[i] = int16(clamp(theta[atBase+i][k]*runs.One, math.MaxInt16))
	}
	for i := range t.Grams {
		t.Grams[i] = int8(clamp(theta[atGram+i][k]*64, math.MaxInt8))
	}
	for i := range t.Glyph {
		t.Glyph[i] = int8(clamp(theta[atGlyph+i][k]*32, math.MaxInt8))
	}
	done := make([]bool, runs.NumPieces)
	for i := range rows {
		runs.Walk(rows[i].Text, x, func(r *runs.Run) {
			if r.Slot < 0 || done[r.Slot] {
				return
			}
			done[r.Slot] = true
			cost := theta[atPiece+r.Slot][k]
			if r.Kind != runs.Glyph {
				for _, b := range r.Base {
					cost += theta[atBase+int(b)][k]
				}
				for _, g := range r.Grams {
					cost += theta[atGram+int(g)][k]
				}
			}
			if r.Kind == runs.Rare || r.Kind == runs.Letter {
				cost = max(cost, leastWord)
			}
			t.SetPiece(r.Slot, float64(cost))
		})
	}
	t.Prepare()
	return t
}

// leastWord keeps a word that little was learned of from costing nothing.
const leastWord = 0.3

func clamp(v float32, limit float64) float64 {
	return min(max(math.RoundToEven(float64(v)), -limit), limit)
}
