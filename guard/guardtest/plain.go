package guardtest

import (
	"math"
	"slices"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
)

// plainHistory is the contract of [behavior.History] in the plainest words: it
// keeps every entry for ever and counts anew each time. Entries come in order of
// time.
type plainHistory struct {
	window, halfLife time.Duration
	entries          map[behavior.Key][]behavior.Entry
}

func (h *plainHistory) append(key behavior.Key, e *behavior.Entry, past *behavior.Past) {
	if h.entries == nil {
		h.entries = make(map[behavior.Key][]behavior.Entry)
	}
	all := h.entries[key]
	if n := len(all); n > 0 && e.Time.Sub(all[n-1].Time) > h.window {
		all = nil
	}
	before := all
	all = append(all, *e)
	all[len(all)-1].Piece = slices.Clone(e.Piece)
	h.entries[key] = all

	past.Reset()
	past.Same = runOf(all, func(i int) bool { return all[i].Digest == all[i-1].Digest })
	past.Near = runOf(all, func(i int) bool { return all[i].Near == all[i-1].Near })
	past.Cycle = runOf(all, func(i int) bool { return slices.Contains(changes(all[:i]), all[i].Digest) })
	for _, b := range before {
		past.Points += float64(b.Points) * math.Exp2(-float64(e.Time.Sub(b.Time))/float64(h.halfLife))
	}
	h.pieces(before, e.Time, past)
}

// runOf counts how long goesOn has been true up to the last entry.
func runOf(all []behavior.Entry, goesOn func(i int) bool) int {
	n := 1
	for i := len(all) - 1; i > 0 && goesOn(i); i-- {
		n++
	}
	return n
}

// changes returns the digests of the last four prompts, a run of the same counting once.
func changes(all []behavior.Entry) (digests []uint64) {
	for i := len(all) - 1; i >= 0 && len(digests) < 4; i-- {
		if i == 0 || all[i].Digest != all[i-1].Digest {
			digests = append(digests, all[i].Digest)
		}
	}
	return digests
}

func (h *plainHistory) pieces(before []behavior.Entry, now time.Time, past *behavior.Past) {
	var kept []behavior.Entry
	for i, b := range before {
		if (i == 0 || b.Digest != before[i-1].Digest) && len(b.Piece) > 0 {
			kept = append(kept, b)
		}
	}
	total, from := 0, len(kept)
	for from > 0 && len(kept)-from < behavior.MaxPieces && total+len(kept[from-1].Piece) <= behavior.MaxBytes {
		from--
		total += len(kept[from].Piece)
	}
	for _, b := range kept[from:] {
		if now.Sub(b.Time) <= h.window {
			past.AddPiece(b.Piece, b.Whole)
		}
	}
}
