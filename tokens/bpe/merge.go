package bpe

import (
	"cmp"
	"slices"
	"sync"
)

// smallPiece is up to where looking at every pair again after each merge is
// faster than a heap, mediumPiece up to where a heap is faster than queues.
const (
	smallPiece  = 48
	mediumPiece = 4096
)

// merge returns the tokens that piece, which is not empty, merges to.
func (v *vocabulary) merge(piece string) int {
	switch {
	case len(piece) <= smallPiece:
		return v.mergeSmall(piece)
	case len(piece) <= mediumPiece:
		return v.mergeMedium(piece)
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

// mergeMedium keeps the tokens in a linked list and the pairs in a heap: a piece
// of n bytes takes n log n steps.
func (v *vocabulary) mergeMedium(piece string) int {
	w := workPool.Get().(*work)
	defer w.release()
	w.read(v, piece)
	wait := func(i int32) {
		if m, ok := w.pair(v, i); ok {
			w.ranks.push(m.at(i))
		}
	}
	for i := range int32(len(piece)) {
		wait(i)
	}
	n := len(piece)
	for len(w.ranks) > 0 {
		c := w.ranks.pop()
		i := int32(uint32(c))
		if m, ok := w.pair(v, i); ok && m.at(i) == c { // else one of the two has merged elsewhere
			w.join(i, m.id)
			n--
			wait(i)
			if prev := w.nodes[i].prev; prev >= 0 {
				wait(prev)
			}
		}
	}
	return n
}

// mergeLarge keeps one queue of pairs for each rank, left to right. Merging from
// left to right makes new pairs from left to right, so that a piece of n bytes
// takes about n steps; only a pair that turns up to the left of others of its
// rank takes log n.
func (v *vocabulary) mergeLarge(piece string) int {
	w := workPool.Get().(*work)
	defer w.release()
	w.read(v, piece)
	for i := range int32(len(piece)) {
		w.wait(v, i)
	}
	n := len(piece)
	for len(w.ranks) > 0 {
		q := &w.queues[uint32(w.ranks[0])]
		i, ok := q.pop()
		if !ok {
			w.ranks.pop()
			q.waits = false
			continue
		}
		if m, ok := w.pair(v, i); ok && m.rank == q.rank { // else one of the two has merged elsewhere
			w.join(i, m.id)
			n--
			if prev := w.nodes[i].prev; prev >= 0 {
				w.wait(v, prev)
			}
			w.wait(v, i)
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

// work is the memory of one merge.
type work struct {
	nodes  []node
	queues []queue
	byRank map[uint32]uint32 // places in queues
	last   uint32            // the queue used last
	ranks  heap[uint64]      // rank << 32 and the place of a pair, or of a queue that waits
}

var workPool = sync.Pool{New: func() any { return &work{byRank: map[uint32]uint32{}} }}

// What a rare giant leaves behind in the pool is bounded by its bytes and by the
// ranks it met.
const (
	maxPooled = 1 << 16
	maxQueues = 1 << 8
)

func (w *work) release() {
	if cap(w.nodes) > maxPooled || len(w.queues) > maxQueues {
		return
	}
	if len(w.queues) > 0 {
		w.queues, w.last = w.queues[:0], 0
		clear(w.byRank)
	}
	workPool.Put(w)
}

// read makes each byte of piece, which is not empty, a node.
func (w *work) read(v *vocabulary, piece string) {
	w.nodes = slices.Grow(w.nodes[:0], len(piece))
	for i := range len(piece) {
		w.nodes = append(w.nodes, node{id: v.bytes[piece[i]], prev: int32(i - 1), next: int32(i + 1)})
	}
	w.nodes[len(piece)-1].next = end
}

// join makes the node i and the one behind it one token.
func (w *work) join(i int32, id uint32) {
	a := &w.nodes[i]
	b := &w.nodes[a.next]
	a.id, a.next, b.next = id, b.next, gone
	if a.next != end {
		w.nodes[a.next].prev = i
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

// wait puts the pair at i, if it merges, into the queue of its rank.
func (w *work) wait(v *vocabulary, i int32) {
	m, ok := w.pair(v, i)
	if !ok {
		return
	}
	if int(w.last) >= len(w.queues) || w.queues[w.last].rank != m.rank {
		w.last = w.queueOf(m.rank)
	}
	q := &w.queues[w.last]
	q.push(i)
	if !q.waits {
		q.waits = true
		w.ranks.push(uint64(m.rank)<<32 | uint64(w.last))
	}
}

func (w *work) queueOf(rank uint32) uint32 {
	at, ok := w.byRank[rank]
	if !ok {
		at = uint32(len(w.queues))
		w.byRank[rank] = at
		if len(w.queues) < cap(w.queues) {
			w.queues = w.queues[:at+1] // with the memory of an earlier piece
		} else {
			w.queues = append(w.queues, queue{})
		}
		w.queues[at].rank = rank
	}
	return at
}

// queue holds the places of pairs of one rank; the leftmost leaves first.
type queue struct {
	rank  uint32
	waits bool
	next  int
	line  []int32     // ascending; those before next have left
	late  heap[int32] // those that came after one to the right of them
}

func (q *queue) push(i int32) {
	if len(q.line) > q.next && q.line[len(q.line)-1] > i {
		q.late.push(i)
		return
	}
	q.line = append(q.line, i)
}

func (q *queue) pop() (i int32, ok bool) {
	switch {
	case len(q.late) > 0 && (q.next == len(q.line) || q.late[0] < q.line[q.next]):
		return q.late.pop(), true
	case q.next < len(q.line):
		q.next++
		return q.line[q.next-1], true
	}
	q.line, q.next = q.line[:0], 0
	return 0, false
}

// heap has its least element first.
type heap[T cmp.Ordered] []T

func (h *heap[T]) push(v T) {
	*h = append(*h, v)
	s, i := *h, len(*h)-1
	for i > 0 && s[(i-1)/2] > v {
		s[i] = s[(i-1)/2]
		i = (i - 1) / 2
	}
	s[i] = v
}

func (h *heap[T]) pop() T {
	s := *h
	top, v := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	i := 0
	for c := 1; c < len(s); c = 2*i + 1 {
		if c+1 < len(s) && s[c+1] < s[c] {
			c++
		}
		if s[c] >= v {
			break
		}
		s[i] = s[c]
		i = c
	}
	if len(s) > 0 {
		s[i] = v
	}
	return top
}
