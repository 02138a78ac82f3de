package patterns

import (
	"encoding/binary"
	"slices"
	"strings"
)

// automaton builds the terms, the trie and the filter of the literals in use.
func (c *compiler) automaton() {
	starts, waits := c.byLiteral()
	ids := make([]int32, 0, len(c.set.literals))
	for id := range c.set.literals {
		if starts[id] != starts[id+1] || waits[id] != waits[id+1] || len(c.extraOf[int32(id)]) > 0 {
			ids = append(ids, int32(id))
		}
	}
	c.sortByText(ids)
	literals := make([]literal, 0, len(ids))
	c.terms = make([]term, 0, len(ids))
	for i, id := range ids {
		l := c.set.literals[id]
		literals = append(literals, l)
		text := []byte(l.text)
		t := term{
			weight: int32(weight(text)), openStart: l.openStart, openEnd: l.openEnd,
			endsInWord: classBefore(text, len(text)) == spaced,
			last:       i+1 == len(ids) || c.set.literals[ids[i+1]].text != l.text,
		}
		t.starts, t.waits = span32{starts[id], starts[id+1]}, span32{waits[id], waits[id+1]}
		begun := c.starts[t.starts.from:t.starts.to]
		slices.SortStableFunc(begun, func(a, b start) int { return int(b.anchor) - int(a.anchor) })
		for t.loose = t.starts.from; t.loose < t.starts.to && c.starts[t.loose].anchor != anywhere; t.loose++ {
		}
		t.steady = c.steady(c.starts[t.loose:t.starts.to])
		t.extras, c.extras = appendSpan(c.extras, c.extraOf[id])
		t.leads = len(begun)+len(c.extraOf[id]) > 0
		c.terms = append(c.terms, t)
	}
	c.trie = newTrie(literals)
	c.filter = newFilter(literals, &c.trie)
}

// sortByText sorts literals by their texts, and those of one text by their numbers.
func (c *compiler) sortByText(ids []int32) {
	type keyed struct {
		head uint64 // the first bytes, so that most comparisons need no more
		id   int32
	}
	order := make([]keyed, len(ids))
	for i, id := range ids {
		var head [8]byte
		copy(head[:], c.set.literals[id].text)
		order[i] = keyed{binary.BigEndian.Uint64(head[:]), id}
	}
	slices.SortFunc(order, func(a, b keyed) int {
		switch {
		case a.head < b.head:
			return -1
		case a.head > b.head:
			return 1
		}
		if n := strings.Compare(c.set.literals[a.id].text, c.set.literals[b.id].text); n != 0 {
			return n
		}
		return int(a.id - b.id)
	})
	for i, o := range order {
		ids[i] = o.id
	}
}

// byLiteral fills the tables of starts and waits, and returns where those of
// each literal begin; they end where those of the next one do.
func (c *compiler) byLiteral() (starts, waits []int32) {
	starts, waits = make([]int32, len(c.set.literals)+2), make([]int32, len(c.set.literals)+2)
	for _, d := range c.uses {
		for _, l := range c.set.of(d.element) {
			if d.first >= 0 {
				starts[l+2]++
			}
			if len(d.later) > 0 {
				waits[l+2]++
			}
		}
	}
	for l := 1; l < len(starts); l++ {
		starts[l] += starts[l-1]
		waits[l] += waits[l-1]
	}
	c.starts, c.waits = make([]start, starts[len(starts)-1]), make([]int32, waits[len(waits)-1])
	for s, d := range c.uses { // [l+1] moves from the begin of l to its end
		for _, l := range c.set.of(d.element) {
			if d.first >= 0 {
				c.starts[starts[l+1]] = c.start(d)
				starts[l+1]++
			}
			if len(d.later) > 0 {
				c.waits[waits[l+1]] = int32(s)
				waits[l+1]++
			}
		}
	}
	return starts, waits
}

// start makes the use of a literal that begins chains, as d says.
func (c *compiler) start(d stepDraft) start {
	n := c.nodes[d.first]
	s := start{node: d.first, anchor: d.anchor}
	goals, wakes := c.goals[n.goals.from:n.goals.to], c.wakes[n.wakes.from:n.wakes.to]
	switch {
	case len(goals) == 0 && len(wakes) == 1:
		s.wake, s.kind = wakes[0], simple
	case len(wakes) == 0 && len(goals) == 1 && goals[0].refuse:
		s.refuse, s.kind = goals[0].index, refusing
	}
	return s
}

// steady reports whether starts mean nothing by themselves, so that of hits in
// a row they need only the last two.
func (c *compiler) steady(starts []start) bool {
	return !slices.ContainsFunc(starts, func(s start) bool {
		return c.nodes[s.node].goals.from < c.nodes[s.node].goals.to
	})
}

// weight is the weight of the words of a text that begin in it.
func weight(text []byte) int {
	units := 0
	before := other
	for len(text) > 0 {
		c, n := classOf(text)
		if c == unspaced {
			units++
		} else if c == spaced && before != spaced {
			units += wordWeight
		}
		before = c
		text = text[n:]
	}
	return units
}
