package bpetest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/llmaas/llmaas-go/tokens"
)

// randomTexts strings units together: each kind alone, then two to four kinds in
// random order, in turn, and in stretches.
func randomTexts(each, mixed int) (texts []string) {
	r := rand.New(rand.NewPCG(5, 6))
	all := kinds()
	for _, k := range all {
		for range each {
			var b strings.Builder
			for range 1 << r.IntN(9) {
				b.WriteString(k.unit(r))
			}
			texts = append(texts, b.String())
		}
	}
	for range mixed {
		var b strings.Builder
		some := make([]kind, 2+r.IntN(3))
		for i := range some {
			some[i] = all[r.IntN(len(all))]
		}
		order := r.IntN(3)
		for range 1 << r.IntN(7) {
			for i := range some {
				k, n := some[i], 1
				switch order {
				case 0:
					k = some[r.IntN(len(some))]
				case 1:
					n = 1 + r.IntN(8)
				}
				for range n {
					b.WriteString(k.unit(r))
				}
			}
		}
		texts = append(texts, b.String())
	}
	return texts
}

// TestHighHoldsOnRandomTexts: gibberish of every kind stays below High but for
// one text in thirty thousand, and none of any length is far above.
func TestHighHoldsOnRandomTexts(t *testing.T) {
	texts := randomTexts(100, 40000)
	for family, name := range map[string]string{"o200k": "o200k_base", "granite4": "cl100k_base"} {
		enc := encoding(t, name)
		e, err := tokens.ForFamily(family)
		if err != nil {
			t.Fatal(err)
		}
		over := 0
		for _, text := range texts {
			want, err := enc.Count(text)
			if err != nil {
				t.Fatal(err)
			}
			got := e.Estimate(text)
			if got.High > len(text) {
				t.Errorf("%s: High is %d of %d bytes: %.60q", family, got.High, len(text), text)
			}
			if got.High < want {
				over++
				t.Logf("%s: High is %d, the truth %d: %.60q", family, got.High, want, text)
			}
			if got.High+5 < want*9/10 {
				t.Errorf("%s: High is %d, the truth %d: %.60q", family, got.High, want, text)
			}
		}
		if len(texts) < 100000 || over > len(texts)/30000 {
			t.Errorf("%s: %d of %d texts cost more than High", family, over, len(texts))
		}
		t.Logf("%s: %d of %d texts cost more than High", family, over, len(texts))
	}
}
