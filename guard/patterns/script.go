package patterns

import (
	"unicode"
	"unicode/utf8"
)

// class says how a character takes part in words.
type class uint8

const (
	other    class = iota // white space, marks of punctuation, symbols
	spaced                // letters and digits of scripts that put spaces between words
	unspaced              // characters of scripts that do not
)

// classOf returns the class of the first character of text and its length.
func classOf(text []byte) (class, int) {
	if c := text[0]; c < utf8.RuneSelf {
		return asciiClass[c], 1
	}
	r, n := utf8.DecodeRune(text)
	return runeClass(r), n
}

// classBefore returns the class of the character that ends at i; other at the
// start of the text.
func classBefore(text []byte, i int) class {
	if i == 0 {
		return other
	}
	if c := text[i-1]; c < utf8.RuneSelf {
		return asciiClass[c]
	}
	r, _ := utf8.DecodeLastRune(text[:i])
	return runeClass(r)
}

// classAt returns the class of the character that begins at i; other at the end.
func classAt(text []byte, i int) class {
	if i >= len(text) {
		return other
	}
	c, _ := classOf(text[i:])
	return c
}

var asciiClass = func() (t [utf8.RuneSelf]class) {
	for c := range t {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			t[c] = spaced
		}
	}
	return t
}()

// runeClass classifies a character beyond ASCII. Hangul counts as unspaced
// although Korean has spaces: its particles are written onto the word.
func runeClass(r rune) class {
	switch {
	case r < 0x0e00:
	case r <= 0x0eff, // Thai, Lao
		0x1000 <= r && r <= 0x109f,                // Myanmar
		0x1100 <= r && r <= 0x11ff,                // Hangul Jamo
		0x1780 <= r && r <= 0x17ff,                // Khmer
		0x3005 <= r && r <= 0x3007,                // 々〆〇
		0x3041 <= r && r <= 0x309f,                // Hiragana
		0x30a1 <= r && r <= 0x30ff && r != 0x30fb, // Katakana without the middle dot
		0x3105 <= r && r <= 0x318f,                // Bopomofo, Hangul compatibility
		0x31a0 <= r && r <= 0x31ff && r < 0x31c0,
		0x3400 <= r && r <= 0x4dbf,
		0x4e00 <= r && r <= 0xa4cf, // Han, Yi
		0xac00 <= r && r <= 0xd7ff,
		0xf900 <= r && r <= 0xfaff,
		0x20000 <= r && r <= 0x3ffff:
		return unspaced
	}
	if unicode.In(r, unicode.L, unicode.M, unicode.N) {
		return spaced
	}
	return other
}

// isSpace reports white space, as it is left after folding.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// Gaps are counted in half words: a word of a spaced script weighs two, a
// character of an unspaced one weighs one, both where they begin.
const wordWeight = 2
