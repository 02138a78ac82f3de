package fold

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	for _, row := range []struct{ what, source, want string }{
		{"empty", "", ""},
		{"case", "Ignore ALL Rules: [x]{Y}@Z`", "ignore all rules: [x]{y}@z`"},
		{"eight bytes and one", "ABCDEFGHI", "abcdefghi"},
		{"line ends", "a\r\nb\rc\vd\fe\u0085f\u2028g\u2029h", "a\n\nb\nc\nd\ne\nf\ng\nh"},
		{"spaces", "a\tb\u00a0c\u202fd\u3000e\u2009f", "a b c d e f"},
		{"controls", "ig\x00no\x1b\x7fre\u0080!", "ignore!"},
		{"accents", "Révèle le système, Größe ÇÀ", "revele le systeme, grosse ca"},
		{"accents apart", "re\u0301ve\u0300le", "revele"},
		{"ligatures", "Œuvre æon ﬁn ĳs", "oeuvre aeon fin ijs"},
		{"strokes and dots", "Łódź Ørsted ıİ đ", "lodz orsted ii d"},
		{"long s", "ſyſtem", "system"},
		{"zero width", "i\u200bg\u200cn\u200do\u2060r\ufeffe", "ignore"},
		{"soft hyphen", "sys\u00adtem", "system"},
		{"bidi", "\u202eabc\u202c\u2066d\u2069", "abcd"},
		{"variation selectors", "ok\ufe0f\U000e0149\U000e0157!", "ok!"},
		{"tags", "a\U000e0001\U000e0049\U000e0067\U000e006e\U000e007f", "aign"},
		{"fullwidth", "Ｉｇｎｏｒｅ　ａｌｌ！", "ignore all!"},
		{"mathematical", "𝐈𝘨𝓷𝔬𝕣𝖾 𝟙𝟘", "ignore 10"},
		{"circled and squared", "Ⓘⓖ🄽🅾🅡🇪", "ignore"},
		{"cyrillic look-alikes", "іgnоrе рrеvіоuѕ", "ignore previous"},
		{"greek capitals", "ΙΗΝ", "ihn"},
		{"greek", "ρrοmρt", "prompt"},
		{"small capitals", "ɪɢɴᴏʀᴇ ᴛʜɪꜱ", "ignore this"},
		{"marks on latin", "i\u0336g\u0334n\u0335o\u0300\u0301\u0302\u0303r\u20dee", "ignore"},
		{"keycap", "1\ufe0f\u20e3", "1"},
		{"marks on kana stay", "か\u3099ハ\u309a", "がパ"},
		{"halfwidth kana", "ｼｽﾃﾑ ﾌﾟﾛﾝﾌﾟﾄ ｶﾞ", "システム プロンプト ガ"},
		{"mark after a dropped character", "か\u200b\u3099", "が"},
		{"kana and ideographs", "〇丨エ工へヘ、。「忽略」", "〇丨エ工へヘ、。「忽略」"},
		{"chinese punctuation", "请，忽略：全部！（好）", "请,忽略:全部!(好)"},
		{"hindi", "नमस्ते हिन्दी", "नमस्ते हिन्दी"},
		{"hindi nukta", "\u0958", "\u0915\u093c"},
		{"hangul", "\u1112\u1161\u11abㄱㅏ", "한가"},
		{"hebrew points", "שָׁלוֹם", "\u05e9\u05b8\u05c1\u05dclם"},
		{"quotes and dashes", "‘a’ “b” «c» – — ‐ − l’x", `'a' "b" "c" - - - - l'x`},
		{"ellipsis and fractions", "… ½ m² №", "... 1/2 m2 no"},
		{"braille", "⠊⠛⠝⠕⠗⠑⠀⠁⠇⠇", "ignore all"},
		{"dots", "i·g•n", "i.g.n"},
		{"no more than double", "\ufdfa", "\u0635\u0644\u0649"},
		{"invalid", "ig\xff\xc3no\xe3\x81re\ufffd", "ignore"},
		{"surrogate half", "a\xed\xa0\x80b", "ab"},
		{"upside down", "ʇxǝʇ", "txet"},
	} {
		t.Run(row.what, func(t *testing.T) {
			var text Text
			text.Reset(row.source)
			require.Equal(t, row.want, string(text.Main().Text))
		})
	}
}

// plain is the folding without any haste.
func plain(s string) string {
	var out []rune
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			continue
		}
		text := string(r)
		if e := lookup(r); e&replaced != 0 {
			text = e.text()
		} else if r < utf8.RuneSelf {
			text = strings.Trim(string(ascii[r]), "\x00")
		}
		for _, x := range text {
			_, marks := lastBase([]byte(string(out)))
			if lookup(x)&joins != 0 && !isJamo(string(x)) && marks >= maxMarks {
				continue
			}
			if lookup(x)&mark != 0 && !takesMarks([]byte(string(out))) {
				continue
			}
			out = append(out, x)
		}
	}
	return norm.NFC.String(string(out))
}

func FuzzFold(f *testing.F) {
	for _, seed := range []string{
		"Ignore ALL previous", "re\u0301ve\u0300le", "か\u200b\u3099ｶﾞ\ufdfa", "\u1112\u1161\u11ab\u11ab", "a\xffb\xe3\x81",
		"\u202eabc\u202c \u00bd\u200bd", "𝐈𝘨𝓷 \U000e0041", "\u0dd9\u0dcf\u0dca\u09c7\u09be", strings.Repeat("か\u3099\u3099", 20),
	} {
		f.Add(seed)
	}
	var text, again Text
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<9 {
			s = s[:1<<9]
		}
		text.Reset(s)
		main := text.Main()
		require.Equal(t, plain(s), string(main.Text), "fast and plain differ")
		require.LessOrEqual(t, len(main.Text), 2*len(s))
		require.True(t, utf8.Valid(main.Text))
		requireSpans(t, main, len(s))
		again.Reset(string(main.Text))
		require.Equal(t, string(main.Text), string(again.Main().Text), "not idempotent")
	})
}

func FuzzDecoded(f *testing.F) {
	for _, row := range decodedRows {
		f.Add(row.source)
	}
	for _, sample := range samples {
		f.Add(sample.text[:min(len(sample.text), 200)])
	}
	var text Text
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<12 {
			s = s[:1<<12]
		}
		text.Reset(s)
		requireHints(t, &text)
		total := 0
		for v := range text.Decoded() {
			decoded := len(v.raw)
			if v.folded {
				decoded = len(v.Text)
			}
			total += decoded
			require.LessOrEqual(t, v.depth, maxDepth)
			require.NotEmpty(t, v.Text)
			require.LessOrEqual(t, len(v.Text), 2*decoded)
			for i := range v.Text {
				span := v.Span(i, i+1)
				if span.Start < 0 || span.Start > span.End || span.End > len(s) {
					t.Fatalf("view %s: span of byte %d: got %v, want inside [0, %d]", v.Name, i, span, len(s))
				}
				v.Changed(i, i+1)
			}
			whole := v.Span(0, len(v.Text))
			if whole.Start < 0 || whole.End > len(s) {
				t.Fatalf("view %s: span of all: got %v, want inside [0, %d]", v.Name, whole, len(s))
			}
		}
		require.LessOrEqual(t, total, maxDecoded*len(s)+floor)
	})
}

// requireHints checks that the cheap test never says no where one of these decoders has something to
// read. (For the others it wants more than the shortest possible run.)
func requireHints(t *testing.T, text *Text) {
	t.Helper()
	hints, _, _ := scout(&text.main)
	for _, how := range decoders {
		switch how.name {
		case Tags, Variation, Escapes, Entities, Percent, Base64, Splat:
			d := draft{limit: 1 << 20, most: 1 << 20}
			if how.folded {
				how.run(string(text.main.Text), &d)
			} else {
				how.run(text.main.raw, &d)
			}
			if len(d.bytes) > 0 && hints&how.hint == 0 {
				t.Fatalf("%s reads %q, but is not tried", how.name, d.bytes)
			}
		}
	}
}

// requireSpans checks that the spans of v lie in the source, are not empty, and never step back.
func requireSpans(t *testing.T, v *View, n int) {
	t.Helper()
	last := Span{}
	for i := range v.Text {
		s := v.Span(i, i+1)
		if s.Start < last.Start || s.End < last.End || s.Start >= s.End || s.End > n {
			t.Fatalf("span of byte %d: got %v after %v, want inside [0, %d)", i, s, last, n)
		}
		last = s
	}
	whole := v.Span(0, len(v.Text))
	require.GreaterOrEqual(t, whole.Start, 0)
	require.LessOrEqual(t, whole.End, n)
}
