package patterns

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// program is a set made ready to run. It does not change.
type program struct {
	tables
	pool sync.Pool // of *work
}

// tables are the automaton that finds literals, and what each literal means to
// the rules.
type tables struct {
	set      *Set
	disabled []bool // by rule

	filter  filter
	trie    trie
	terms   []term    // by text: those of one text stand together
	starts  []start   // by term
	waits   []int32   // steps, by term
	extras  []extra   // by term
	steps   []step    // elements that follow others, each once
	nodes   []node    // by step
	wakes   []wake    // by node
	goals   []goal    // by node
	tallies []int32   // by node: its goals, and the nodes that go on from it
	ways    [][]int32 // by rule: the node of each of its goals
	widths  []int32   // by rule: half words that a match may span, or stand away from what refuses it

	nears    []nearby
	parts    []int32 // nears, by part
	repeats  []repetition
	repeatOf []int32 // repeats, by row: they have one for each literal
	refuses  []refusal
	refused  [][]int32 // refusals, by rule
	regexps  []hostRule
	floods   []floodRule
	combos   []int32 // rules that count others
	floodAt  int     // fewest times of floods; 0: there are none
}

// term is a literal as the automaton finds it.
type term struct {
	starts     span32 // of program.starts: chains that it begins
	waits      span32 // of program.waits: chains that it continues
	extras     span32 // of program.extras: what else it is for
	weight     int32  // of its words
	leads      bool   // it has starts or extras
	loose      int32  // of program.starts: the first without an anchor; all that follow have none
	steady     bool   // of hits in a row these need only the last two
	openStart  bool
	openEnd    bool
	endsInWord bool // its last character is of a spaced script
	last       bool // no further term has the same text
}

// span32 is a range of a table.
type span32 struct{ from, to int32 }

// start is a node that a literal brings about by itself. The usual kinds have all
// that is needed in them.
type start struct {
	node   int32
	wake   wake
	anchor anchor
	kind   startKind
	refuse int32 // of program.refuses, if it is a plain refusal
}

type startKind uint8

const (
	general  startKind = iota
	simple             // it wakes one step and means nothing yet
	refusing           // it wakes none and is a refusal
)

// step is a use of literals in the middle of chains: the same ones at the same
// anchor. Chains that ask for the same share it.
type step struct {
	anchor anchor
	nodes  span32 // of program.nodes: what it may bring about
}

// node is a beginning of a chain, shared by all chains that begin so.
type node struct {
	parent int32  // the chain up to the step before; -1: none
	limit  int32  // half words that may stand between
	wakes  span32 // of program.wakes: steps that go on from here
	goals  span32 // of program.goals: what is complete here
}

// wake says that a step is of interest for so many half words.
type wake struct{ step, limit int32 }

// goal is what a complete chain means: a match of a rule, or a refusal.
type goal struct {
	index  int32
	refuse bool
}

// extra is a use of a literal outside of chains.
type extra struct {
	kind   extraKind
	anchor anchor
	index  int32
}

type extraKind uint8

const (
	partOfNear extraKind = iota // index: part
	repeated                    // index: row
	prefilter                   // index: regexp
)

type nearby struct {
	rule  int32
	limit int32 // half words of the window
	parts span32
}

type repetition struct {
	rule  int32
	times int32
}

type refusal struct {
	rule          int32
	before, after int32 // half words; -1: that side is closed
}

type hostRule struct {
	rule int32
	*hostRegexp
}

type floodRule struct {
	rule  int32
	times int
}

// compiler builds a program. Tables by step and node grow apart from one
// another and are laid out in a row at the end.
type compiler struct {
	*program
	key     []byte // of a step: its anchor and its literals
	stepID  map[string]int32
	extraOf map[int32][]extra // by literal
	nodeID  map[nodeKey]int32
	drafts  []nodeDraft
	uses    []stepDraft

	heaviest int // half words that no literal outweighs
}

type nodeKey struct{ parent, step, limit int32 }

type nodeDraft struct {
	nodeKey
	wakes []wake
	goals []goal
}

type stepDraft struct {
	element
	first int32 // node of the chains that it begins; -1: none
	later []int32
}

func compile(set *Set, disable []string) (*program, error) {
	c := &compiler{
		program: &program{tables: tables{
			set: set, disabled: make([]bool, len(set.rules)), refused: make([][]int32, len(set.rules)),
			widths: make([]int32, len(set.rules)), ways: make([][]int32, len(set.rules)),
		}},
		stepID: map[string]int32{}, nodeID: map[nodeKey]int32{}, extraOf: map[int32][]extra{},
	}
	if err := c.disable(disable); err != nil {
		return nil, err
	}
	for _, l := range set.literals {
		c.heaviest = max(c.heaviest, len(l.text)+wordWeight)
	}
	for i, r := range set.rules {
		if !c.disabled[i] {
			c.rule(int32(i), r)
		}
	}
	c.layOut()
	c.automaton()
	p := c.program // not c, which what the pool holds would keep alive
	p.pool.New = func() any { return newWork(p) }
	return p, nil
}

func (c *compiler) disable(names []string) error {
	for _, name := range names {
		known := false
		for i, r := range c.set.rules {
			if nameMatches(name, r.ID) {
				c.disabled[i], known = true, true
			}
		}
		if !known {
			return fmt.Errorf("patterns: Options.Disable: got %q, want the id of a rule or family/*", name)
		}
	}
	return nil
}

func (c *compiler) rule(i int32, r *rule) {
	if r.combo != nil {
		c.combos = append(c.combos, i)
	}
	for _, ch := range r.chains {
		c.chain(ch, goal{index: i})
		c.span(i, ch, 0)
	}
	for _, n := range r.nears {
		c.widths[i] = max(c.widths[i], int32(n.words*wordWeight))
		from := int32(len(c.parts))
		for _, e := range n.elements {
			c.extra(e, partOfNear, int32(len(c.parts)), 0)
			c.parts = append(c.parts, int32(len(c.nears)))
		}
		c.nears = append(c.nears, nearby{i, int32(n.words * wordWeight), span32{from, int32(len(c.parts))}})
	}
	for _, p := range r.repeats {
		c.widths[i] = unbounded
		c.extra(p.element, repeated, int32(len(c.repeatOf)), 1)
		for range c.set.of(p.element) {
			c.repeatOf = append(c.repeatOf, int32(len(c.repeats)))
		}
		c.repeats = append(c.repeats, repetition{i, int32(p.times)})
	}
	for _, not := range r.nots {
		x := int32(len(c.refuses))
		c.refuses = append(c.refuses, refusal{i, int32(not.before * wordWeight), int32(not.after * wordWeight)})
		c.refused[i] = append(c.refused[i], x)
		for _, ch := range not.chains {
			c.chain(ch, goal{index: x, refuse: true})
			c.span(i, ch, max(not.before, not.after, 0))
		}
	}
	for _, re := range r.regexps {
		c.extra(re.prefilter, prefilter, int32(len(c.regexps)), 0)
		c.regexps = append(c.regexps, hostRule{i, re})
	}
	for _, times := range r.floods {
		c.floods = append(c.floods, floodRule{i, times})
		if c.floodAt == 0 || times < c.floodAt {
			c.floodAt = times
		}
	}
}

// chain adds the nodes of a chain that are not there yet.
func (c *compiler) chain(ch chain, g goal) {
	at := int32(-1)
	for _, l := range ch {
		key := nodeKey{parent: at, step: c.step(l.element), limit: l.gap * wordWeight}
		id, known := c.nodeID[key]
		if !known {
			id = int32(len(c.drafts))
			c.nodeID[key] = id
			c.drafts = append(c.drafts, nodeDraft{nodeKey: key})
			if at < 0 {
				c.uses[key.step].first = id
			} else {
				c.uses[key.step].later = append(c.uses[key.step].later, id)
				c.drafts[at].wake(wake{key.step, key.limit})
			}
		}
		at = id
	}
	c.drafts[at].goals = append(c.drafts[at].goals, g)
}

// unbounded is more half words than any text has.
const unbounded = 1 << 30

// span widens a rule so that one of its chains, so many words away
// from a match, is within.
func (c *compiler) span(rule int32, ch chain, away int) {
	words := away
	for _, l := range ch {
		words += int(l.gap)
	}
	c.widths[rule] = max(c.widths[rule], int32(words*wordWeight+len(ch)*c.heaviest))
}

// wake adds w, or widens the one of the same step.
func (d *nodeDraft) wake(w wake) {
	for i := range d.wakes {
		if d.wakes[i].step == w.step {
			d.wakes[i].limit = max(d.wakes[i].limit, w.limit)
			return
		}
	}
	d.wakes = append(d.wakes, w)
}

// extra gives a use to each literal of an element; its index grows by so much
// from one to the next.
func (c *compiler) extra(e element, kind extraKind, index, by int32) {
	for _, l := range c.set.of(e) {
		c.extraOf[l] = append(c.extraOf[l], extra{kind, e.anchor, index})
		index += by
	}
}

// step returns the number of an element.
func (c *compiler) step(e element) int32 {
	c.key = append(c.key[:0], byte(e.anchor))
	for _, l := range c.set.of(e) {
		c.key = binary.LittleEndian.AppendUint32(c.key, uint32(l))
	}
	id, known := c.stepID[string(c.key)]
	if !known {
		id = int32(len(c.uses))
		c.stepID[string(c.key)] = id
		c.uses = append(c.uses, stepDraft{element: e, first: -1})
	}
	return id
}

// layOut puts the drafts in a row and numbers the nodes by step.
func (c *compiler) layOut() {
	number := make([]int32, len(c.drafts)) // of each draft
	order := make([]int32, 0, len(c.drafts))
	put := func(id int32) {
		number[id] = int32(len(order))
		order = append(order, id)
	}
	for i := range c.uses {
		d := &c.uses[i]
		from := int32(len(order))
		for _, id := range d.later {
			put(id)
		}
		c.steps = append(c.steps, step{d.anchor, span32{from, int32(len(order))}})
		if d.first >= 0 {
			put(d.first)
			d.first = number[d.first]
		}
	}
	for _, id := range order {
		d := c.drafts[id]
		n := node{parent: -1, limit: d.limit}
		if d.parent >= 0 {
			n.parent = number[d.parent]
		}
		n.wakes, c.wakes = appendSpan(c.wakes, d.wakes)
		n.goals, c.goals = appendSpan(c.goals, d.goals)
		c.nodes = append(c.nodes, n)
	}
	c.tallies = make([]int32, len(c.nodes))
	for i, n := range c.nodes {
		if n.parent >= 0 {
			c.tallies[n.parent]++
		}
		for _, g := range c.goals[n.goals.from:n.goals.to] {
			rule := g.index
			if g.refuse {
				rule = c.refuses[g.index].rule
			}
			c.tallies[i]++
			c.ways[rule] = append(c.ways[rule], int32(i))
		}
	}
}

// appendSpan appends more to table and returns where it stands.
func appendSpan[T any](table, more []T) (span32, []T) {
	from := int32(len(table))
	table = append(table, more...)
	return span32{from, int32(len(table))}, table
}
