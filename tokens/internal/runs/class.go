package runs

import "unicode/utf8"

// Byte classes. Bytes from 0x80 on are decoded and classed as runes.
const (
	cControl = iota
	cSpace   // space and tab
	cNewline // \r and \n
	cDigit
	cUpper
	cLower
	cPunct
	cHigh // ≥ 0x80
)

var byteClass = func() (t [256]uint8) {
	for i := range t {
		switch c := byte(i); {
		case c == ' ' || c == '\t':
			t[i] = cSpace
		case c == '\n' || c == '\r':
			t[i] = cNewline
		case c >= '0' && c <= '9':
			t[i] = cDigit
		case c >= 'A' && c <= 'Z':
			t[i] = cUpper
		case c >= 'a' && c <= 'z':
			t[i] = cLower
		case c > ' ' && c < 0x7f:
			t[i] = cPunct
		case c >= 0x80:
			t[i] = cHigh
		}
	}
	return t
}()

// Classes of runes beyond ASCII.
const (
	rBytes  = iota // nothing was learned about it: charged by its bytes
	rLetter        // letters of scripts that put spaces between words
	rGlyph         // ideographs, kana, Hangul, symbols, emoji: one parameter each
)

// classOf sorts a rune beyond ASCII.
func classOf(r rune) int {
	switch {
	case int(r>>6) < len(letterBits):
		if letterBits[r>>6]>>(r&63)&1 != 0 {
			return rLetter
		}
	case r == utf8.RuneError:
		return rBytes
	}
	if glyphIndex(r) >= 0 {
		return rGlyph
	}
	return rBytes
}

// letterBits holds the letters beyond ASCII that the fitting data has in
// quantity: those of western European languages, Russian, Arabic and Hindi. All
// others, even of the same blocks, are charged by bytes.
var letterBits = func() (t [0x980 / 64]uint64) {
	for _, b := range [...]struct{ from, to rune }{
		{0xaa, 0xaa}, {0xba, 0xba}, {0xc0, 0xd6}, {0xd8, 0xf6}, {0xf8, 0xff}, {0x131, 0x131}, {0x152, 0x153},
		{0x401, 0x401}, {0x410, 0x44f}, {0x451, 0x451},
		{0x621, 0x63a}, {0x640, 0x652},
		{0x901, 0x903}, {0x905, 0x90b}, {0x90f, 0x911}, {0x913, 0x928}, {0x92a, 0x930}, {0x932, 0x932}, {0x935, 0x939},
		{0x93c, 0x93c}, {0x93e, 0x943}, {0x945, 0x945}, {0x947, 0x949}, {0x94b, 0x94d},
	} {
		for r := b.from; r <= b.to; r++ {
			t[r>>6] |= 1 << (r & 63)
		}
	}
	return t
}()

// numLetters is how many letters letterBits holds.
const numLetters = 240

// letterPlace numbers them: each has a price of its own beside its grams, for the
// families that spell its script in bytes.
var letterPlace = func() (t [0x980]uint8) {
	n := uint8(0)
	for r := range t {
		if letterBits[r>>6]>>(r&63)&1 != 0 {
			t[r] = n
			n++
		}
	}
	return t
}()

// Blocks of glyphs, laid out one after the other in Table.Glyph.
const (
	glyphLatin  = 0                    // U+00A0..00FF
	glyphPunct  = glyphLatin + 0x60    // U+2000..2BFF
	glyphCJK    = glyphPunct + 0xc00   // U+3000..9FFF
	glyphHangul = glyphCJK + 0x7000    // U+AC00..D7A3
	glyphForms  = glyphHangul + 0x2ba4 // U+FE00..FFEF
	glyphEmoji  = glyphForms + 0x1f0   // U+1F000..1FAFF
	glyphIndic  = glyphEmoji + 0xb00   // U+0964..096F, U+0600..061F, U+06D4..06FF
	NumGlyphs   = glyphIndic + 12 + 0x20 + 0x2c
)

// glyphBlocks lists the code points that have a place in Table.Glyph.
var glyphBlocks = [...]struct{ from, to rune }{
	{0xa0, 0x100}, {0x600, 0x620}, {0x6d4, 0x700}, {0x964, 0x970}, {0x2000, 0x2c00}, {0x3000, 0xa000}, {0xac00, 0xd7a4},
	{0xfe00, 0xfeff}, {0xff00, 0xfff0}, {0x1f000, 0x1fb00},
}

// glyphIndex is the place of r in Table.Glyph, or -1.
func glyphIndex(r rune) int {
	switch {
	case r >= 0x3000 && r < 0xa000:
		return glyphCJK + int(r-0x3000)
	case r >= 0xac00 && r < 0xd7a4:
		return glyphHangul + int(r-0xac00)
	case r >= 0xa0 && r < 0x100:
		return glyphLatin + int(r-0xa0)
	case r >= 0x2000 && r < 0x2c00:
		return glyphPunct + int(r-0x2000)
	case r >= 0x1f000 && r < 0x1fb00:
		return glyphEmoji + int(r-0x1f000)
	case r >= 0xfe00 && r < 0xfff0 && r != 0xfeff:
		return glyphForms + int(r-0xfe00)
	case r >= 0x964 && r < 0x970:
		return glyphIndic + int(r-0x964)
	case r >= 0x600 && r < 0x620:
		return glyphIndic + 12 + int(r-0x600)
	case r >= 0x6d4 && r < 0x700:
		return glyphIndic + 12 + 0x20 + int(r-0x6d4)
	}
	return -1
}

// numScripts is how many prices per byte there are for runes charged by bytes.
const numScripts = 64

// scriptOf groups runes charged by bytes by their block of 256 code points:
// zero for what is no rune, the astral planes together at the end.
func scriptOf(r rune) int {
	switch {
	case r == utf8.RuneError || r < 0x100:
		return 0
	case r < 0x2000:
		return int(r >> 8)
	case r < 0x10000:
		return 32 + int(r>>11)
	}
	return min(numScripts-1, 62+int(r>>19))
}
