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
	c := text[0]
	if c < utf8.RuneSelf {
		return asciiClass(c), 1
	}
	if 0xe3 <= c && c <= 0xe9 && len(text) >= 3 && text[1]&0xc0 == 0x80 && text[2]&0xc0 == 0x80 { // most of Chinese and Japanese
		switch r := rune(c&0xf)<<12 | rune(text[1]&0x3f)<<6 | rune(text[2]&0x3f); {
		case r >= 0x4e00, 0x3041 <= r && r <= 0x30fa && r != 0x30a0:
			return unspaced, 3
		}
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
		return asciiClass(c)
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

// asciiWord reports an ASCII letter or digit.
func asciiWord(c byte) bool { return c|0x20-'a' < 26 || c-'0' < 10 }

func asciiClass(c byte) class {
	if asciiWord(c) {
		return spaced
	}
	return other
}

// runeClass classifies a character. Hangul counts as unspaced
// although Korean has spaces: its particles are written onto the word.
func runeClass(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		return asciiClass(byte(r))
	case 0xc0 <= r && r <= 0x24f && r != '×' && r != '÷', 0x300 <= r && r <= 0x36f, // most of Latin, its marks
		0x3a3 <= r && r <= 0x3f5, 0x400 <= r && r <= 0x481, // Greek, Cyrillic
		0x5d0 <= r && r <= 0x5ea, 0x620 <= r && r <= 0x669, 0x66e <= r && r <= 0x6d3, // Hebrew, Arabic
		0x900 <= r && r <= 0x963: // Devanagari
		return spaced
	case 0x2010 <= r && r <= 0x205e, 0x3000 <= r && r <= 0x3004, 0x3008 <= r && r <= 0x3020: // punctuation
		return other
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

// anchored reports whether start is where the anchor wants it.
func anchored(text []byte, a anchor, start int) bool {
	if a == anywhere {
		return true
	}
	for i, left := start, maxMarks; ; left-- {
		if i == 0 {
			return true
		}
		r, n := utf8.DecodeLastRune(text[:i])
		switch {
		case (r == '\n' || r == '\r') && a != atPrompt:
			return true
		case a == atSentence && endsSentence(r):
			return true
		case runeClass(r) != other || left == 0:
			return false
		}
		i -= n
	}
}

// maxMarks is how many marks and blanks may stand before an anchored element.
const maxMarks = 16

func endsSentence(r rune) bool {
	switch r {
	case '.', '!', '?', ':', ';', '。':
		return true
	}
	return false
}
