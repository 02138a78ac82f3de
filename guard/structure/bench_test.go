package structure

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

func BenchmarkInspect(b *testing.B) {
	c, err := New()
	require.NoError(b, err)
	for _, row := range []struct{ name, text string }{
		{"en500", strings.Repeat("A plain sentence, it holds nothing of note. ", 11)},
		{"en1M", strings.Repeat("A plain sentence: it holds nothing of note.\n", 24000)},
		{"fr1M", strings.Repeat("Une phrase déjà vue, où rien n'étonne : « voilà ! »\n", 19000)},
		{"zh1M", strings.Repeat("这句话很普通，没有什么特别的内容。\n", 20000)},
		{"ja1M", strings.Repeat("これは普通の文章で、特に変わった内容はありません。\n", 14000)},
		{"json1M", "[" + strings.Repeat(`{"name":"Ann","age":41,"tags":["a","b"]},`, 25000) + "1]"},
		{"mixed1M", strings.Repeat("аa", 350000)},
		{"colons1M", strings.Repeat("a:\n", 350000)},
		{"angles1M", strings.Repeat("<|a", 350000)},
		{"overrides1M", strings.Repeat("\u202e\u202c", 175000)},
		{"names1M", "{" + strings.Repeat(`"a":1,`, 175000)},
		{"escapes1M", strings.Repeat(`\u0430b`, 150000)},
		{"letters1M", strings.Repeat("a b  ", 210000)},
	} {
		b.Run(row.name, func(b *testing.B) {
			p := check.Prompt{Input: check.Input{Text: row.text}, Folded: new(fold.Text)}
			p.Folded.Reset(row.text)
			var found []check.Finding
			b.SetBytes(int64(len(row.text)))
			b.ReportAllocs()
			for b.Loop() {
				found = c.Inspect(context.Background(), &p, found[:0])
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, err := New()
		require.NoError(b, err)
	}
}
