package patterns

import (
	"slices"
	"time"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// work is the memory of one scan. Its size is bounded by the program, but for
// the queue, which is bounded by the literals that can overlap at one place.
//
// Positions among words are counted on from view to view, so that what an
// earlier view left in a mark is too far back to count: nothing is cleared.
type work struct {
	tables // of the program
	text   []byte
	base   int32 // weight at the start of this view; marks below it are void
	units  int32 // weight of the words that began so far

	live     []int32    // by step: last weight at which a chain may go on with it
	marks    []pair     // by node: where it was last complete
	latest   []mark     // by part of a near: where it began last
	rows     []rowState // by row of a repeat
	refusals []pair     // by refusal: where it was last complete

	queue []arrival // complete from a place on that the scan has not reached: by end
	head  int
	ready []match // that end at one place

	again again   // the last hit
	far   int32   // where the hits so far end, at most
	open  []int32 // by node: goals and nodes that go on from it and are still wanted; 0: it is dead
	done  []int32 // rules that need no further match

	found   [][]mark // by rule: up to maxSpans
	touched []int32  // rules in found
	tripped []bool   // by regexp: its prefilter was seen

	// Of the prompt, over all of its views.
	places   [][]fold.Span // by rule: where it was reported
	fired    []int32       // rules in places
	findings []check.Finding
	from     int           // of findings: the first of this prompt
	left     time.Duration // for regexps

	tokens  tokens
	watch   int     // fewest times of the floods not yet found; 0: none is wanted
	flooded []match // floods found
	tail    [blockSize]byte
}

// mark is a place in the text, with the weight of the words before its start
// and its end.
type mark struct{ start, end, startUnit, endUnit int32 }

// arrival is something that becomes true at the end of its mark.
type arrival struct {
	mark
	kind  arrivalKind
	index int32
}

type arrivalKind uint8

const (
	nodeDone arrivalKind = iota
	partSeen
	rowSeen
	refused // what lay ahead when a match was kept
)

// match is a rule that matched, but for what refuses it.
type match struct {
	mark
	rule int32
}

// again puts off what the starts of a literal bring about while it occurs again
// and again: of a node only the last two places matter.
type again struct {
	term         *term
	before, last mark
	put          int // marks put off: none, last, or both

	apart  [4]int32 // terms, each by the first of its text, that do not wait for the starts of term
	aparts int
}

type rowState struct {
	mark
	times int32
}

// slack is more than any gap, so that marks of an earlier view are out of reach.
const slack = (maxWords + 1) * wordWeight * 2

func newWork(p *program) *work {
	return &work{
		tables:   p.tables,
		live:     make([]int32, len(p.steps)),
		marks:    make([]pair, len(p.nodes)),
		latest:   make([]mark, len(p.parts)),
		rows:     make([]rowState, len(p.repeatOf)),
		refusals: make([]pair, len(p.refuses)),
		open:     slices.Clone(p.tallies),
		found:    make([][]mark, len(p.set.rules)),
		tripped:  make([]bool, len(p.regexps)),
		places:   make([][]fold.Span, len(p.set.rules)),
	}
}

// begin makes w ready for a text.
func (w *work) begin(text []byte) {
	w.text = text
	if w.units += slack; w.units < 0 || int(w.units)+len(text)+slack > 1<<31-1 {
		clear(w.live)
		clear(w.marks)
		clear(w.latest)
		clear(w.rows)
		clear(w.refusals)
		w.units = slack
	}
	w.base = w.units
	for _, r := range w.touched {
		w.found[r] = w.found[r][:0]
	}
	w.touched = w.touched[:0]
	clear(w.tripped)
	w.flooded = w.flooded[:0]
	w.watch = w.floodAt
	w.tokens.begin(len(w.floods))
	w.again, w.far = again{}, 0
	if len(w.done) > 0 {
		copy(w.open, w.tallies)
		w.done = w.done[:0]
	}
	for _, r := range w.fired {
		if len(w.places[r]) == maxSpans {
			w.retire(r)
		}
	}
}

// retire takes note that nothing more needs to be known about a rule.
func (w *work) retire(rule int32) {
	w.done = append(w.done, rule)
	for _, i := range w.ways[rule] {
		for i >= 0 {
			if w.open[i]--; w.open[i] > 0 {
				break
			}
			i = w.nodes[i].parent
		}
	}
}

// hit takes note of a literal at m. What arrives before m has arrived.
func (w *work) hit(t *term, m mark) {
	switch a := &w.again; {
	case t.loose == t.starts.to:
	case t == a.term && t.steady && m.start >= w.far:
		a.before, a.last, a.put = a.last, m, min(a.put+1, 2)
	default:
		w.catchUp()
		a.term, a.last, a.aparts = t, m, 0
		w.start(t.loose, t.starts.to, m)
	}
	w.start(t.starts.from, t.loose, m)
	w.far = max(w.far, m.end)
	for _, s := range w.waits[t.waits.from:t.waits.to] {
		if m.startUnit <= w.live[s] {
			w.follow(&w.steps[s], m)
		}
	}
	for _, x := range w.extras[t.extras.from:t.extras.to] {
		if x.anchor == anywhere || w.anchored(x.anchor, m) {
			w.extra(x, m)
		}
	}
}

// stillApart reports whether the terms from first on, which a place was found for,
// wait for nothing that was put off.
func (w *work) stillApart(first int32) bool {
	a := &w.again
	for _, known := range a.apart[:a.aparts] {
		if known == first {
			return true
		}
	}
	if a.aparts == len(a.apart) {
		return false
	}
	for k := first; ; k++ {
		t := &w.terms[k]
		for _, s := range w.starts[a.term.loose:a.term.starts.to] {
			n := &w.nodes[s.node]
			for _, wake := range w.wakes[n.wakes.from:n.wakes.to] {
				if slices.Contains(w.waits[t.waits.from:t.waits.to], wake.step) {
					return false
				}
			}
		}
		if t.last {
			break
		}
	}
	a.apart[a.aparts] = first
	a.aparts++
	return true
}

// start brings about nodes that a hit brings about by itself.
func (w *work) start(from, to int32, m mark) {
	for i := from; i < to; i++ {
		s := &w.starts[i]
		if w.open[s.node] > 0 && (s.anchor == anywhere || w.anchored(s.anchor, m)) {
			w.begun(s, m)
		}
	}
}

// anchored reports whether a hit at m stands where the anchor wants it.
func (w *work) anchored(a anchor, m mark) bool {
	if a == atPrompt && m.startUnit > w.base { // behind a word
		return false
	}
	return anchored(w.text, a, int(m.start))
}

// catchUp does what was put off.
func (w *work) catchUp() {
	a := &w.again
	if a.put > 1 {
		w.start(a.term.loose, a.term.starts.to, a.before)
	}
	if a.put > 0 {
		w.start(a.term.loose, a.term.starts.to, a.last)
	}
	a.put = 0
}

// begun brings about a node at m, in the short way if there is one.
func (w *work) begun(s *start, m mark) {
	switch s.kind {
	case simple:
		if p := &w.marks[s.node]; !p.ahead(w.base, m.start) {
			p.before, p.last = p.last, m
			w.live[s.wake.step] = max(w.live[s.wake.step], m.endUnit+s.wake.limit)
			return
		}
	case refusing:
		p := &w.refusals[s.refuse]
		if len(w.found[w.refuses[s.refuse].rule]) == 0 && !p.ahead(w.base, m.start) {
			p.before, p.last = p.last, m
			return
		}
	}
	w.reachNode(s.node, m, m.start)
}

// follow brings about the nodes of a step whose parents end shortly before m.
func (w *work) follow(s *step, m mark) {
	if s.anchor != anywhere && !w.anchored(s.anchor, m) {
		return
	}
	for i := s.nodes.from; i < s.nodes.to; i++ {
		if w.open[i] == 0 {
			continue
		}
		n := &w.nodes[i]
		p := &w.marks[n.parent]
		before := &p.last
		if before.end > m.start {
			before = &p.before
		}
		if before.endUnit >= w.base && m.startUnit-before.endUnit <= n.limit {
			w.reachNode(i, mark{before.start, m.end, before.startUnit, m.endUnit}, m.start)
		}
	}
}

// pair is the two latest places of a node. The end of the last one may still
// lie ahead of the scan; the end of the one before does not.
type pair struct{ last, before mark }

// ahead reports whether the last place, seen since base, ends behind now.
func (p *pair) ahead(base, now int32) bool { return p.last.endUnit >= base && p.last.end > now }

// arrive adds a place whose end the scan has reached.
func (p *pair) arrive(m mark, base int32) {
	switch {
	case p.last.endUnit < base || p.last.end < m.end:
		p.before, p.last = p.last, m
	case p.last.end == m.end:
		p.last = earlier(p.last, m)
	case p.before.endUnit < base || p.before.end < m.end:
		p.before = m
	case p.before.end == m.end:
		p.before = earlier(p.before, m)
	}
}

// reachNode takes note that node i is complete at m, which a hit that starts at
// now says. What means something by itself, or would crowd out a place whose
// end lies ahead too, waits in the queue.
func (w *work) reachNode(i int32, m mark, now int32) {
	n, p := &w.nodes[i], &w.marks[i]
	void := p.last.endUnit < w.base
	if n.goals.from < n.goals.to || !void && p.last.end > now && p.last.end != m.end {
		w.push(arrival{mark: m, kind: nodeDone, index: i})
		return
	}
	w.wake(n, m.endUnit)
	switch {
	case void || p.last.end <= now:
		p.before, p.last = p.last, m
	case m.start < p.last.start:
		p.last = m
	}
}

// wake makes the steps that go on from n look out until their gap is used up.
func (w *work) wake(n *node, unit int32) {
	for _, k := range w.wakes[n.wakes.from:n.wakes.to] {
		w.live[k.step] = max(w.live[k.step], unit+k.limit)
	}
}

func (w *work) extra(x extra, m mark) {
	switch x.kind {
	case partOfNear:
		w.push(arrival{mark: m, kind: partSeen, index: x.index})
	case repeated:
		w.push(arrival{mark: m, kind: rowSeen, index: x.index})
	case prefilter:
		w.tripped[x.index] = true
	}
}
