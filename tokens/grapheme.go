package tokens

import (
	"unicode"
	"unicode/utf8"
)

// maxCluster bounds how far a cut looks back for the start of a grapheme
// cluster. A longer pile of marks (UAX #15 calls 30 the most that text needs)
// is cut between two of its runes.
const maxCluster = 1 << 10

// boundaryBefore returns the last boundary between grapheme clusters at or
// before byte i (UAX #29 §3.1.1).
func boundaryBefore(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	for i > 0 && !utf8.RuneStart(s[i]) && i > len(s)-utf8.UTFMax {
		i--
	}
	for k := 0; k < utf8.UTFMax-1 && i > 0 && !utf8.RuneStart(s[i]); k++ {
		i--
	}
	start := i
	for i > 0 && !boundary(s, i) {
		_, n := utf8.DecodeLastRuneInString(s[:i])
		if i -= n; start-i > maxCluster {
			return start
		}
	}
	return max(i, 0)
}

// boundary reports whether a cluster may end before byte i, which is inside s
// and on a rune.
func boundary(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i:])
	switch {
	case before == '\r' && after == '\n': // GB3
		return false
	case control(before) || control(after): // GB4, GB5
		return true
	case hangulJoins(before, after): // GB6–GB8
		return false
	case extends(after) || after == zwj || spacing(after): // GB9, GB9a
		return false
	case prepends(before): // GB9b
		return false
	case unicode.Is(unicode.Lo, after) && conjunct(s[:i]): // GB9c
		return false
	case before == zwj && pictographic(after): // GB11
		return !pictureBeforeZWJ(s[:i-len("\u200d")])
	case regional(before) && regional(after): // GB12, GB13
		return regionalRun(s[:i])%2 == 0
	}
	return true // GB999
}

const zwj = '\u200d'

func control(r rune) bool {
	switch {
	case r == zwj || r == '\u200c' || r >= 0xe0020 && r <= 0xe007f || prepends(r):
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// extends is Grapheme_Cluster_Break=Extend.
func extends(r rune) bool {
	if r < 0x300 {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Grapheme_Extend) || r == '\u200c' ||
		r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f
}

// spacing is Grapheme_Cluster_Break=SpacingMark: Thai and Lao AM besides Mc.
func spacing(r rune) bool { return r == 0xe33 || r == 0xeb3 || unicode.Is(unicode.Mc, r) }

func prepends(r rune) bool {
	return r >= 0x600 && unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// pictographic is Extended_Pictographic, by the blocks that hold it.
func pictographic(r rune) bool {
	switch {
	case r >= 0x1f000 && r <= 0x1faff:
		return !regional(r) && (r < 0x1f3fb || r > 0x1f3ff)
	case r >= 0x2190 && r <= 0x2bff:
		return unicode.In(r, unicode.So, unicode.Sm)
	}
	return r == 0xa9 || r == 0xae || r == 0x203c || r == 0x2049 || r == 0x2122 || r == 0x2139 ||
		r == 0x3030 || r == 0x303d || r == 0x3297 || r == 0x3299
}

// hangulJoins is GB6–GB8: leading consonant, vowel, trailing consonant.
func hangulJoins(a, b rune) bool {
	if b < 0x1100 {
		return false
	}
	switch hangul(a) {
	case 'L':
		return hangul(b) != 'T' && hangul(b) != 0
	case 'V', '2':
		return hangul(b) == 'V' || hangul(b) == 'T'
	case 'T', '3':
		return hangul(b) == 'T'
	}
	return false
}

func hangul(r rune) byte {
	switch {
	case r >= 0x1100 && r < 0x1160, r >= 0xa960 && r < 0xa97d:
		return 'L'
	case r >= 0x1160 && r < 0x11a8, r >= 0xd7b0 && r < 0xd7c7:
		return 'V'
	case r >= 0x11a8 && r < 0x1200, r >= 0xd7cb && r < 0xd7fc:
		return 'T'
	case r >= 0xac00 && r < 0xd7a4:
		if (r-0xac00)%28 == 0 {
			return '2' // LV
		}
		return '3' // LVT
	}
	return 0
}

// virama lists the Indic_Conjunct_Break=Linker of the scripts that GB9c names.
func virama(r rune) bool {
	switch r {
	case 0x94d, 0x9cd, 0xacd, 0xb4d, 0xc4d, 0xd4d:
		return true
	}
	return false
}

// conjunct reports whether s ends in an Indic consonant, a linker, and marks
// only around it.
func conjunct(s string) bool {
	linked := false
	for n := 0; len(s) > 0 && n < maxCluster; n++ {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		switch {
		case virama(r):
			linked = true
		case extends(r) || r == zwj:
		default:
			return linked && r >= 0x900 && r < 0xd80 && unicode.Is(unicode.Lo, r)
		}
	}
	return false
}

func pictureBeforeZWJ(s string) bool {
	for n := 0; len(s) > 0 && n < maxCluster; n++ {
		r, size := utf8.DecodeLastRuneInString(s)
		if !extends(r) {
			return pictographic(r)
		}
		s = s[:len(s)-size]
	}
	return false
}

func regionalRun(s string) (n int) {
	for len(s) > 0 && n < 1<<16 {
		r, size := utf8.DecodeLastRuneInString(s)
		if !regional(r) {
			break
		}
		s = s[:len(s)-size]
		n++
	}
	return n
}
