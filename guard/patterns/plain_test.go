package patterns

import (
	"bytes"
	"slices"
	"unicode"
)

// hit is a literal found in a text.
type hit struct {
	literal    int32
	start, end int
}

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

// event is a match, or something that refuses matches.
type event struct {
	span
	not *exclusion
}

func (p *plain) rule(r *rule) []span {
	events := p.events(r)
	var found []span
	for i, e := range events {
		if e.not != nil {
			found = slices.DeleteFunc(found, func(s span) bool { return p.excludes(e.not, e.span, s) })
			continue
		}
		refused := slices.ContainsFunc(events[:i], func(o event) bool {
			return o.not != nil && p.excludes(o.not, o.span, e.span)
		})
		if !refused {
			found = mergeSpan(found, e.span)
		}
	}
	for _, times := range r.floods {
		if s, ok := p.flood(times); ok {
			found = append(found, s)
			slices.SortFunc(found, func(a, b span) int { return a.start - b.start })
			var apart []span
			for _, s := range found {
				apart = mergeSpan(apart, s)
			}
			found = apart
		}
	}
	return found
}

// events are in the order of their ends, refusals first.
func (p *plain) events(r *rule) []event {
	var events []event
	add := func(spans []span, not *exclusion) {
		for _, s := range spans {
			events = append(events, event{s, not})
		}
	}
	for i := range r.nots {
		for _, c := range r.nots[i].chains {
			add(p.chain(c), &r.nots[i])
		}
	}
	for _, c := range r.chains {
		add(p.chain(c), nil)
	}
	for _, n := range r.nears {
		add(p.near(n), nil)
	}
	for _, n := range r.repeats {
		add(p.repeat(n), nil)
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.end - b.end })
	return events
}

// mergeSpan adds s to spans; those that overlap become one.
func mergeSpan(spans []span, s span) []span {
	for len(spans) > 0 && s.start < spans[len(spans)-1].end {
		last := spans[len(spans)-1]
		s = span{min(s.start, last.start), max(s.end, last.end)}
		spans = spans[:len(spans)-1]
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
		if slices.Contains(p.set.of(e), h.literal) && anchored(p.text, e.anchor, h.start) {
			out = append(out, h)
		}
	}
	return out
}

// chain returns where the sequence is complete. Each element follows the nearest
// end of the one before; of several that end there, the one that began first.
func (p *plain) chain(c chain) []span {
	var reached []span
	for i, e := range c {
		var next []span
		for _, h := range p.of(e.element) {
			if i == 0 {
				next = append(next, span{h.start, h.end})
				continue
			}
			before := span{}
			for _, s := range reached {
				if s.end <= h.start && (s.end > before.end || s.end == before.end && s.start < before.start) {
					before = s
				}
			}
			if before.end > 0 && p.between(before.end, h.start) <= int(e.gap)*wordWeight {
				next = append(next, span{before.start, h.end})
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
		for i, e := range n.elements {
			if !slices.Contains(p.set.of(e), h.literal) || !anchored(p.text, e.anchor, h.start) {
				continue
			}
			latest[i] = max(latest[i], h.start+1)
			if first := slices.Min(latest); first > 0 && p.units[h.end]-p.from(first-1) <= n.words*wordWeight {
				out = append(out, span{first - 1, h.end})
			}
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

// flood returns the flood that is complete first, and all of it.
func (p *plain) flood(times int) (found span, ok bool) {
	tokens := tokensOf(p.text)
	done := 0 // end of the completed flood
	for period := 1; period <= maxPeriod; period++ {
		for i, n := 0, 0; i+period < len(tokens); i++ {
			if !p.same(tokens[i], tokens[i+period], period) {
				n = 0
				continue
			}
			if n++; n+period < times*period || ok && tokens[i+period].end >= done {
				continue
			}
			done, ok = tokens[i+period].end, true
			last := i
			for last+1+period < len(tokens) && p.same(tokens[last+1], tokens[last+1+period], period) {
				last++
			}
			found = span{tokens[i+1-n].start, tokens[last+period].end}
			break
		}
	}
	return found, ok
}

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
