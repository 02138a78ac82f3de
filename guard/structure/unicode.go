package structure

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/check"
)

// walker reads the characters beyond ASCII, and the words they stand in, once
// and in order.
type walker struct {
	classes *classes
	src     string
	found   *findings
	done    int // everything before was judged
	hidden  int // invisible characters inside Latin words so far
	turned  int // runs of overrides so far
}

// inspectUnicode judges the characters of src.
func (c *Check) inspectUnicode(src string, found *findings) {
	w := walker{classes: c.classes, src: src, found: found}
	for i := nextWide(src, 0); i < len(src); i = nextWide(src, w.done) {
		r, size := utf8.DecodeRuneInString(src[i:])
		switch w.classes.of(r) {
		case other:
			if r == utf8.RuneError && size == 1 {
				w.invalid(i)
				continue
			}
			w.done = i + size
		case tag:
			w.tags(i)
		case override:
			w.override(i)
		default:
			w.word(i)
		}
	}
	w.escapes()
}

// nextWide is the place of the first byte of src from i on that is not ASCII.
func nextWide(src string, i int) int {
	for ; i+8 <= len(src); i += 8 { // the compiler makes one load of the eight
		s := src[i : i+8]
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		if x&0x8080808080808080 != 0 {
			i += bits.TrailingZeros64(x&0x8080808080808080) / 8
			return i
		}
	}
	for i < len(src) && src[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// invalid passes a run of bytes that are no UTF-8.
func (w *walker) invalid(i int) {
	start := i
	for i < len(w.src) {
		r, size := utf8.DecodeRuneInString(w.src[i:])
		if r != utf8.RuneError || size != 1 {
			break
		}
		i++
	}
	w.done = i
	w.found.at(invalidUTF8, check.Low, start, i)
}

// tags passes a run of tag characters. Their one honest use is the flag of a
// region behind a black flag, at most six letters and an end, UTS #51 §C.1.
func (w *walker) tags(i int) {
	const blackFlag = "\U0001f3f4"
	start, n, last := i, 0, rune(0)
	for i < len(w.src) {
		r, size := utf8.DecodeRuneInString(w.src[i:])
		if w.classes.of(r) != tag {
			break
		}
		i, n, last = i+size, n+1, r
	}
	w.done = i
	flag := start >= len(blackFlag) && w.src[start-len(blackFlag):start] == blackFlag
	if !flag || n > 7 || last != 0xe007f {
		w.found.at(tagCharacters, check.High, start, i)
	}
}

const manyOverrides = 64

// override judges a run of bidirectional overrides, UAX #9 §2.2, by the first
// letter behind it: only letters that run from right to left have a use for one,
// and no text has for more than manyOverrides.
func (w *walker) override(i int) {
	start := i
	for i < len(w.src) {
		r, size := utf8.DecodeRuneInString(w.src[i:])
		if w.classes.of(r) != override {
			break
		}
		i += size
	}
	w.done = i
	if w.turned++; w.turned > manyOverrides {
		w.found.at(bidiOverride, check.High, start, i)
		return
	}
	severity := check.Medium
	behind := w.src[i:min(len(w.src), i+24)]
	if at := strings.IndexFunc(behind, unicode.IsLetter); at >= 0 {
		r, _ := utf8.DecodeRuneInString(behind[at:])
		if !unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam) {
			severity = check.High
		}
	}
	w.found.at(bidiOverride, severity, start, i)
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
