package structure

import (
	"unicode"

	"github.com/llmaas/llmaas-go/guard/fold"
)

// class is what matters of a character to the Unicode walk.
type class uint8

const (
	other      class = iota // no part of a word written in an alphabet with look-alikes
	latin                   // a Latin letter
	twin                    // a letter of another alphabet that passes for a Latin one
	foreign                 // a letter of such an alphabet that does not
	mark                    // a combining mark of Latin, Greek and Cyrillic
	invisible               // leaves no trace on the screen
	selector                // a variation selector
	tag                     // a Unicode tag character, invisible ASCII
	override                // a bidirectional override
	styled                  // a Latin letter of a mathematical alphabet
	compatible              // another letter that NFKC turns into Latin ones: fullwidth, circled, ligatures
)

// alphabets are the scripts whose letters share shapes with Latin ones, UTS #39
// §4, as far as real keyboards and known attacks use them.
var alphabets = []*unicode.RangeTable{
	unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu, unicode.Georgian,
}

// classes says of each character what class it has.
type classes struct {
	pages  [256]*[256]class // of the first plane; nil holds nothing but other
	passes map[rune]byte    // the small ASCII letter that a twin passes for
}

func newClasses() *classes {
	t := &classes{passes: map[rune]byte{}}
	t.fill(unicode.Latin, latin)
	for _, script := range alphabets {
		t.fill(script, foreign)
		t.findTwins(script)
	}
	for _, r := range [][2]rune{{0x300, 0x36f}, {0x483, 0x489}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f}} {
		t.set(r[0], r[1], mark)
	}
	// Default_Ignorable_Code_Point, UAX #44, without what other classes name.
	for _, r := range [][2]rune{{0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180e, 0x180e},
		{0x200b, 0x200f}, {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}} {
		t.set(r[0], r[1], invisible)
	}
	for _, r := range [][2]rune{{0x249c, 0x24e9}, {0xfb00, 0xfb06}, {0xff21, 0xff3a}, {0xff41, 0xff5a}} {
		t.set(r[0], r[1], compatible)
	}
	t.set(0xfe00, 0xfe0f, selector)
	t.set(0x180b, 0x180d, selector)
	t.set(0x202d, 0x202e, override)
	return t
}

func (t *classes) set(first, last rune, c class) {
	for r := first; r <= last; r++ {
		page := &t.pages[r>>8]
		if *page == nil {
			*page = new([256]class)
		}
		(*page)[r&0xff] = c
	}
}

// fill classes the letters of a script.
func (t *classes) fill(script *unicode.RangeTable, c class) {
	eachRune(script, func(r rune) {
		if unicode.IsLetter(r) {
			t.set(r, r, c)
		}
	})
}

// findTwins asks folding, so that both layers mean the same by a look-alike.
func (t *classes) findTwins(script *unicode.RangeTable) {
	var folded fold.Text
	eachRune(script, func(r rune) {
		if !unicode.IsLetter(r) {
			return
		}
		folded.Reset("x" + string(r) + "x")
		if v := folded.Main().Text; len(v) == 3 && 'a' <= v[1] && v[1] <= 'z' {
			t.set(r, r, twin)
			t.passes[r] = v[1]
		}
	})
}

func eachRune(script *unicode.RangeTable, do func(rune)) {
	for _, span := range script.R16 {
		for r := rune(span.Lo); r <= rune(span.Hi); r += rune(span.Stride) {
			do(r)
		}
	}
}

func (t *classes) of(r rune) class {
	if r < 1<<16 {
		if page := t.pages[r>>8]; page != nil {
			return page[r&0xff]
		}
		return other
	}
	switch {
	case 0x1d400 <= r && r <= 0x1d7cb:
		return styled
	case 0x1f110 <= r && r <= 0x1f189:
		return compatible
	case 0xe0020 <= r && r <= 0xe007f:
		return tag
	case 0xe0100 <= r && r <= 0xe01ef:
		return selector
	}
	return other
}
