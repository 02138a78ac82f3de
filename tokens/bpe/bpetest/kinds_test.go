package bpetest

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// A kind makes random units; a text is a string of units of one or several kinds.
type kind struct {
	name string
	unit func(r *rand.Rand) string
}

func from(s string) func(*rand.Rand) string {
	rs := []rune(s)
	return func(r *rand.Rand) string { return string(rs[r.IntN(len(rs))]) }
}

func span(lo, hi rune) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return string(lo + rune(r.IntN(int(hi-lo+1)))) }
}

func word(unit func(*rand.Rand) string, least, most int, end string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for range least + r.IntN(most-least+1) {
			b.WriteString(unit(r))
		}
		return b.String() + end
	}
}

func either(units ...func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return units[r.IntN(len(units))](r) }
}

func row(units ...func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		s := ""
		for _, u := range units {
			s += u(r)
		}
		return s
	}
}

func fixed(s string) func(*rand.Rand) string { return func(*rand.Rand) string { return s } }

func anyOf(table *unicode.RangeTable) func(*rand.Rand) string {
	var all []rune
	for _, x := range table.R16 {
		for c := rune(x.Lo); c <= rune(x.Hi); c += rune(x.Stride) {
			all = append(all, c)
		}
	}
	for _, x := range table.R32 {
		for c := rune(x.Lo); c <= rune(x.Hi) && len(all) < 20000; c += rune(x.Stride) {
			all = append(all, c)
		}
	}
	return from(string(all))
}

const (
	lows   = "abcdefghijklmnopqrstuvwxyz"
	ups    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
	puncts = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

func kinds() []kind {
	lower, upper, digit, punct := from(lows), from(ups), from(digits), from(puncts)
	rare := from("qxzjkvwyQXZJKVWY")
	mark := span(0x300, 0x36f)
	han := span(0x4e00, 0x9fff)
	blank := from(" \t\n\r")
	emoji := either(span(0x1f300, 0x1f64f), span(0x1f900, 0x1f9ff), span(0x2600, 0x27bf))
	zwj := either(fixed("\u200d"), fixed("\ufe0f"), span(0x1f3fb, 0x1f3ff), fixed("\u20e3"))
	ks := []kind{
		{"bytes", func(r *rand.Rand) string { return string([]byte{byte(r.IntN(256))}) }},
		{"ascii", func(r *rand.Rand) string { return string([]byte{byte(r.IntN(128))}) }},
		{"high bytes", func(r *rand.Rand) string { return string([]byte{byte(128 + r.IntN(128))}) }},
		{"controls", span(0, 31)},
		{"printable", span(32, 126)},
		{"lower", lower}, {"upper", upper}, {"letters", either(lower, upper)}, {"rare letters", rare},
		{"words", word(lower, 1, 9, " ")}, {"short words", word(either(lower, upper), 1, 3, " ")},
		{"long words", word(either(lower, lower, upper), 10, 40, " ")},
		{"titles", row(upper, word(lower, 1, 4, ""))}, {"aBcD", row(lower, upper)}, {"aBCd", row(lower, upper, upper)},
		{"lone letters", row(either(lower, upper), fixed(" "))}, {"lone marks", row(punct, fixed(" "))}, {"lone rare", row(rare, blank)},
		{"letter mark", row(either(lower, upper), punct)}, {"rare mark", row(rare, punct)}, {"letter digit", row(either(lower, upper), digit)},
		{"digit mark", row(digit, punct)}, {"digits", digit}, {"digit words", word(digit, 1, 5, " ")}, {"lone digits", row(digit, blank)},
		{"hex", from("0123456789abcdef")}, {"HEX", from("0123456789ABCDEF")}, {"base64", from(lows + ups + digits + "+/")}, {"base32", from(ups + "234567")},
		{"marks", punct}, {"odd marks", from("^`~|\\}{@&%$")}, {"mark words", word(punct, 1, 6, " ")}, {"two marks", row(punct, punct, either(lower, upper))},
		{"blanks", blank}, {"blank runs", either(word(fixed(" "), 1, 30, ""), word(fixed("\t"), 1, 9, ""), word(from("\r\n"), 1, 6, ""))},
		{"blank lines", row(word(fixed(" "), 0, 9, ""), fixed("\n"))}, {"blank digit", row(word(blank, 1, 4, ""), digit)}, {"blank mark", row(word(blank, 1, 4, ""), punct)},
		{"url", either(word(lower, 1, 5, ""), word(from(lows+ups+digits), 1, 8, ""), from("/?&=#-_.%~:"), row(fixed("%"), from("0123456789ABCDEF"), from("0123456789ABCDEF")))},
		{"escapes", row(either(fixed("\\x"), fixed("\\u00"), fixed("%"), fixed("&#x")), from("0123456789abcdef"), from("0123456789abcdef"))},
		{"accents", span(0xc0, 0xff)}, {"accent letter", row(span(0xc0, 0xff), lower)}, {"Latin-1", span(0x80, 0xff)}, {"extended Latin", span(0x100, 0x24f)},
		{"Cyrillic letters", span(0x410, 0x44f)}, {"Cyrillic words", word(span(0x430, 0x44f), 1, 8, " ")}, {"upper Cyrillic", span(0x410, 0x42f)}, {"lone Cyrillic", row(span(0x410, 0x44f), fixed(" "))},
		{"Cyrillic flips", row(span(0x410, 0x42f), span(0x430, 0x44f))}, {"Arabic letters", span(0x621, 0x64a)}, {"Arabic words", word(span(0x621, 0x64a), 1, 7, " ")}, {"Arabic vowels", row(span(0x621, 0x64a), span(0x64b, 0x652))},
		{"Devanagari letters", span(0x905, 0x939)}, {"Devanagari block", span(0x900, 0x97f)}, {"Hindi-ish", word(row(span(0x915, 0x939), span(0x93e, 0x94d)), 1, 4, " ")},
		{"Arabic block", span(0x600, 0x6ff)}, {"homoglyphs", either(lower, from("асеорхуі"))}, {"alternating", row(lower, span(0x430, 0x44f))},
		{"Han", han}, {"Han extension", span(0x3400, 0x4dbf)}, {"Han and blank", row(han, blank)}, {"Han and letter", row(lower, han)}, {"Han and upper", row(upper, han)}, {"Han and digit", row(digit, han)}, {"Han and mark", row(punct, han)},
		{"Han and space", row(fixed(" "), han)}, {"common Han", from("的一是不了在人有我他这中大来上国个到说们")}, {"common Han letter", row(either(lower, upper), from("的一是不了在人有我他这中大来上国个到说们"))}, {"字 letter", row(lower, fixed("字"))},
		{"common Han digit", row(digit, from("的一是不了在人有我他这中大来上国个到说们"))}, {"common Han emoji", row(emoji, from("的一是不了在人"))}, {"Han Cyrillic", row(span(0x430, 0x44f), from("的一是不了在人"))},
		{"kana", span(0x3041, 0x30ff)}, {"hiragana", span(0x3041, 0x3096)}, {"kana letter", row(span(0x3041, 0x30ff), lower)}, {"half kana", span(0xff61, 0xff9f)}, {"wide", span(0xff01, 0xff5e)}, {"wide letter", row(span(0xff01, 0xff5e), lower)},
		{"CJK marks", span(0x3000, 0x303f)}, {"CJK mark letter", row(span(0x3001, 0x3011), lower)}, {"Hangul", span(0xac00, 0xd7a3)}, {"Hangul letter", row(span(0xac00, 0xd7a3), lower)}, {"common Hangul", from("이다는의에을가고하를은기사지한")}, {"common Hangul letter", row(lower, from("이다는의에을가고하를은기사지한"))}, {"jamo", span(0x1100, 0x11ff)}, {"compatible jamo", span(0x3131, 0x318e)},
		{"emoji", emoji}, {"emoji ZWJ", either(emoji, zwj)}, {"emoji letter", row(emoji, lower)}, {"emoji blank", row(emoji, blank)}, {"flags", span(0x1f1e6, 0x1f1ff)}, {"pictures", span(0x1f000, 0x1faff)}, {"dingbat letter", row(span(0x2600, 0x27bf), lower)},
		{"symbols", span(0x2000, 0x2bff)}, {"symbol letter", row(span(0x2000, 0x2bff), lower)}, {"symbol digit", row(span(0x2000, 0x206f), digit)}, {"dashes", row(span(0x2010, 0x2027), lower)}, {"dashes blank", row(span(0x2010, 0x2027), blank)}, {"common dashes", row(from("–—‘’“”…•"), lower)}, {"lone dashes", from("–—‘’“”…•")}, {"box", span(0x2500, 0x259f)}, {"Latin marks", span(0xa0, 0xbf)}, {"Latin mark letter", row(span(0xa0, 0xbf), lower)}, {"mark Latin mark", row(span(0xa0, 0xbf), punct)},
		{"combining", mark}, {"stacks", row(lower, word(mark, 1, 6, ""))}, {"tags", span(0xe0020, 0xe007f)}, {"zero width", from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066")}, {"hidden", row(lower, from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e"))},
		{"private", span(0xe000, 0xf8ff)}, {"selectors", span(0xfe00, 0xfe0f)}, {"forms", span(0xfe10, 0xfeff)}, {"Arabic forms", span(0xfb50, 0xfdff)}, {"math", span(0x1d400, 0x1d7ff)}, {"math letter", row(span(0x1d400, 0x1d7ff), lower)}, {"BMP", span(0x80, 0xd7ff)}, {"all", span(0, 0x1ffff)},
		{"replacement", either(fixed("\ufffd"), lower)}, {"special", either(fixed("<|endoftext|>"), fixed("<|im_start|>"), lower)}, {"contractions", row(fixed("'"), from("smtdSMTDrlv"), from("elEL "))},
		{"leet", from("4bcd3fgh1jklmn0pqr57uvwxyz4310")}, {"common words", func(r *rand.Rand) string {
			w := strings.Fields("the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long each just state those people too mr how little good world make very year still see own work men day get here old life both between being under three never know same last another while us might great go come since against right came take used himself few house american use place during high without again home around small however found mrs part school thought went say general once upon war every don does got united number hand course water until always away public put something fact less though far")
			return w[r.IntN(len(w))] + [...]string{"", " ", ",", ".", "\n", "_", "-", "'", "字", "1"}[r.IntN(10)]
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(unicode.Scripts)) {
		s := anyOf(unicode.Scripts[name])
		ks = append(ks, kind{"script " + name, s}, kind{"script letter " + name, row(s, lower)}, kind{"script words " + name, word(s, 1, 7, " ")})
	}
	return ks
}
