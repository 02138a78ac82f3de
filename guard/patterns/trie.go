package patterns

import "slices"

// trie is the automaton over all literals: a double array, entered only where a
// literal can begin. From a state, the byte b leads to state base+code(b) if
// that state's owner is the state it came from. Where a single text is left, its
// rest is a tail.
//
// Every kind of white space has one code, and a run of it is one step, so that
// the space of a phrase matches any run.
type trie struct {
	codes [256]uint16 // 0: in no literal
	cells []cell
	tails []tail
	texts []byte // of the tails
}

// after returns the state after the bytes of a key, up to its zeros, and its cell;
// a literal begins with them. A tail that the key ends in is parted.
func (t *trie) after(key uint64) (int32, cell) {
	state := int32(0)
	for ; key != 0; key >>= 8 {
		base := t.cells[state].base
		if base < 0 {
			return state, t.inTail(t.tails[^base], int32(bytesOf(key)))
		}
		state = base + int32(t.codes[byte(key)])
	}
	return state, t.cells[state]
}

// inTail is the cell of a state n bytes behind the start of a tail.
func (t *trie) inTail(of tail, n int32) cell {
	if of.text.from += n; of.text.from == of.text.to {
		return cell{ends: of.ends}
	}
	t.tails = append(t.tails, of)
	return cell{base: int32(-len(t.tails))}
}

type cell struct {
	base  int32 // 0: no byte leads on; negative: tails[^base] does
	owner int32 // state it is reached from, plus 1; 0: free
	ends  int32 // literals that end here: first of program.terms, plus 1
}

// tail is what is left of the only text that goes on from a state.
type tail struct {
	text span32 // of texts
	ends int32  // as in a cell
}

// tailEnd returns where a tail ends in text, of which it begins at i; -1 if it is not there.
func (t *trie) tailEnd(of tail, text []byte, i int) int {
	for _, c := range t.texts[of.text.from:of.text.to] {
		switch {
		case i == len(text):
			return -1
		case c == text[i]:
		case c != ' ' || !isSpace(text[i]):
			return -1
		}
		i++
		if c == ' ' {
			i = spaceEnd(text, i)
		}
	}
	return i
}

// spaceEnd returns where the white space ends that goes on at i.
func spaceEnd(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

// newTrie builds the automaton of literals, which must be sorted by text.
func newTrie(literals []literal) trie {
	b := trieBuilder{literals: literals}
	used := [256]bool{}
	for _, l := range literals {
		for i := range len(l.text) {
			used[l.text[i]] = true
		}
	}
	n := uint16(0)
	for c, u := range used {
		if u {
			n++
			b.codes[c] = n
		}
	}
	for c := range b.codes {
		if isSpace(byte(c)) {
			b.codes[c] = b.codes[' ']
		}
	}
	b.span = int(n) + 1
	const size = 1 << 10 // at first; state 0, and no state below span: the base of states is never negative
	b.cells = make([]cell, b.span, size+2*len(literals))
	b.next = make([]int32, b.span, size+2*len(literals))
	b.prev = make([]int32, b.span, size+2*len(literals))
	b.tails = make([]tail, 0, len(literals))
	b.first, b.last = -1, -1
	b.grow(2 * b.span)
	b.low = b.first
	if len(literals) > 0 {
		b.place(0, 0, len(literals), 0)
	}
	return b.trie
}

// trieBuilder keeps the free cells in a list, so that a node with one child,
// the usual one, is placed at once.
type trieBuilder struct {
	trie
	literals []literal
	span     int // of the children of one node
	next     []int32
	prev     []int32
	last     int32 // free cell that ends the list
	first    int32
	low      int32 // free cell before which states with several children are not put; -1: past the end
}

// grow adds free cells up to n of them.
func (b *trieBuilder) grow(n int) {
	for i := int32(len(b.cells)); int(i) < n; i++ {
		b.cells = append(b.cells, cell{})
		b.next = append(b.next, -1)
		b.prev = append(b.prev, b.last)
		if b.last >= 0 {
			b.next[b.last] = i
		} else {
			b.first = i
		}
		b.last = i
	}
}

// take removes a cell from the list of free ones.
func (b *trieBuilder) take(i int32) {
	if b.low == i {
		b.low = b.next[i]
	}
	if p := b.prev[i]; p >= 0 {
		b.next[p] = b.next[i]
	} else {
		b.first = b.next[i]
	}
	if n := b.next[i]; n >= 0 {
		b.prev[n] = b.prev[i]
	} else {
		b.last = b.prev[i]
	}
}

// place puts the states below state, which is where literals[from:to] lead after
// depth bytes.
func (b *trieBuilder) place(state int32, from, to, depth int) {
	for {
		if len(b.literals[from].text) == depth {
			b.cells[state].ends = int32(from) + 1
		}
		for from < to && len(b.literals[from].text) == depth {
			from++
		}
		if from == to {
			return
		}
		if text := b.literals[from].text; text == b.literals[to-1].text {
			at := int32(len(b.texts))
			b.texts = append(b.texts, text[depth:]...)
			b.tails = append(b.tails, tail{span32{at, int32(len(b.texts))}, int32(from) + 1})
			b.cells[state].base = int32(-len(b.tails))
			return
		}
		only := b.codes[b.literals[from].text[depth]]
		if only != b.codes[b.literals[to-1].text[depth]] { // sorted: so all between agree too
			break
		}
		base := b.first - int32(only)
		b.own(state, base, only)
		state = base + int32(only)
		depth++
	}
	children := make([]child, 0, 8)
	for i := from; i < to; i++ {
		c := b.codes[b.literals[i].text[depth]]
		if n := len(children); n == 0 || children[n-1].code != c {
			children = append(children, child{code: c, from: i})
		}
		children[len(children)-1].to = i + 1
	}
	base := b.room(children)
	for _, c := range children {
		b.own(state, base, c.code)
	}
	for _, c := range children {
		b.place(base+int32(c.code), c.from, c.to, depth+1)
	}
}

// child is one way on from a state: by a byte, for literals[from:to].
type child struct {
	code     uint16
	from, to int
}

// own makes the cell for code at base a child of state.
func (b *trieBuilder) own(state, base int32, code uint16) {
	i := base + int32(code)
	b.take(i)
	b.cells[state].base = base
	b.cells[i].owner = state + 1
	b.grow(int(base) + b.span)
	if b.first < 0 {
		b.grow(len(b.cells) + 1)
	}
}

// room returns a base at which all children fall on free cells. When it takes
// long to find one, the cells passed over are left to states with one child, so
// that building stays linear.
func (b *trieBuilder) room(children []child) int32 {
	const patience = 64
	free := b.low
	for tries := 0; ; tries++ {
		if free < 0 {
			free = int32(len(b.cells))
			b.grow(len(b.cells) + b.span)
			b.low = free
		}
		base := free - int32(children[0].code)
		b.grow(int(base) + b.span)
		if !slices.ContainsFunc(children[1:], func(c child) bool { return b.cells[base+int32(c.code)].owner != 0 }) {
			return base
		}
		free = b.next[free]
		if tries >= patience {
			b.low = free
		}
	}
}
