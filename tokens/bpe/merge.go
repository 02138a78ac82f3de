package bpe

import (
	"slices"
	"sync"
)

// smallPiece is up to where looking at every pair again after each merge is
// faster than a heap.
const smallPiece = 48

// merge returns the tokens that piece, which is not empty, merges to.
func (v *vocabulary) merge(piece string) int {
	if len(piece) <= smallPiece {
		return v.mergeSmall(piece)
	}
	return v.mergeLarge(piece)
}

func (v *vocabulary) mergeSmall(piece string) int {
	const none = ^uint32(0)
	var ids, ranks [smallPiece]uint32 // ranks[i]: of the pair i, i+1
	n := len(piece)
	for i := range n {
		ids[i] = v.bytes[piece[i]]
	}
	rank := func(i int) uint32 {
		if i+1 < n {
			if m, ok := v.pairs.get(ids[i], ids[i+1]); ok {
				return m.rank
			}
		}
		return none
	}
	for i := range n {
		ranks[i] = rank(i)
	}
	for {
		best, at := none, -1
		for i, r := range ranks[:n] {
			if r < best {
				best, at = r, i
			}
		}
		if at < 0 {
			return n
		}
		m, _ := v.pairs.get(ids[at], ids[at+1])
		ids[at] = m.id
		copy(ids[at+1:n-1], ids[at+2:n])
		copy(ranks[at+1:n-1], ranks[at+2:n])
		n--
		ranks[at] = rank(at)
		if at > 0 {
			ranks[at-1] = rank(at - 1)
		}
	}
}

// mergeLarge keeps the pairs in a heap and the tokens in a linked list: a piece
// of n bytes takes n log n steps.
func (v *vocabulary) mergeLarge(piece string) int {
	w := workPool.Get().(*work)
	defer w.release()
	w.nodes, w.heap = w.nodes[:0], w.heap[:0]
	n := len(piece)
	w.nodes = slices.Grow(w.nodes, n)
	w.heap = slices.Grow(w.heap, n)
	for i := range n {
		w.nodes = append(w.nodes, node{id: v.bytes[piece[i]], prev: int32(i - 1), next: int32(i + 1)})
	}
	w.nodes[n-1].next = end
	for i := range int32(n) {
		if m, ok := w.pair(v, i); ok {
			w.heap = append(w.heap, m.at(i))
		}
	}
	w.order()
	for len(w.heap) > 0 {
		c := w.pop()
		i := int32(uint32(c))
		m, ok := w.pair(v, i)
		if !ok || m.at(i) != c {
			continue // one of the two has merged elsewhere since
		}
		a := &w.nodes[i]
		b := &w.nodes[a.next]
		a.id, a.next, b.next = m.id, b.next, gone
		if a.next != end {
			w.nodes[a.next].prev = i
		}
		n--
		if m, ok := w.pair(v, i); ok {
			w.push(m.at(i))
		}
		if a.prev >= 0 {
			if m, ok := w.pair(v, a.prev); ok {
				w.push(m.at(a.prev))
			}
		}
	}
	return n
}

// Values of node.next that are no place.
const (
	end  = -1
	gone = -2 // the node has merged into the one before it
)

type node struct {
	id         uint32
	prev, next int32
}

// at packs a pair's rank and place: the order of the heap is that of merging,
// the lowest rank first, the leftmost among equals.
func (m merged) at(i int32) uint64 { return uint64(m.rank)<<32 | uint64(i) }

// work is the memory of one large merge.
type work struct {
	nodes []node
	heap  []uint64 // four children a node
}

var workPool = sync.Pool{New: func() any { return new(work) }}

// maxPooled bounds what a rare giant leaves behind in the pool.
const maxPooled = 1 << 16

func (w *work) release() {
	if cap(w.nodes) <= maxPooled {
		workPool.Put(w)
	}
}

// pair returns what the nodes i and behind it merge to.
func (w *work) pair(v *vocabulary, i int32) (merged, bool) {
	a := &w.nodes[i]
	if a.next < 0 {
		return merged{}, false
	}
	return v.pairs.get(a.id, w.nodes[a.next].id)
}

func (w *work) push(c uint64) {
	w.heap = append(w.heap, c)
	i := len(w.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if w.heap[parent] <= c {
			break
		}
		w.heap[i] = w.heap[parent]
		i = parent
	}
	w.heap[i] = c
}

func (w *work) order() {
	for i := len(w.heap) / 4; i >= 0; i-- {
		w.down(i)
	}
}

func (w *work) pop() uint64 {
	top, last := w.heap[0], len(w.heap)-1
	w.heap[0] = w.heap[last]
	w.heap = w.heap[:last]
	w.down(0)
	return top
}

func (w *work) down(i int) {
	h := w.heap
	if i >= len(h) {
		return
	}
	c := h[i]
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for k := first + 1; k < min(first+4, len(h)); k++ {
			if h[k] < h[least] {
				least = k
			}
		}
		if h[least] >= c {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = c
}
