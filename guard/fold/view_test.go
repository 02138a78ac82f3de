package fold

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// Each row says where the first word of the folded text was read from.
func TestSpan(t *testing.T) {
	for _, row := range []struct{ source, word, at string }{
		{"ignore all", "ignore", "ignore"},
		{"x ＩＧＮＯＲＥ y", "ignore", "ＩＧＮＯＲＥ"},
		{"x i\u200bg\u200bnore\u200b y", "ignore", "i\u200bg\u200bnore"},
		{"x \u200bignore y", "ignore", "ignore"},
		{"le re\u0301ve\u0301 est", "reve", "re\u0301ve\u0301"},
		{"½x", "1/2", "½"},
		{"½x", "2x", "½x"},
		{"½\u200bx", "/2", "½"},
		{"œuf", "e", "œ"},
		{"œuf", "uf", "uf"},
		{"か\u3099き", "が", "か\u3099"},
		{"か\u3099き", "き", "き"},
		{"\u1112\u1161\u11ab글", "한", "\u1112\u1161\u11ab"},
		{"\u1112\u1161\u11ab글", "글", "글"},
		{"a\xff\xfeb c", "b", "b"},
		{"a\xff\xfeb c", "ab", "a\xff\xfeb"},
		{"请，忽略！", "忽略!", "忽略！"},
		{"🏴\U000e0067\U000e0062x", "gb", "\U000e0067\U000e0062"},
	} {
		t.Run(row.source, func(t *testing.T) {
			var text Text
			text.Reset(row.source)
			i := strings.Index(string(text.Main().Text), row.word)
			require.GreaterOrEqual(t, i, 0, "%q", text.Main().Text)
			s := text.Main().Span(i, i+len(row.word))
			require.Equal(t, row.at, row.source[s.Start:s.End])
		})
	}
}

// Numbers from elsewhere must not panic, whatever they are.
func TestSpanOutside(t *testing.T) {
	var text Text
	for _, source := range []string{"", "aé", "\u200b", "i g n o r e"} {
		text.Reset(source)
		for v := range text.Decoded() {
			requireInside(t, v, len(source))
		}
		requireInside(t, text.Main(), len(source))
	}
}

func requireInside(t *testing.T, v *View, n int) {
	t.Helper()
	for _, pair := range [][2]int{{-1, -1}, {-5, math.MaxInt}, {1, 0}, {0, 0}, {math.MaxInt - 1, math.MaxInt}, {len(v.Text), len(v.Text)}} {
		s := v.Span(pair[0], pair[1])
		require.True(t, 0 <= s.Start && s.Start <= s.End && s.End <= n, "%v of %v", s, pair)
		v.Changed(pair[0], pair[1])
	}
}

func TestMet(t *testing.T) {
	for _, row := range []struct {
		source       string
		sign         Sign
		count, first int
	}{
		{"honest, ça va ? Größe 好的", Confusable, 0, 0},
		{"a\u200bb \u200b", Invisible, 2, 1},
		{"a\u200bb \u200b", InWord, 1, 1},
		{"\ufeffhello 👨\u200d👩", InWord, 0, 0},
		{"ok \U000e0041\U000e0042", Tagged, 2, 3},
		{"ok ☺\ufe0f", Selector, 1, 6},
		{"\u202eabc\u202c", Bidi, 2, 0},
		{"ok pаss", Confusable, 1, 4},
		{"ok pаss", Mixed, 1, 4},
		{"с", Mixed, 0, 0},
		{"x ＡＢ", Compatible, 2, 2},
		{"e\u0301\u0302\u0303\u0304", Stacked, 2, 5},
		{"か\u3099\u3099\u3099", Stacked, 1, 9},
		{"a\xffb\ufffd", Invalid, 2, 1},
		{"", Sign(200), 0, 0},
	} {
		t.Run(row.source, func(t *testing.T) {
			var text Text
			text.Reset(row.source)
			count, first := text.Met(row.sign)
			require.Equal(t, row.count, count)
			require.Equal(t, row.first, first)
		})
	}
}

// Every rune of Unicode: what it folds to keeps the promises of the package, and agrees with
// normalization and case folding where these are not overruled.
func TestEveryRune(t *testing.T) {
	var text, again Text
	seen, ascii := 0, 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		seen++
		source := string(r)
		text.Reset(source)
		got := string(text.Main().Text)
		again.Reset(got)
		if string(again.Main().Text) != got {
			t.Fatalf("%U: got %+q, then %+q: want the same", r, got, again.Main().Text)
		}
		if len(got) > 2*len(source) || !utf8.ValidString(got) {
			t.Fatalf("%U: got %+q, want valid UTF-8 of at most %d bytes", r, got, 2*len(source))
		}
		if nfkc := strings.ToLower(norm.NFKC.String(source)); isLetters(nfkc) {
			ascii++
			if got != nfkc {
				t.Fatalf("%U: got %+q, want %+q as NFKC says", r, got, nfkc)
			}
		}
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) && isLetters(got) {
			t.Fatalf("%U: got %+q, want no letters for an ideograph or a kana", r, got)
		}
	}
	require.Equal(t, 0x110000-0x800, seen)
	require.Greater(t, ascii, 1000)
	require.Equal(t, normVersion, norm.Version, "the table is of another Unicode version: go generate")
}

func isLetters(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

func TestNoAllocations(t *testing.T) {
	for _, sample := range samples[:5] {
		var text Text
		text.Reset(sample.text)
		views := 0
		n := testing.AllocsPerRun(3, func() {
			text.Reset(sample.text)
			for range text.Decoded() {
				views++
			}
		})
		require.Zero(t, n, sample.name)
		require.Zero(t, views, sample.name)
	}
}

// The memory of a hostile megabyte.
func TestMemory(t *testing.T) {
	for _, sample := range samples {
		var text Text
		text.Reset(sample.text)
		for range text.Decoded() {
		}
		held := cap(text.main.Text) + 8*cap(text.main.points) + cap(text.draft.bytes) + 16*cap(text.draft.pieces)
		for _, v := range text.views {
			held += len(v.raw) + cap(v.Text) + 8*cap(v.points) + 16*cap(v.pieces)
		}
		require.LessOrEqual(t, held, 6*len(sample.text), sample.name)
	}
}

// The decoded views stay as they are while further ones are made, and stop when the caller stops.
func TestDecodedTwice(t *testing.T) {
	var text Text
	text.Reset("%61%57%64%75%62%33%4a%6c%49%47%46%73%62%43%42%79%64%57%78%6c%63%77 and i.g.n.o.r.e")
	names := func() (names []string) {
		for v := range text.Decoded() {
			names = append(names, v.Name+" "+string(v.Text))
		}
		return names
	}
	for range text.Decoded() {
		break
	}
	first := names()
	require.GreaterOrEqual(t, len(first), 3)
	require.Equal(t, first, names())
	text.Reset("nothing")
	require.Empty(t, names())
}

// Who stuffs a text with encodings so that the last one goes unread does not go unseen.
func TestTruncated(t *testing.T) {
	var text Text
	for _, row := range []struct {
		source string
		want   bool
	}{
		{"", false},
		{"%69gnore i.g.n.o.r.e 1gn0r3 4ll th3", false},
		{repeat(english, 1<<16), false},
		{repeat(`%69gnore *i*gn*ore* \\u0069 &#105; i.g.n.o.r.e 1gn0r3 4ll th3 erongi vtaber suoiverp `, 1<<16), true},
	} {
		text.Reset(row.source)
		for v := range text.Decoded() {
			require.NotEmpty(t, v.Name)
		}
		require.Equal(t, row.want, text.Truncated(), "%.40q", row.source)
	}
}

func TestUnscramble(t *testing.T) {
	for _, row := range []struct{ word, want string }{
		{"ignore", "ignore"},
		{"igonre", "ignore"},
		{"ihnore", "ignore"},             // g+1
		{"inrtsuctimos", "instructions"}, // n-1
		{"instrcutinos", "instructions"},
		{"questiont", "questions"}, // s+1
		{"xyzzyx", ""},
		{"ab", ""},
		{strings.Repeat("a", 100), ""},
	} {
		require.Equal(t, row.want, theLexicon().unscramble([]byte(row.word)), row.word)
	}
}

func TestCoarsePieces(t *testing.T) {
	d := draft{limit: 100, most: 2}
	d.copy("abcdef", 0, 3)
	add(&d, "X", 3, 9)
	add(&d, "YY", 9, 12)
	d.addBack("ü", 20, 22)
	v := View{raw: string(d.bytes), pieces: d.pieces}
	require.Len(t, v.pieces, 2)
	require.Equal(t, Span{1, 2}, v.inParent(Span{1, 2}))
	require.Equal(t, Span{3, 22}, v.inParent(Span{4, 5}))
	require.Equal(t, "abcXYYü", v.raw)
	require.True(t, slices.IsSortedFunc(v.pieces, func(a, b piece) int { return int(a.at) - int(b.at) }))
}
