package patterns

import "slices"

// push queues an arrival by its end, behind those of the same end.
func (w *work) push(a arrival) {
	if w.head > 64 && w.head > len(w.queue)/2 {
		w.queue = w.queue[:copy(w.queue, w.queue[w.head:])]
		w.head = 0
	}
	w.queue = append(w.queue, a)
	for i := len(w.queue) - 1; i > w.head && w.queue[i-1].end > a.end; i-- {
		w.queue[i], w.queue[i-1] = w.queue[i-1], w.queue[i]
	}
}

// arrive does what becomes true up to a place, in the order of the ends.
func (w *work) arrive(place int32) {
	for w.head < len(w.queue) && w.queue[w.head].end <= place {
		a := w.queue[w.head]
		w.head++
		switch a.kind {
		case nodeDone:
			w.catchUp()
			w.node(a.index, a.mark)
		case partSeen:
			w.part(a.index, a.mark)
		case rowSeen:
			w.row(a.index, a.mark)
		case refused:
			w.refuse(a.index, a.mark)
		}
		if w.head == len(w.queue) || w.queue[w.head].end > a.end {
			w.settle()
		}
	}
	if w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
	}
}

// node does what node i means at m, whose end the scan has reached.
func (w *work) node(i int32, m mark) {
	n := &w.nodes[i]
	w.marks[i].arrive(m, w.base)
	w.wake(n, m.endUnit)
	for _, g := range w.goals[n.goals.from:n.goals.to] {
		if g.refuse {
			w.refuse(g.index, m)
		} else {
			w.ready = append(w.ready, match{m, g.index})
		}
	}
}

// earlier returns the mark that starts first.
func earlier(a, b mark) mark {
	if b.start < a.start {
		return b
	}
	return a
}

// refuse drops the matches that refusal i at m drops.
func (w *work) refuse(i int32, m mark) {
	w.refusals[i].arrive(m, w.base)
	r := &w.refuses[i]
	w.found[r.rule] = slices.DeleteFunc(w.found[r.rule], func(o mark) bool { return r.drops(m, o) })
}

// drops reports whether a refusal at not drops a match at m.
func (r *refusal) drops(not, m mark) bool {
	switch {
	case not.start >= m.end:
		return r.after >= 0 && not.startUnit-m.endUnit <= r.after
	case not.end <= m.start:
		return r.before >= 0 && m.startUnit-not.endUnit <= r.before
	}
	return true
}

func (w *work) part(i int32, m mark) {
	if at := &w.latest[i]; at.startUnit < w.base || m.start > at.start {
		*at = m
	}
	n := &w.nears[w.parts[i]]
	first := w.latest[n.parts.from]
	for _, at := range w.latest[n.parts.from:n.parts.to] {
		if at.startUnit < w.base {
			return
		}
		if at.start < first.start {
			first = at
		}
	}
	if m.endUnit-first.startUnit <= n.limit {
		w.ready = append(w.ready, match{mark{first.start, m.end, first.startUnit, m.endUnit}, n.rule})
	}
}

func (w *work) row(i int32, m mark) {
	at, r := &w.rows[i], &w.repeats[w.repeatOf[i]]
	switch {
	case at.endUnit < w.base || m.start >= at.end && m.startUnit-at.endUnit > 0:
		*at = rowState{m, 1}
		return
	case m.start < at.end:
		return
	}
	at.end, at.endUnit = m.end, m.endUnit
	if at.times++; at.times >= r.times {
		w.ready = append(w.ready, match{at.mark, r.rule})
	}
}

// settle keeps the matches that end at one place, now that all that could
// refuse them and ends there too is known.
func (w *work) settle() {
	for _, m := range w.ready {
		if !w.refusedAt(m) {
			w.keep(m.rule, m.mark)
		}
	}
	w.ready = w.ready[:0]
}

func (w *work) refusedAt(m match) bool {
	for _, i := range w.refused[m.rule] {
		p := &w.refusals[i]
		not := p.last
		if p.last.endUnit >= w.base && p.last.end > m.end { // it has yet to drop what it drops
			w.push(arrival{mark: p.last, kind: refused, index: i})
			not = p.before
		}
		if not.endUnit >= w.base && w.refuses[i].drops(not, m.mark) {
			return true
		}
	}
	return false
}

// keep adds a match to those of its rule.
func (w *work) keep(rule int32, m mark) {
	if len(w.found[rule]) == 0 {
		w.touched = append(w.touched, rule)
	}
	found := merge(w.found[rule], m)
	w.found[rule] = found
	if len(found) == maxSpans && m.endUnit-found[maxSpans-1].endUnit > w.widths[rule] && !slices.Contains(w.done, rule) {
		w.retire(rule) // nothing that is still to come reaches back to what was found
	}
}

// merge adds m to marks, which are apart and in order; m ends last. Marks that
// overlap become one. There are never more than maxSpans.
func merge(marks []mark, m mark) []mark {
	n := len(marks)
	if n == 0 || m.start >= marks[n-1].end {
		if n == maxSpans {
			return marks
		}
		return append(marks, m)
	}
	if marks[n-1].start < m.start {
		m.start, m.startUnit = marks[n-1].start, marks[n-1].startUnit
	}
	if marks[n-1].end > m.end {
		m.end, m.endUnit = marks[n-1].end, marks[n-1].endUnit
	}
	return merge(marks[:n-1], m)
}

// insert is merge for an m that may end anywhere.
func insert(marks []mark, m mark) []mark {
	marks = append(marks, m)
	slices.SortFunc(marks, func(a, b mark) int { return int(a.start - b.start) })
	apart := marks[:0]
	for _, m := range marks {
		apart = merge(apart, m)
	}
	return apart
}

// maxSpans bounds the places that are reported of one rule.
const maxSpans = 4
