package output

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/fold"
)

// kind is what a rune is to a reader of words.
type kind uint8

const (
	separator kind = iota // ends a word
	nothing               // is not seen: zero-width, soft hyphen, combining mark
	letter                // goes on with a word
	word                  // is a word by itself: Han, kana
)

// seen is a rune as a reader sees it: what it is, and the rune that stands for
// it: a lower-case ASCII letter or digit wherever one is meant.
type seen struct {
	rune rune
	kind kind
}

// see reads one rune of any script.
func see(r rune) seen {
	switch {
	case r < utf8.RuneSelf:
		return ascii(byte(r))
	case r < foldedBelow:
		return folded()[r]
	case r >= 0x1D400 && r < 0x1D800: // mathematical letters
		return foldRune(r)
	case unicode.In(r, unicode.Han):
		return seen{r, word}
	}
	return classify(r)
}

func ascii(b byte) seen {
	switch {
	case b >= 'a' && b <= 'z', b >= '0' && b <= '9':
		return seen{rune(b), letter}
	case b >= 'A' && b <= 'Z':
		return seen{rune(b) | 0x20, letter}
	}
	return seen{}
}

// foldedBelow is where the table of folded runes ends: below lie all the scripts
// with look-alikes of ASCII but the mathematical letters, and the fullwidth forms.
const foldedBelow = 0x10000

// folded returns the runes below foldedBelow as package fold reads each alone.
// The table is made when the first character beyond ASCII comes, and never changes.
var folded = sync.OnceValue(func() []seen {
	table := make([]seen, foldedBelow)
	for r := range rune(foldedBelow) {
		switch {
		case r < utf8.RuneSelf:
			table[r] = ascii(byte(r))
		case r >= 0x3400 && r < 0xA000:
			table[r] = seen{r, word}
		case r >= 0xAC00 && r < 0xE000:
			table[r] = classify(r)
		default:
			table[r] = foldRune(r)
		}
	}
	return table
})

// foldRune reads r as the first letter that package fold makes of it.
func foldRune(r rune) seen {
	var text fold.Text
	text.Reset(string(r))
	first, _ := utf8.DecodeRune(text.Main().Text)
	if first < utf8.RuneSelf {
		if s := ascii(byte(first)); s.kind == letter && len(text.Main().Text) > 0 {
			return s
		}
	}
	if len(text.Main().Text) == 0 {
		return seen{0, nothing}
	}
	return classify(unicode.ToLower(r))
}

func classify(r rune) seen {
	switch {
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return seen{r, word}
	case unicode.IsLetter(r), unicode.IsDigit(r):
		return seen{unicode.ToLower(r), letter}
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return seen{0, nothing}
	}
	return seen{}
}
