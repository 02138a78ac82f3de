package patterns

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// blockSize is how many bytes are sorted into kinds at a time: one bit each.
const blockSize = 64

// scan looks for the literals in one view.
func (w *work) scan(text []byte) {
	w.begin(text)
	before := uint64(0) // top bit of the first lane: the byte before is of an ASCII word
	for at := 0; at < len(text); at += blockSize {
		block := text[at:]
		if len(block) < blockSize {
			clear(w.tail[copy(w.tail[:], block):])
			block = w.tail[:]
		}
		var starts uint64
		for i := 0; i < blockSize; i += 8 {
			x := load(block, i)
			word := alnum(x)
			starts |= gather(word&^(word<<8|before)|marks(x)&^word|leads(x)) << i
			before = word >> 56
		}
		for ; starts != 0; starts &= starts - 1 {
			i := at + bits.TrailingZeros64(starts)
			switch c := text[i]; {
			case asciiWord(c):
				w.word(i)
			case c >= utf8.RuneSelf:
				w.character(i)
			case w.filter.always[c]:
				w.enter(i, w.units, false)
			}
		}
	}
	w.arrive(int32(len(text)))
	w.tokens.end(w, len(text))
	for _, m := range w.flooded {
		w.found[m.rule] = insert(w.found[m.rule], m.mark)
		w.touched = append(w.touched, m.rule)
	}
	slices.Sort(w.touched)
	w.touched = slices.Compact(w.touched)
}

// marks has the top bit of each lane that holds ASCII, but neither white space
// nor a control character.
func marks(x uint64) uint64 { return ((x &^ tops) + (0x80-'!')*lanes) & tops &^ x }

// leads has the top bit of each lane that begins a character beyond ASCII.
func leads(x uint64) uint64 { return x & (x << 1) & tops }

// gather moves the top bits of the lanes into the low byte.
func gather(x uint64) uint64 { return (x >> 7) * 0x0102040810204080 >> 56 }

// word looks at the ASCII word that begins, or goes on, at i.
func (w *work) word(i int) {
	f := &w.filter
	x := load(w.text, i)
	key := wordKey(x)
	if i > 0 && w.text[i-1] >= utf8.RuneSelf && classBefore(w.text, i) == spaced {
		w.inner(i)
	} else {
		units := w.units
		w.units += wordWeight
		if w.watch > 0 {
			w.tokens.word(w, i, key)
		}
		if f.stem.has(key&fourBytes) || f.always[w.text[i]] {
			w.enter(i, units, false)
		} else if to := f.whole.after(key); to != nil {
			w.jump(to, i, i+bytesOf(key), units)
		}
	}
	if f.hasInner {
		w.inners(i, x, bytesOf(key))
	}
}

// bytesOf is the number of bytes of a key of a word.
func bytesOf(key uint64) int { return (bits.Len64(key) + 7) / 8 }

// inners looks for literals that begin inside the word at i, of which the first
// n bytes are known to be of ASCII words and x are the first eight.
func (w *work) inners(i int, x uint64, n int) {
	const stride = 7 // a pair of bytes may stand across the end of x
	for from := i; ; from += stride {
		if w.filter.mayHaveInner(x) {
			for k := max(from, i+1); k < len(w.text) && k < from+stride && asciiWord(w.text[k]); k++ {
				w.inner(k)
			}
		}
		if n < 8 {
			return
		}
		x = load(w.text, from+stride)
		n = bytesOf(wordKey(x))
	}
}

// inner looks for a literal that begins inside a word, at i.
func (w *work) inner(i int) {
	if f := &w.filter; f.hasInner && f.inner.has(load(w.text, i)&f.innerMask) {
		w.enter(i, w.units-wordWeight, true)
	}
}

// character looks at the character beyond ASCII that begins at i.
func (w *work) character(i int) {
	f := &w.filter
	x := load(w.text, i)
	units := w.units
	switch c, _ := classOf(w.text[i:]); {
	case c == unspaced:
		w.units++
		if w.watch > 0 {
			w.tokens.character(w, i, x)
		}
	case c == spaced && classBefore(w.text, i) == spaced:
		w.inner(i)
		return
	case c == spaced:
		w.units += wordWeight
		if w.watch > 0 {
			w.tokens.word(w, i, x&0xffff)
		}
	}
	if f.three.has(x&threeBytes) || f.always[w.text[i]] {
		w.enter(i, units, false)
	} else if to := f.six.after(x & sixBytes); to != nil {
		w.jump(to, i, i+6, units)
	}
}

// jump goes on from the state after the bytes [start, i).
func (w *work) jump(to *jump, start, i int, units int32) {
	if to.cell.ends != 0 {
		w.reach(to.cell.ends-1, start, i, units, false)
	}
	if to.cell.base > 0 && i < len(w.text) && isSpace(w.text[i]) {
		w.walk(start, spaceEnd(w.text, i), to.space, to.base, units, false)
	} else {
		w.walk(start, i, to.state, to.cell.base, units, false)
	}
}

// enter follows the automaton from its beginning.
func (w *work) enter(i int, units int32, inside bool) {
	w.walk(i, i, 0, w.trie.cells[0].base, units, inside)
}

// walk follows the automaton from a state of that base, which it is in at i, and
// takes note of the literals that it comes to, which begin at start; inside a
// word only of those that may begin there.
func (w *work) walk(start, i int, state, base int32, units int32, inside bool) {
	text, cells := w.text, w.trie.cells
	for base > 0 && i < len(text) {
		c := text[i]
		code := w.trie.codes[c]
		at := &cells[base+int32(code)]
		if code == 0 || at.owner != state+1 {
			return
		}
		state = base + int32(code)
		i++
		if isSpace(c) {
			i = spaceEnd(text, i)
		}
		if at.ends != 0 {
			w.reach(at.ends-1, start, i, units, inside)
		}
		base = at.base
	}
	if base < 0 {
		t := w.trie.tails[^base]
		if end := w.trie.tailEnd(t, text, i); end > 0 {
			w.reach(t.ends-1, start, end, units, inside)
		}
	}
}

// reach takes note of the terms of one text, found at [start, end).
func (w *work) reach(first int32, start, end int, units int32, inside bool) {
	if w.head < len(w.queue) && int(w.queue[w.head].end) <= start {
		w.arrive(int32(start))
	}
	if w.again.put > 0 && !w.stillApart(first) {
		w.catchUp()
	}
	for k := first; ; k++ {
		t := &w.terms[k]
		if (t.openStart || !inside) && w.wanted(t, units) && (t.openEnd || !t.endsInWord || classAt(w.text, end) != spaced) {
			w.hit(t, mark{int32(start), int32(end), units, units + t.weight})
		}
		if t.last {
			return
		}
	}
}

// wanted reports whether a hit of t would mean anything now.
func (w *work) wanted(t *term, units int32) bool {
	if t.leads {
		return true
	}
	for _, s := range w.waits[t.waits.from:t.waits.to] {
		if units <= w.live[s] {
			return true
		}
	}
	return false
}
