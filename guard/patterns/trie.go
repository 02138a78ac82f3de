package patterns

import "slices"

// trie is the automaton over all literals: a double array, entered only where a
// literal can begin. From a state, the byte b leads to state base+code(b) if
// that state's owner is the state it came from.
//
// Every kind of white space has one code, and a run of it is one step, so that
// the space of a phrase matches any run.
type trie struct {
	codes [256]uint16 // 0: in no literal
	cells []cell
}

// after returns the state after a text; false if no literal begins with it.
func (t *trie) after(text string) (int32, bool) {
	state := int32(0)
	for i := range len(text) {
		to := t.cells[state].base + int32(t.codes[text[i]])
		if t.codes[text[i]] == 0 || t.cells[to].owner != state+1 {
			return 0, false
		}
		state = to
	}
	return state, true
}

type cell struct {
	base  int32 // 0: no byte leads on
	owner int32 // state it is reached from, plus 1; 0: free
	ends  int32 // literals that end here: first of program.terms, plus 1
}

// newTrie builds the automaton of literals, which must be sorted by text.
func newTrie(literals []literal) trie {
	b := trieBuilder{literals: literals}
	used := [256]bool{}
	size := 1 << 10 // of the table, at most, but for holes
	for _, l := range literals {
		size += len(l.text)
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
	b.cells = make([]cell, b.span, size) // state 0, and no state below span: a base is never negative
	b.next = make([]int32, b.span, size)
	b.prev = make([]int32, b.span, size)
	b.first, b.last = -1, -1
	b.grow(2 * b.span)
	b.low = b.first
	if len(literals) > 0 {
		b.place(0, 0, len(literals), 0)
	}
	b.cells = slices.Clone(b.cells)
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
