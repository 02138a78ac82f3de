package patterns

import (
	"encoding/binary"
	"math/bits"
	"slices"
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
	whole, six         jumps
	stem, inner, three bitmap
	always             [256]bool
	hasInner           bool
	innerMask          uint64
	innerPairs         []lanePair // the first two bytes of each inner key; nil: any may be
}

// lanePair is two bytes in a row, each in every lane.
type lanePair struct{ first, second uint64 }

// mayHaveInner reports whether the first two bytes of an inner key stand in x.
func (f *filter) mayHaveInner(x uint64) bool {
	found := uint64(0)
	for _, p := range f.innerPairs {
		apart := x ^ p.first | x>>8 ^ p.second // zero in the lane of a pair
		found |= (apart - lanes) &^ apart
	}
	return found&tops != 0 || f.innerPairs == nil
}

// pairsOf returns the beginnings of keys; nil if there are too many to try each.
func pairsOf(keys []uint64, mask uint64) []lanePair {
	var pairs []lanePair
	for _, k := range keys {
		p := lanePair{k & 0xff * lanes, k >> 8 & 0xff * lanes}
		if !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	if len(pairs) > 8 || mask < 1<<16-1 {
		return nil
	}
	return pairs
}

// distinct sorts keys and drops those that stand there twice.
func distinct(keys []uint64) []uint64 {
	slices.Sort(keys)
	return slices.Compact(keys)
}

// bitmap is a set of hashed keys, about twenty bits for each.
type bitmap struct {
	bits  []uint64
	shift uint8
}

func newBitmap(keys []uint64) bitmap {
	log := max(10, bits.Len(uint(20*len(keys))))
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

// jumps is a set of keys and the state of the automaton after each, so that a
// walk can begin there.
type jumps struct {
	maybe bitmap
	table []jump // open addressing, at most half full
}

type jump struct {
	key   uint64 // 0: free
	state int32
	cell  cell  // of the state
	space int32 // the state behind white space that follows,
	base  int32 // and its base; 0: no literal goes on so
}

func newJumps(keys []uint64, t *trie) jumps {
	log := max(3, bits.Len(uint(2*len(keys))))
	j := jumps{newBitmap(keys), make([]jump, 1<<log)}
	for _, key := range keys {
		i := j.home(key)
		for j.table[i].key != 0 {
			i = (i + 1) & j.last()
		}
		state, at := t.after(key)
		j.table[i] = jump{key: key, state: state, cell: at}
		if space := at.base + int32(t.codes[' ']); at.base > 0 && t.codes[' '] != 0 && t.cells[space].owner == state+1 {
			j.table[i].space, j.table[i].base = space, t.cells[space].base
		}
	}
	return j
}

// home is where the search for a key begins; the table's length is a power of two.
func (j *jumps) home(key uint64) uint64 { return key * spread >> 32 & j.last() }

func (j *jumps) last() uint64 { return uint64(len(j.table)) - 1 }

// after returns the jump over a key; nil if no literal begins with it.
func (j *jumps) after(key uint64) *jump {
	if !j.maybe.has(key) {
		return nil
	}
	for i := j.home(key); ; i = (i + 1) & j.last() {
		switch at := &j.table[i]; at.key {
		case key:
			return at
		case 0:
			return nil
		}
	}
}

// filterKeys collects the keys of one filter.
type filterKeys struct {
	whole, six, stem, inner, three []uint64
}

// newFilter makes the filter for the beginnings of the literals.
func newFilter(literals []literal, t *trie) filter {
	f := filter{innerMask: fourBytes}
	for _, l := range literals {
		if l.startsInside() {
			f.hasInner = true
			f.innerMask &= 1<<(8*firmPrefix(l.text, 4)) - 1
		}
	}
	keys := filterKeys{whole: make([]uint64, 0, len(literals)), six: make([]uint64, 0, len(literals))}
	for _, l := range literals {
		f.add(&keys, l)
	}
	f.whole, f.six = newJumps(distinct(keys.whole), t), newJumps(distinct(keys.six), t)
	f.innerPairs = pairsOf(keys.inner, f.innerMask)
	f.stem, f.inner, f.three = newBitmap(keys.stem), newBitmap(keys.inner), newBitmap(keys.three)
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
