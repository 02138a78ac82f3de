package guard

import "unicode"

// breakClass is the Grapheme_Cluster_Break property, UAX #29 §3.1, as far as it
// can be told from the standard library's tables.
type breakClass uint8

const (
	anyRune breakClass = iota
	cr
	lf
	control
	extend
	joiner // U+200D
	regional
	prepend
	spacing
	hangulL
	hangulV
	hangulT
	hangulLV
	hangulLVT
	pictograph // Extended_Pictographic, UTS #51
)

func classOf(r rune) breakClass {
	switch {
	case r < 0x80:
		switch {
		case r == '\r':
			return cr
		case r == '\n':
			return lf
		case r < 0x20 || r == 0x7f:
			return control
		}
		return anyRune
	case r == 0x200d:
		return joiner
	case r == 0x200c, 0x1f3fb <= r && r <= 0x1f3ff, 0xe0020 <= r && r <= 0xe007f, r == 0xff9e, r == 0xff9f:
		return extend // Grapheme_Extend, Emoji_Modifier
	case 0x1f1e6 <= r && r <= 0x1f1ff:
		return regional
	case 0x1100 <= r && r <= 0xd7fb:
		if c := hangul(r); c != anyRune {
			return c
		}
	}
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Grapheme_Extend):
		return extend
	case unicode.Is(unicode.Mc, r), r == 0xe33, r == 0xeb3:
		return spacing
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return prepend
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		return control
	case isPictograph(r):
		return pictograph
	}
	return anyRune
}

// hangul classes the letters and syllables of Korean, UAX #29 §3.1 and
// Unicode §3.12.
func hangul(r rune) breakClass {
	switch {
	case r <= 0x115f, 0xa960 <= r && r <= 0xa97c:
		return hangulL
	case r <= 0x11a7, 0xd7b0 <= r && r <= 0xd7c6:
		return hangulV
	case r <= 0x11ff, 0xd7cb <= r:
		return hangulT
	case 0xac00 <= r && r <= 0xd7a3:
		if (r-0xac00)%28 == 0 {
			return hangulLV
		}
		return hangulLVT
	}
	return anyRune
}

// isPictograph is Extended_Pictographic with the unassigned gaps of its blocks
// filled: emoji-data.txt reserves them for emoji to come.
func isPictograph(r rune) bool {
	switch {
	case r == 0xa9, r == 0xae, r == 0x203c, r == 0x2049, r == 0x2122, r == 0x2139, r == 0x3030, r == 0x303d, r == 0x3297, r == 0x3299:
		return true
	case 0x2194 <= r && r <= 0x21aa, 0x231a <= r && r <= 0x2328, 0x23cf <= r && r <= 0x23f3, 0x23f8 <= r && r <= 0x23fa, r == 0x24c2:
		return true
	case 0x25aa <= r && r <= 0x25fe, 0x2600 <= r && r <= 0x27bf, 0x2934 <= r && r <= 0x2935, 0x2b05 <= r && r <= 0x2b55:
		return true
	}
	return 0x1f000 <= r && r <= 0x1faff || 0x1fc00 <= r && r <= 0x1fffd
}

// isConsonant and isLinker are Indic_Conjunct_Break, UAX #44, for the six scripts
// that have it: the letters that a virama joins to one cluster.
func isConsonant(r rune) bool {
	if r < 0x915 || r > 0xd3a {
		return false
	}
	switch block := r &^ 0x7f; block {
	case 0x900, 0x980, 0xa80, 0xb00, 0xc00, 0xd00:
		at := r - block
		return 0x15 <= at && at <= 0x39 || 0x58 <= at && at <= 0x5f && block != 0xd00 || r == 0xd3a ||
			block == 0x900 && at >= 0x78 || r == 0x9f0 || r == 0x9f1 || r == 0xaf9 || r == 0xb71
	}
	return false
}

func isLinker(r rune) bool {
	switch r {
	case 0x94d, 0x9cd, 0xacd, 0xb4d, 0xc4d, 0xd4d:
		return true
	}
	return false
}

// clusters walks extended grapheme clusters, UAX #29 §3.1.1.
type clusters struct {
	prev     breakClass
	regions  int  // regional indicators in a row, up to prev
	emoji    bool // prev ends a pictograph with its extenders,
	joined   bool // and a joiner behind it
	conjunct conjunct
	anything bool
}

// conjunct is how far a conjunct of GB9c has come.
type conjunct uint8

const (
	noConjunct conjunct = iota
	consonant           // and what extends it
	linked              // with a linker among that
)

// boundary reports whether a cluster begins with r, which follows what came in
// the calls before.
func (c *clusters) boundary(r rune) bool {
	class := classOf(r)
	b := !c.anything || c.breaks(class)
	c.anything = true
	switch {
	case isConsonant(r):
		b = b && c.conjunct != linked // GB9c
		c.conjunct = consonant
	case isLinker(r) && c.conjunct != noConjunct:
		c.conjunct = linked
	case class != extend && class != joiner || r == 0x200c:
		c.conjunct = noConjunct
	}
	if class == regional {
		c.regions++
	} else {
		c.regions = 0
	}
	switch class {
	case pictograph:
		c.emoji, c.joined = true, false
	case extend:
		c.joined = false
	case joiner:
		c.joined = c.emoji
	default:
		c.emoji, c.joined = false, false
	}
	c.prev = class
	return b
}

func (c *clusters) breaks(next breakClass) bool {
	prev := c.prev
	switch {
	case prev == cr && next == lf: // GB3
		return false
	case prev == cr, prev == lf, prev == control, next == cr, next == lf, next == control: // GB4, GB5
		return true
	case prev == hangulL && (next == hangulL || next == hangulV || next == hangulLV || next == hangulLVT), // GB6
		(prev == hangulLV || prev == hangulV) && (next == hangulV || next == hangulT), // GB7
		(prev == hangulLVT || prev == hangulT) && next == hangulT:                     // GB8
		return false
	case next == extend, next == joiner, next == spacing, prev == prepend: // GB9, GB9a, GB9b
		return false
	case next == pictograph && c.joined: // GB11
		return false
	case prev == regional && next == regional: // GB12, GB13
		return c.regions%2 == 0
	}
	return true
}

// cutAt is the longest beginning of text that has at most limit runes and ends
// where a cluster does. A first cluster that is longer than the limit is cut
// within, so that no pile of marks defeats a limit.
func cutAt(text string, limit int) int {
	var c clusters
	end, n := 0, 0
	for i, r := range text {
		if c.boundary(r) {
			end = i
		}
		if n == limit {
			if end == 0 {
				return i
			}
			return end
		}
		n++
	}
	return len(text)
}
