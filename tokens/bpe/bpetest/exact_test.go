package bpetest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"
)

var encodings = []string{"cl100k_base", "o200k_base"}

// texts mixes ready-made pieces and random runes, seeded.
func texts(n int) (out []string) {
	pieces := []string{" ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "don't", "Hello", "HTTPServer", "getValue", "1234567", "3.14", "_x", "++", "//",
		"/\n", "—", "漢字", "ひらがな", "한국어", "Привет", "नमस्ते", "مرحبا", "e\u0301", "ª", "ǅ", "ʰ", "🙂", "👩\u200d👩", "\u00a0", "\u2028", "½", "Ⅷ", "٣",
		"<|endoftext|>", strings.Repeat("a", 70), strings.Repeat("=", 90), strings.Repeat(" ", 60)}
	r := rand.New(rand.NewPCG(3, 4))
	for range n {
		var b strings.Builder
		for range 1 + r.IntN(30) {
			switch r.IntN(5) {
			case 0:
				// Letters assigned yesterday are none in one of the two.
				if c := rune(r.IntN(0x3000)); unicode.In(c, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z) {
					b.WriteRune(c)
				}
			case 1:
				b.WriteByte(byte(' ' + r.IntN(95)))
			default:
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
		}
		out = append(out, b.String())
	}
	return out
}

func TestSameAsTiktoken(t *testing.T) {
	texts := texts(20000)
	for _, name := range encodings {
		enc := encoding(t, name)
		want := reference(t, name, texts)
		if len(want) != len(texts) {
			t.Fatalf("%s: %d counts of %d texts", name, len(want), len(texts))
		}
		for i, text := range texts {
			if got, err := enc.Count(text); err != nil || got != want[i] {
				t.Errorf("%s: got %d, %v, want %d: %q", name, got, err, want[i], text)
			}
		}
	}
}

var prose = strings.Repeat("When the committee finally met on a grey Thursday afternoon, nobody expected that the question of funding "+
	"would take more than an hour. The chairwoman opened the discussion with a short summary of last year's figures. ", 500)

func BenchmarkCount(b *testing.B) {
	for _, row := range []struct{ name, text string }{
		{"English", prose},
		{"Chinese", strings.Repeat("委员会终于在一个阴沉的星期四下午开会，谁也没有想到资金问题会讨论一个多小时。", 1000)},
		{"OneLetter1KB", strings.Repeat("a", 1<<10)},
		{"OneLetter32KB", strings.Repeat("a", 1<<15)},
		{"OneLetter1MB", strings.Repeat("a", 1<<20)},
		{"RandomLetters1MB", word(from(lows), 1<<20, 1<<20, "")(rand.New(rand.NewPCG(1, 2)))},
		{"RandomHan1MB", word(span(0x4e00, 0x9fff), 350000, 350000, "")(rand.New(rand.NewPCG(1, 2)))},
	} {
		for _, name := range encodings {
			enc := encoding(b, name)
			b.Run(row.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(row.text)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := enc.Count(row.text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkNew(b *testing.B) {
	start := time.Now()
	for b.Loop() {
		encoding(b, "o200k_base")
	}
	b.ReportMetric(time.Since(start).Seconds()/float64(b.N), "s/load")
}
