package runs

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// noisy is a table full of random costs, with about half of all pieces named.
func noisy() *Table {
	r := rand.New(rand.NewPCG(1, 2))
	t := &Table{Index: new(Index)}
	for i := range t.Tags {
		t.Tags[i] = uint16(r.Uint32()) | 1
		t.SetPiece(i, r.Float64()*8-1)
	}
	for i := range t.Seen {
		t.Seen[i] = r.Uint64()
	}
	for i := range t.Base {
		t.Base[i] = int16(r.Uint32N(1<<15)) - 1<<14 // with a glyph it fits sixteen bits
	}
	for i := range t.Grams {
		t.Grams[i] = int8(r.Uint32())
	}
	for i := range t.Glyph {
		t.Glyph[i] = int8(r.Uint32())
	}
	t.Prepare()
	return t
}

// name gives the pieces of text their tags, so that hits happen.
func name(t *Table, text string) {
	n := 0
	Walk(text, nil, func(r *Run) {
		if n++; r.Hash != 0 && n%2 == 0 {
			slot, tag := Place(r.Hash)
			t.Tags[slot] = tag
		}
	})
	t.Prepare()
}

// plainCost is what Scan must find, from the plain cut.
func plainCost(t *Table, text string) (cost int64, end int) {
	Walk(text, t.Index, func(r *Run) {
		end = r.End
		if r.Slot >= 0 {
			cost += int64(t.Piece[r.Slot])
		}
		if r.Slot >= 0 && r.Kind != Glyph {
			return
		}
		own, repeat := int64(0), int64(0)
		for _, b := range r.Base {
			if b >= baseRepeat && b < baseByte {
				repeat += int64(t.Base[b])
			} else {
				own += int64(t.Base[b])
			}
		}
		for _, g := range r.Grams {
			own += int64(t.Grams[g]) << gramShift
		}
		for _, g := range r.Glyphs {
			own += int64(t.Glyph[g]) << glyphShift
		}
		if r.Floor > 0 {
			own = max(own, r.Floor)
		}
		cost += own + repeat
	})
	return cost, end
}

func TestLettersHavePlaces(t *testing.T) {
	seen := map[uint8]bool{}
	for r := rune(0x80); int(r) < len(letterPlace); r++ {
		if classOf(r) == rLetter {
			require.False(t, seen[letterPlace[r]], "%c", r)
			seen[letterPlace[r]] = true
		}
	}
	require.Len(t, seen, numLetters)
}

var texts = []string{
	"", " ", "a", "Hello, world. It's 2026!\n\n  func (t *T) getValueOf(x int) error { return nil }\n",
	"camelCaseWordsAreCutHTTPServerToo aB Ab AB aBcDeFgHiJkLmNoP", "naïve Überraschung œuvre façade",
	"我们今天去学校,学习中文。ひらがなカタカナ 한국어 단어", "Привет, мир! مرحبا بالعالم नमस्ते दुनिया",
	"🙂🙂🙂👩‍👩‍👧 ✓ → —", "\x00\x01\xff\xfe\xc3 \xe2\x82", strings.Repeat("a", 100), strings.Repeat("é", 100),
	strings.Repeat("-", 100) + strings.Repeat(" ", 100) + strings.Repeat("\n", 100) + strings.Repeat("7", 100),
	strings.Repeat("字", 100) + strings.Repeat("ཀ", 10), "e\u0301\u0301\u0301\u0301 \U000e0041\U000e0042",
	"a.b(c)[d]{\"e\":1, 'f':-2.5e10}\r\n\t\tx_y-z /usr/local/bin <div class=\"x\">&nbsp;</div>",
	" \t mixed  blanks \n \n\n x", "1,000.00 12345678901234567890123 0xdeadbeef",
}

func TestScanEqualsWalk(t *testing.T) {
	table := noisy()
	for _, s := range texts {
		name(table, s)
		var sum Sums
		table.Scan(s, &sum)
		want, end := plainCost(table, s)
		require.Equal(t, len(s), end, "%q: the runs must cover the text", s)
		require.Equal(t, want, total(&sum), "%q", s)
	}
}

func total(sum *Sums) (n int64) {
	for _, c := range sum.Cost {
		n += c
	}
	return n
}

func FuzzScanEqualsWalk(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	table := noisy()
	name(table, strings.Join(texts, " "))
	f.Fuzz(func(t *testing.T, s string) {
		var sum Sums
		table.Scan(s, &sum)
		if want, _ := plainCost(table, s); want != total(&sum) {
			t.Fatalf("scan finds %d, the plain cut %d", total(&sum), want)
		}
		low, likely, high := table.Bounds(&sum, len(s))
		if low > likely || likely > high || high > len(s) {
			t.Fatalf("bounds %d %d %d of %d bytes", low, likely, high, len(s))
		}
	})
}

func TestTableRoundTrip(t *testing.T) {
	table := noisy()
	table.Tags[5], table.Tags[4] = 0, 0
	for i := range table.Piece {
		if table.Tags[i] == 0 {
			table.Piece[i] = 0
		}
	}
	for i := range table.Glyph {
		if !table.seen(i) {
			table.Glyph[i] = 0
		}
	}
	table.High.Root = 7
	table.Prepare()
	index, err := table.Index.AppendBinary(nil)
	require.NoError(t, err)
	body, err := table.AppendBinary(nil)
	require.NoError(t, err)
	back := &Table{Index: new(Index)}
	require.NoError(t, back.Index.UnmarshalBinary(index))
	require.NoError(t, back.UnmarshalBinary(body))
	require.Equal(t, table, back)
	require.ErrorContains(t, back.UnmarshalBinary(body[:len(body)-1]), "does not fit")
	require.ErrorContains(t, back.UnmarshalBinary(append(body, 0)), "does not fit")
	require.ErrorContains(t, back.UnmarshalBinary(nil), "too short")
	require.ErrorContains(t, back.Index.UnmarshalBinary(index[1:]), "index of")
}
