package main

import (
	"sort"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// Places of the parameters in one vector.
const (
	atPiece = 0
	atBase  = atPiece + runs.NumPieces
	atGram  = atBase + runs.NumBase
	atGlyph = atGram + runs.NumGrams
	atEnd   = atGlyph + runs.NumGlyphs
)

type feature struct {
	param int32
	n     float32
}

// A piece gets a parameter if at least minSources sources use it, the most used
// first up to maxPieces: the table of a family and its share of the index stay
// below 64 KB.
const (
	minSources = 4
	maxPieces  = 30700
)

// chooseIndex names the pieces and glyphs worth a parameter: those that most
// sources use.
func chooseIndex(rows []sample, use func(*sample) bool) *runs.Index {
	type stat struct {
		sources int32
		last    string
	}
	stats := map[uint64]*stat{}
	glyphs := make([]int, runs.NumGlyphs)
	for i := range rows {
		s := &rows[i]
		if !use(s) {
			continue
		}
		inText := map[uint64]bool{}
		inGlyphs := map[int32]bool{}
		runs.Walk(s.Text, nil, func(r *runs.Run) {
			if r.Hash != 0 {
				inText[r.Hash] = true
			}
			for _, g := range r.Glyphs {
				inGlyphs[g] = true
			}
		})
		for g := range inGlyphs {
			glyphs[g]++
		}
		for h := range inText {
			st := stats[h]
			if st == nil {
				st = &stat{}
				stats[h] = st
			}
			if st.last != s.Source {
				st.sources++
				st.last = s.Source
			}
		}
	}
	type cand struct {
		h       uint64
		sources int32
	}
	var cands []cand
	for h, st := range stats {
		if st.sources >= minSources {
			cands = append(cands, cand{h, st.sources})
		}
	}
	sort.Slice(cands, func(i, j int) bool {
		if cands[i].sources != cands[j].sources {
			return cands[i].sources > cands[j].sources
		}
		return cands[i].h < cands[j].h
	})
	x := new(runs.Index)
	n := 0
	for _, c := range cands {
		if n == maxPieces {
			break
		}
		slot, tag := runs.Place(c.h)
		switch {
		case x.Find(c.h) >= 0:
		case x.Tags[slot] == 0:
			x.Tags[slot] = tag
			x.SetSupport(slot, int(c.sources))
			n++
		case x.Tags[slot^1] == 0:
			x.Tags[slot^1] = tag
			x.SetSupport(slot^1, int(c.sources))
			n++
		}
	}
	for g, n := range glyphs {
		if n >= 2 {
			x.Seen[g>>6] |= 1 << (g & 63)
		}
	}
	return x
}

func extract(text string, x *runs.Index) []feature {
	m := map[int32]float32{}
	runs.Walk(text, x, func(r *runs.Run) {
		if r.Slot >= 0 {
			m[int32(atPiece+r.Slot)]++
		}
		for _, b := range r.Base {
			m[atBase+b]++
		}
		for _, g := range r.Grams {
			m[atGram+g]++
		}
		for _, g := range r.Glyphs {
			m[atGlyph+g]++
		}
	})
	f := make([]feature, 0, len(m))
	for k, v := range m {
		f = append(f, feature{k, v})
	}
	sort.Slice(f, func(i, j int) bool { return f[i].param < f[j].param })
	return f
}
