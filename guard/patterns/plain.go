package patterns

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"
)

// hit is a literal found in a text.
type hit struct {
	literal    int32
	start, end int
}

// span is where a rule matched, in bytes of a view.
type span struct{ start, end int }

const maxSpans = 4 // of one rule in one view

// plain looks for the rules of a set in the plainest way: every literal at
// every position, every choice of hits.
type plain struct {
	set   *Set
	text  []byte
	units []int // units[i]: weight of the words that begin before i
	hits  []hit // by end, start, literal
	spans [][]span
}

// run returns the spans of each rule, by its index.
func (p *plain) run(set *Set, text []byte) [][]span {
	p.set, p.text = set, text
	p.units = weigh(text)
	p.hits = p.find()
	p.spans = make([][]span, len(set.rules))
	for i, r := range set.rules {
		p.spans[i] = p.rule(r)
	}
	return p.spans
}

func weigh(text []byte) []int {
	units := make([]int, len(text)+1)
	before := other
	for i := 0; i < len(text); {
		c, n := classOf(text[i:])
		w := 0
		if c == unspaced {
			w = 1
		} else if c == spaced && before != spaced {
			w = wordWeight
		}
		for j := range n {
			units[i+j+1] = units[i] + w
		}
		before = c
		i += n
	}
	return units
}

func (p *plain) find() []hit {
	var hits []hit
	for id, l := range p.set.literals {
		for s := range p.text {
			if e := p.at(l.text, s); e > 0 && bounded(p.text, l, s, e) {
				hits = append(hits, hit{int32(id), s, e})
			}
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		if a.end != b.end {
			return a.end - b.end
		}
		if a.start != b.start {
			return a.start - b.start
		}
		return int(a.literal - b.literal)
	})
	return hits
}

// at returns the end of the literal that begins at i; 0 if none does.
func (p *plain) at(literal string, i int) int {
	for j := range len(literal) {
		if i == len(p.text) {
			return 0
		}
		if literal[j] != ' ' {
			if p.text[i] != literal[j] {
				return 0
			}
			i++
			continue
		}
		if !isSpace(p.text[i]) {
			return 0
		}
		for i < len(p.text) && isSpace(p.text[i]) {
			i++
		}
	}
	return i
}

// bounded reports whether a literal at [start, end) begins and ends where words do.
func bounded(text []byte, l literal, start, end int) bool {
	if !l.openStart && classAt(text, start) == spaced && classBefore(text, start) == spaced {
		return false
	}
	return l.openEnd || classBefore(text, end) != spaced || classAt(text, end) != spaced
}

// before weighs the words between an earlier end and the start of a hit.
func (p *plain) between(end, start int) int {
	return p.from(start) - p.units[end]
}

// from is the weight of the words before start, less the one that start is in.
func (p *plain) from(start int) int {
	if classBefore(p.text, start) == spaced && classAt(p.text, start) == spaced {
		return p.units[start] - wordWeight
	}
	return p.units[start]
}

// anchored reports whether start is where the anchor wants it.
func anchored(text []byte, a anchor, start int) bool {
	if a == anywhere {
		return true
	}
	for i, left := start, maxMarks; ; left-- {
		if i == 0 {
			return true
		}
		r, n := utf8.DecodeLastRune(text[:i])
		switch {
		case (r == '\n' || r == '\r') && a != atPrompt:
			return true
		case a == atSentence && endsSentence(r):
			return true
		case runeOrASCII(r) != other || left == 0:
			return false
		}
		i -= n
	}
}

// maxMarks is how many marks and blanks may stand before an anchored element.
const maxMarks = 16

func runeOrASCII(r rune) class {
	if r < utf8.RuneSelf {
		return asciiClass[r]
	}
	return runeClass(r)
}

func endsSentence(r rune) bool {
	switch r {
	case '.', '!', '?', ':', ';', '。':
		return true
	}
	return false
}

func (p *plain) rule(r *rule) []span {
	var found []span // of each pattern, then merged in the order of their ends
	type event struct {
		span
		not *exclusion
	}
	var events []event
	for _, c := range r.chains {
		for _, s := range p.chain(c) {
			events = append(events, event{span: s})
		}
	}
	for _, n := range r.nears {
		for _, s := range p.near(n) {
			events = append(events, event{span: s})
		}
	}
	for _, n := range r.repeats {
		for _, s := range p.repeat(n) {
			events = append(events, event{span: s})
		}
	}
	for i := range r.nots {
		for _, c := range r.nots[i].chains {
			for _, s := range p.chain(c) {
				events = append(events, event{s, &r.nots[i]})
			}
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.end - b.end })
	for i, e := range events {
		if e.not != nil {
			found = slices.DeleteFunc(found, func(s span) bool { return p.excludes(e.not, e.span, s) })
			continue
		}
		excluded := slices.ContainsFunc(events[:i], func(o event) bool {
			return o.not != nil && p.excludes(o.not, o.span, e.span)
		})
		if !excluded {
			found = merge(found, e.span)
		}
	}
	for _, times := range r.floods {
		for _, s := range p.flood(times) {
			found = merge(found, s)
		}
	}
	return found
}

// merge adds s to spans, which are in the order of their ends.
func merge(spans []span, s span) []span {
	if n := len(spans); n > 0 && s.start < spans[n-1].end {
		spans[n-1].start = min(spans[n-1].start, s.start)
		spans[n-1].end = max(spans[n-1].end, s.end)
		return spans
	}
	if len(spans) == maxSpans {
		return spans
	}
	return append(spans, s)
}

// excludes reports whether not, found at n, drops a match at s.
func (p *plain) excludes(not *exclusion, n, s span) bool {
	switch {
	case n.start >= s.end:
		return not.after >= 0 && p.between(s.end, n.start) <= not.after*wordWeight
	case n.end <= s.start:
		return not.before >= 0 && p.between(n.end, s.start) <= not.before*wordWeight
	}
	return true
}

// of returns the hits of an element.
func (p *plain) of(e element) []hit {
	var out []hit
	for _, h := range p.hits {
		if slices.Contains(e.literals, h.literal) && anchored(p.text, e.anchor, h.start) {
			out = append(out, h)
		}
	}
	return out
}

// chain returns, for each end at which the sequence is complete, its span.
// Each element follows the nearest end of the one before.
func (p *plain) chain(c chain) []span {
	var reached []span
	for i, e := range c.elements {
		var next []span
		for _, h := range p.of(e) {
			start := h.start
			if i > 0 {
				before := slices.IndexFunc(reached, func(s span) bool { return s.end > h.start })
				if before < 0 {
					before = len(reached)
				}
				if before == 0 || p.between(reached[before-1].end, h.start) > c.gaps[i-1]*wordWeight {
					continue
				}
				start = reached[before-1].start
			}
			if n := len(next); n > 0 && next[n-1].end == h.end {
				next[n-1].start = min(next[n-1].start, start)
			} else {
				next = append(next, span{start, h.end})
			}
		}
		reached = next
	}
	return reached
}

// near returns a span for each hit that completes the elements in the window.
func (p *plain) near(n near) []span {
	latest := make([]int, len(n.elements)) // start+1 of the latest hit of each
	var out []span
	for _, h := range p.hits {
		touched := false
		for i, e := range n.elements {
			if slices.Contains(e.literals, h.literal) && anchored(p.text, e.anchor, h.start) {
				latest[i] = max(latest[i], h.start+1)
				touched = true
			}
		}
		if first := slices.Min(latest); touched && first > 0 && p.units[h.end]-p.from(first-1) <= n.words*wordWeight {
			out = append(out, span{first - 1, h.end})
		}
	}
	return out
}

// repeat returns a span for each hit that is one too many.
func (p *plain) repeat(r repeat) []span {
	type row struct{ start, end, times int }
	rows := map[int32]*row{}
	var out []span
	for _, h := range p.of(r.element) {
		last := rows[h.literal]
		switch {
		case last == nil || h.start >= last.end && p.between(last.end, h.start) > 0:
			rows[h.literal] = &row{h.start, h.end, 1}
			continue
		case h.start < last.end:
			continue
		}
		last.end = h.end
		if last.times++; last.times >= r.times {
			out = append(out, span{last.start, h.end})
		}
	}
	return out
}

// flood returns where one word stands so many times in a row, or one group of
// up to eight characters of an unspaced script.
func (p *plain) flood(times int) []span {
	var out []span
	tokens := tokensOf(p.text)
	for period := 1; period <= maxPeriod; period++ {
		for i := 0; i < len(tokens); {
			j := i
			for j+period < len(tokens) && p.same(tokens[j], tokens[j+period], period) {
				j++
			}
			if n := j + period - i; j > i && n >= times*period {
				out = append(out, span{tokens[i].start, tokens[i+n-1].end})
				i += n
				continue
			}
			i = max(i+1, j)
		}
	}
	slices.SortFunc(out, func(a, b span) int { return a.end - b.end })
	return out
}

const maxPeriod = 8

type token struct {
	span
	class class
}

// same reports whether two tokens are equal and have a letter; groups are of
// unspaced characters.
func (p *plain) same(a, b token, period int) bool {
	word := p.text[a.start:a.end]
	return (period == 1 || a.class == unspaced && b.class == unspaced) &&
		bytes.Equal(word, p.text[b.start:b.end]) && bytes.ContainsFunc(word, unicode.IsLetter)
}

// tokensOf returns the words and unspaced characters of a text.
func tokensOf(text []byte) []token {
	var out []token
	for i := 0; i < len(text); {
		c, n := classOf(text[i:])
		last := len(out) - 1
		switch {
		case c == unspaced, c == spaced && (last < 0 || out[last].end < i || out[last].class != spaced):
			out = append(out, token{span{i, i + n}, c})
		case c == spaced:
			out[last].end += n
		}
		i += n
	}
	return out
}
