package main

import (
	"log"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
)

// reason says why a rune changes; package fold repeats the order in signs.go.
type reason uint8

const (
	plain      reason = iota // accents, case, quotes: nothing to remark on
	invisible                // draws nothing
	tag                      // an ASCII character in disguise
	variation                // a variation selector
	bidi                     // turns the direction of the text
	confusable               // looks like an ASCII letter or digit
	compatible               // NFKC changes it
	broken                   // U+FFFD
)

// folder decides what one rune becomes.
type folder struct {
	skeletons map[rune]string
	caser     cases.Caser
}

func newFolder(skeletons map[rune]string) *folder {
	f := &folder{skeletons, cases.Fold()}
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		text, _ := f.fold(r)
		for _, x := range text {
			if again, _ := f.fold(x); again != string(x) {
				log.Fatalf("%U folds to %+q, of which %U folds to %+q", r, text, x, again)
			}
		}
	}
	return f
}

// fold returns what r becomes, never longer than twice r, and why.
func (f *folder) fold(r rune) (string, reason) {
	if !isScalar(r) {
		return "", plain
	}
	text, why := f.whole(r)
	limit := 2 * utf8.RuneLen(r)
	cut := 0
	for i, x := range text {
		if i+utf8.RuneLen(x) <= limit {
			cut = i + utf8.RuneLen(x)
		}
	}
	return text[:cut], why
}

func (f *folder) whole(r rune) (string, reason) {
	switch {
	case r < 0x80:
		return asciiFold(r), plain
	case r == utf8.RuneError:
		return "", broken
	case 0xE0020 <= r && r <= 0xE007E:
		return asciiFold(r - 0xE0000), tag
	case 0xE0000 <= r && r <= 0xE007F:
		return "", tag
	case unicode.Is(unicode.Variation_Selector, r):
		return "", variation
	case unicode.Is(unicode.Bidi_Control, r):
		return "", bidi
	case isIgnorable(r):
		return "", invisible
	case r == 0x85 || r == 0x2028 || r == 0x2029:
		return "\n", plain
	case unicode.IsSpace(r):
		return " ", plain
	}
	if s, ok := typographic[r]; ok {
		return s, plain
	}
	if letter := strings.IndexByte(braille, byte(r)); r>>8 == 0x28 && letter >= 0 {
		return string(rune('a' + letter)), confusable
	}
	parts := norm.NFKD.String(string(r))
	if parts != string(r) {
		return f.composed(r, parts)
	}
	if s, ok := f.lookalike(r); ok {
		return s, confusable
	}
	if s, ok := byName(r); ok {
		return s, plain
	}
	if lower := f.lower(string(r)); lower != string(r) {
		return f.each(lower), plain
	}
	return string(r), plain
}

// composed folds a rune that Unicode takes apart.
func (f *folder) composed(r rune, parts string) (string, reason) {
	text := f.each(parts)
	if s, ok := f.lookalike(r); ok && !isASCII(text) {
		return s, confusable
	}
	if norm.NFD.String(string(r)) != parts {
		return text, compatible
	}
	return text, plain
}

// each folds the parts of a rune, and strips the marks from the bases that do without.
func (f *folder) each(parts string) string {
	var b strings.Builder
	base := rune(0)
	for _, x := range parts {
		s, _ := f.whole(x)
		for _, y := range s {
			if !isMark(y) {
				base = y
			} else if base != 0 && (base < 0x80 || isAlphabet(base)) {
				continue
			}
			b.WriteRune(y)
		}
	}
	return norm.NFC.String(b.String())
}

// lower is Unicode's full case folding, but for Cherokee, which folds to capitals.
func (f *folder) lower(s string) string {
	if unicode.Is(unicode.Cherokee, firstRune(s)) {
		return strings.ToLower(s)
	}
	return f.caser.String(s)
}

// lookalike returns the ASCII letter or digit that r can be mistaken for. Ideographs, kana and
// hangul are left alone: there the likeness is an accident (〇, 丨), and honest text is full of them.
func (f *folder) lookalike(r rune) (string, bool) {
	if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) {
		return "", false
	}
	skeleton, ok := f.skeletons[r]
	if !ok {
		return "", false
	}
	var bare []rune
	for _, x := range norm.NFKD.String(skeleton) {
		if !isMark(x) {
			bare = append(bare, x)
		}
	}
	if len(bare) != 1 {
		return "", false
	}
	one := bare[0]
	if one >= 0x80 {
		if one == r {
			return "", false
		}
		s, ok := f.lookalike(one)
		if !ok {
			s, ok = byName(one)
		}
		return s, ok && len(s) == 1
	}
	if !('a' <= one|0x20 && one|0x20 <= 'z' || '0' <= one && one <= '9') {
		return "", false
	}
	if one == 'l' && unicode.IsUpper(r) {
		one = 'i' // UTS #39 takes I for l; a capital that looks like it is an I
	}
	return asciiFold(one), true
}

// named matches Latin letters that carry a stroke, hook, frame or turn: a base letter for an eye.
var named = regexp.MustCompile(`^(?:(?:NEGATIVE |)(?:CIRCLED|SQUARED|) ?LATIN (?:CAPITAL |SMALL |)LETTER (?:SMALL CAPITAL |DOTLESS |TURNED |REVERSED |SIDEWAYS |SCRIPT |INSULAR |LONG |)([A-Z])(?: WITH .*|)|REGIONAL INDICATOR SYMBOL LETTER ([A-Z]))$`)

func byName(r rune) (string, bool) {
	if s, ok := latin[r]; ok {
		return s, true
	}
	m := named.FindStringSubmatch(runenames.Name(r))
	if m == nil {
		return "", false
	}
	return strings.ToLower(m[1] + m[2]), true
}

// latin holds the letters that no table decomposes.
var latin = map[rune]string{
	'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ð': "d", 'Ð': "d",
	'ŋ': "n", 'Ŋ': "n", 'ĸ': "k", 'ĳ': "ij", 'ı': "i",
}

// typographic holds the quotes, dashes and dots that people and editors put for the ASCII ones.
var typographic = map[rune]string{
	'‘': "'", '’': "'", '‚': "'", '‛': "'", '′': "'", 'ʼ': "'", '‹': "'", '›': "'", '´': "'", 'ʻ': "'",
	'“': `"`, '”': `"`, '„': `"`, '‟': `"`, '«': `"`, '»': `"`, '″': `"`,
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-", '⁃': "-", '\u2044': "/", '∕': "/",
	'·': ".", '•': ".", '∙': ".", '⋅': ".", '‧': ".", // also the dots of Morse code
	0x2800: " ", // the blank of Braille, which nobody sees
}

// braille holds the letters a to z of Braille, as bits of the dots that are raised.
const braille = "\x01\x03\x09\x19\x11\x0b\x1b\x13\x0a\x1a\x05\x07\x0d\x1d\x15\x0f\x1f\x17\x0e\x1e\x25\x27\x3a\x2d\x3d\x35"

// isIgnorable is Default_Ignorable_Code_Point (DerivedCoreProperties.txt) and the controls.
func isIgnorable(r rune) bool {
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) && !(0xFFF9 <= r && r <= 0xFFFB) && !(0x13430 <= r && r <= 0x1343F) ||
		unicode.Is(unicode.Cc, r) && r != 0x85 || r == 0x034F || 0xFFF0 <= r && r <= 0xFFFB
}

// isMark says whether r may be stripped from a base letter.
func isMark(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me) || norm.NFC.PropertiesString(string(r)).CCC() > 0
}

// isAlphabet names the scripts whose letters are read the same without their marks.
func isAlphabet(r rune) bool { return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) }

func isScalar(r rune) bool { return r <= unicode.MaxRune && !(0xD800 <= r && r <= 0xDFFF) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return s != ""
}

func asciiFold(r rune) string {
	switch {
	case r == '\n' || r == '\r' || r == '\v' || r == '\f':
		return "\n"
	case r == '\t':
		return " "
	case r < ' ' || r == 0x7F:
		return ""
	}
	return string(unicode.ToLower(r))
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// lastBase is the last rune of s that is no mark.
func lastBase(s string) rune {
	base := firstRune(s)
	for _, r := range s {
		if !isMark(r) {
			base = r
		}
	}
	return base
}
