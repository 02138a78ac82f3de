package bpe

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var patterns = []struct{ name, pattern string }{{"cl100k", CL100K}, {"qwen", Qwen}, {"o200k", O200K}}

// splitters pairs each hand-written splitter with its expression.
type splitters []struct {
	name             string
	byHand, byRegexp splitter
}

func newSplitters(t testing.TB) (s splitters) {
	for _, p := range patterns {
		byHand, err := newSplitter(p.pattern, time.Minute)
		require.NoError(t, err)
		byRegexp, err := expression(p.pattern, time.Minute)
		require.NoError(t, err)
		s = append(s, struct {
			name             string
			byHand, byRegexp splitter
		}{p.name, byHand, byRegexp})
	}
	return s
}

func (s splitters) same(t testing.TB, text string) {
	for _, p := range s {
		var want, got []string
		require.NoError(t, p.byRegexp(text, func(s string) { want = append(want, s) }))
		require.NoError(t, p.byHand(text, func(s string) { got = append(got, s) }))
		require.Equal(t, want, got, "%s: %q", p.name, text)
	}
}

func TestSplitAsTheExpression(t *testing.T) {
	split := newSplitters(t)
	for _, s := range samples {
		split.same(t, s)
	}
	alphabet := []rune("aAzZ'sSlLrReEvV09 \t\n\r/.-_\u00a0\u0301ªʰǅé漢½٣🙂\u2028")
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			b.WriteRune(alphabet[r.IntN(len(alphabet))])
		}
		split.same(t, b.String())
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	split := newSplitters(f)
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) && len(s) < 500 {
			split.same(t, s)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	text := strings.Repeat(corpus, 20)
	for _, p := range patterns {
		split, err := newSplitter(p.pattern, time.Second)
		require.NoError(b, err)
		b.Run(p.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				_ = split(text, func(string) { n++ })
			}
		})
	}
}
