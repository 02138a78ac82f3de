package patterns

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// filter answers whether a literal may begin at a place: no, or maybe. It never
// loses one. It looks at the first bytes alone:
//
//   - of an ASCII word, at all of it up to eight bytes (whole), or at its first
//     four if a literal may end inside a word (stem)
//   - inside a word, at four bytes (inner), or fewer if a literal is shorter
//   - of other scripts and marks, at six bytes, or three
//
// A literal too short for its kind makes its first byte pass always.
type filter struct {
	whole, stem, inner bitmap
	six, three         bitmap
	always             [256]bool
	hasInner           bool
	innerMask          uint64
}

// bitmap is a set of hashed keys, about twenty bits for each.
type bitmap struct {
	bits  []uint64
	shift uint8
}

func newBitmap(keys []uint64) bitmap {
	log := max(6, bits.Len(uint(20*len(keys))))
	b := bitmap{make([]uint64, 1<<(log-6)), uint8(64 - log)}
	for _, k := range keys {
		h := k * spread >> b.shift
		b.bits[h>>6] |= 1 << (h & 63)
	}
	return b
}

const spread = 0x9e3779b97f4a7c15 // 2^64 / golden ratio

func (b *bitmap) has(key uint64) bool {
	h := key * spread >> b.shift
	i := h >> 6
	return i < uint64(len(b.bits)) && b.bits[i]>>(h&63)&1 != 0
}

// Eight bytes at a time: the lanes of a word of 64 bits.
const (
	lanes = 0x0101010101010101
	tops  = 0x80 * lanes
)

// load returns the eight bytes at i, as if zeros followed the text.
func load(text []byte, i int) uint64 {
	if i+8 <= len(text) {
		return binary.LittleEndian.Uint64(text[i:])
	}
	var x uint64
	for k, c := range text[i:] {
		x |= uint64(c) << (8 * k)
	}
	return x
}

// alnum has the top bit of each lane that holds an ASCII letter or digit.
func alnum(x uint64) uint64 {
	low := x &^ tops
	letter := low | 0x20*lanes
	letter = (letter + (0x80-'a')*lanes) &^ (letter + (0x80-'z'-1)*lanes)
	digit := (low + (0x80-'0')*lanes) &^ (low + (0x80-'9'-1)*lanes)
	return (letter | digit) & tops &^ x
}

// wordKey returns the ASCII letters and digits that x begins with, and zeros.
func wordKey(x uint64) uint64 {
	n := bits.TrailingZeros64(alnum(x)^tops) &^ 7 // 64 if all eight are
	return x & (1<<n - 1)
}

const fourBytes = 1<<32 - 1
const sixBytes = 1<<48 - 1
const threeBytes = 1<<24 - 1

// filterKeys collects the keys of one filter.
type filterKeys struct{ whole, stem, inner, six, three []uint64 }

// newFilter makes the filter for the beginnings of the literals.
func newFilter(literals []literal) filter {
	f := filter{innerMask: fourBytes}
	for _, l := range literals {
		if l.startsInside() {
			f.hasInner = true
			f.innerMask &= 1<<(8*firmPrefix(l.text, 4)) - 1
		}
	}
	var keys filterKeys
	for _, l := range literals {
		f.add(&keys, l)
	}
	f.whole, f.stem, f.inner = newBitmap(keys.whole), newBitmap(keys.stem), newBitmap(keys.inner)
	f.six, f.three = newBitmap(keys.six), newBitmap(keys.three)
	return f
}

func (f *filter) add(keys *filterKeys, l literal) {
	x := load([]byte(l.text[:min(8, len(l.text))]), 0)
	first := l.text[0]
	if l.startsInside() {
		keys.inner = append(keys.inner, x&f.innerMask)
	}
	if asciiWord(first) {
		f.addWord(keys, l, wordKey(x))
		return
	}
	switch n := firmPrefix(l.text, 6); {
	case first < utf8.RuneSelf:
		f.always[first] = true
	case n == 6:
		keys.six = append(keys.six, x&sixBytes)
	case n >= 3:
		keys.three = append(keys.three, x&threeBytes)
	default:
		f.always[first] = true
	}
}

// addWord adds the key of a literal that begins with an ASCII word.
func (f *filter) addWord(keys *filterKeys, l literal, key uint64) {
	n := 0
	for n < len(l.text) && asciiWord(l.text[n]) {
		n++
	}
	switch {
	case n < len(l.text) || !l.openEnd:
		keys.whole = append(keys.whole, key)
	case n >= 4:
		keys.stem = append(keys.stem, key&fourBytes)
	case n == 3:
		for c := range uint64(utf8.RuneSelf) { // whatever may follow
			if c == 0 || asciiWord(byte(c)) {
				keys.stem = append(keys.stem, key|c<<24)
			}
		}
	default:
		f.always[l.text[0]] = true
	}
}

// firmPrefix is the number of bytes, at most n, before the first white space of
// a literal, which stands for more than itself.
func firmPrefix(text string, n int) int {
	n = min(n, len(text))
	if i := strings.IndexByte(text[:n], ' '); i >= 0 {
		return i
	}
	return n
}
