package patterns

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/fold"
)

// resolver turns drafts into rules: names into literals, written into folded.
type resolver struct {
	*parser
	out     *Set
	index   [4]map[string]int32 // literals by where they are open, by text as written and folded
	folded  fold.Text
	scratch []int32           // literals of one element
	memo    map[string]span32 // of out.ids, by set and language
	links   []link            // room for further chains
	open    []string          // sets being resolved, against cycles
}

// resolve returns the set that was read; it is of use only if no error is left
// in p.errs.
func (p *parser) resolve() *Set {
	r := &resolver{parser: p, out: &Set{}, memo: map[string]span32{}}
	for i := range r.index {
		r.index[i] = map[string]int32{}
	}
	r.index[0] = make(map[string]int32, p.read) // most are open nowhere
	r.out.literals = make([]literal, 0, p.read)
	for _, name := range slices.Sorted(maps.Keys(p.sets)) {
		if s := p.sets[name]; s.at.line == 0 {
			p.failAt(s.used, "got extend %s, want a set of that name somewhere", s.name)
		} else {
			r.words(s.at, s, "")
		}
	}
	for _, d := range p.order {
		r.fill(d)
		r.out.rules = append(r.out.rules, d.rule)
	}
	return r.out
}

func (r *resolver) fill(d *draft) {
	for _, w := range d.matches {
		d.rule.chains = append(d.rule.chains, r.chains(w)...)
	}
	for _, w := range d.nots {
		d.rule.nots = append(d.rule.nots, exclusion{r.chains(w), w.before, w.after})
	}
	for _, w := range d.nears {
		n := near{words: w.n}
		for _, p := range w.pattern {
			n.elements = append(n.elements, r.element(w, p))
		}
		d.rule.nears = append(d.rule.nears, n)
	}
	for _, w := range d.repeats {
		d.rule.repeats = append(d.rule.repeats, repeat{w.n, r.element(w, w.pattern[0])})
	}
	for _, w := range d.expressions {
		re, err := newHostRegexp(w.text)
		if err != nil {
			r.failAt(w.at, "got a regexp that does not compile (%s), want the syntax of regexp2", err)
			continue
		}
		var literals []int32
		for _, text := range d.prefilter {
			l := literal{text: text, openStart: true, openEnd: true}
			literals = r.intern(literals, w.at, l)
		}
		re.prefilter.ids = r.keep(literals)
		d.rule.regexps = append(d.rule.regexps, re)
	}
	if len(d.counted) > 0 {
		d.rule.combo = &combo{d.atLeast, r.ruleIndexes(d)}
	}
}

// ruleIndexes resolves the ids after count, where "family/*" is every rule of
// the family that does not count others itself.
func (r *resolver) ruleIndexes(d *draft) []int {
	var found []int
	for _, id := range d.counted {
		n := len(found)
		for i, o := range r.order {
			if nameMatches(id, o.ID) && len(o.counted) == 0 {
				found = append(found, i)
			}
		}
		if len(found) == n {
			r.failAt(d.countedAt, "got %s, want family/* or the id of a rule that does not count others itself", id)
			return nil
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if d.atLeast > len(found) {
		r.failAt(d.countedAt, "got count %d of %d rules, want no more than there are", d.atLeast, len(found))
	}
	return found
}

// nameMatches reports whether pattern, a rule id or "family/*", means id.
func nameMatches(pattern, id string) bool {
	family, all := strings.CutSuffix(pattern, "/*")
	return pattern == id || all && strings.HasPrefix(id, family+"/")
}

// chains returns the readings of a written sequence: one for each choice of its
// optional parts. Where a part is left out, the wider of the gaps around it
// remains.
func (r *resolver) chains(w written) []chain {
	type reading struct {
		chain
		gap int
	}
	readings := []reading{{chain: r.room(len(w.pattern))}}
	for _, p := range w.pattern {
		if p.gap >= 0 {
			for i := range readings {
				readings[i].gap = max(readings[i].gap, p.gap)
			}
			continue
		}
		e := r.element(w, p)
		for i, with := range readings {
			if p.optional { // what follows is no longer shared
				readings = append(readings, with)
				with.chain = append(r.room(len(w.pattern)), with.chain...)
			}
			with.chain = append(with.chain, link{e, int32(with.gap)})
			with.gap = 0
			readings[i] = with
		}
	}
	out := make([]chain, len(readings))
	for i := range readings {
		out[i] = readings[i].chain
	}
	return out
}

// room returns an empty chain with room for so many links. Chains lie side by
// side, for there are many.
func (r *resolver) room(n int) chain {
	if len(r.links) < n {
		r.links = make([]link, 1024+n)
	}
	c := chain(r.links[:0:n])
	r.links = r.links[n:]
	return c
}

// keep sorts literals and puts them into out.ids.
func (r *resolver) keep(literals []int32) (s span32) {
	slices.Sort(literals)
	s, r.out.ids = appendSpan(r.out.ids, slices.Compact(literals))
	return s
}

// element returns the literals of one part; in doubt of the line's language.
func (r *resolver) element(w written, p part) element {
	all := r.scratch[:0]
	for _, o := range p.options {
		if o.set == "" {
			all = r.intern(all, w.at, o.literal)
			continue
		}
		langs := o.langs
		if len(langs) == 0 {
			langs = []string{w.lang}
		}
		set := r.sets[o.set]
		if set == nil {
			r.failAt(w.at, "got {%s}, want the name of a set", o.set)
			continue
		}
		for _, lang := range langs {
			found := r.words(w.at, set, lang)
			if found.from == found.to {
				r.failAt(w.at, "got {%s:%s}, want a language that the set has words of", o.set, lang)
			}
			if len(p.options) == 1 && len(langs) == 1 {
				return element{found, p.anchor}
			}
			all = append(all, r.out.ids[found.from:found.to]...)
		}
	}
	r.scratch = all
	return element{r.keep(all), p.anchor}
}

// words returns the literals, ascending, of a set in one language, and those in any; all of
// them if lang is "".
func (r *resolver) words(at place, s *wordSet, lang string) span32 {
	key := s.name + ":" + lang
	if known, ok := r.memo[key]; ok {
		return known
	}
	if slices.Contains(r.open, s.name) {
		r.failAt(at, "got {%s} inside of itself (%s), want no cycle of sets", s.name, strings.Join(r.open, " > "))
		return span32{}
	}
	r.open = append(r.open, s.name)
	var all []int32
	for _, line := range s.lines {
		if lang != "" && line.lang != lang && line.lang != "any" {
			continue
		}
		all = slices.Grow(all, len(line.words))
		for _, l := range line.words {
			all = r.intern(all, line.at, l)
		}
		of := line.lang
		if of == "any" {
			of = lang
		}
		for _, name := range line.includes {
			inner := r.sets[name]
			if inner == nil {
				r.failAt(line.at, "got {%s}, want the name of a set", name)
				continue
			}
			found := r.words(line.at, inner, of)
			all = append(all, r.out.ids[found.from:found.to]...)
		}
	}
	r.open = r.open[:len(r.open)-1]
	r.memo[key] = r.keep(all)
	return r.memo[key]
}

// intern appends the index of a literal to all. An apostrophe may be written
// straight or curled, and a word of some scripts with capitals.
func (r *resolver) intern(all []int32, at place, l literal) []int32 {
	all = append(all, r.internOne(at, l))
	if strings.Contains(l.text, "'") || strings.Contains(l.text, "’") {
		straight, curled := l, l
		straight.text = strings.ReplaceAll(l.text, "’", "'")
		curled.text = strings.ReplaceAll(l.text, "'", "’")
		all = append(all, r.internOne(at, straight), r.internOne(at, curled))
	}
	if strings.ContainsFunc(l.text, looksOtherwise) { // З looks like 3, з like no other
		title, upper := l, l
		first, size := utf8.DecodeRuneInString(l.text)
		title.text = string(unicode.ToUpper(first)) + l.text[size:]
		upper.text = strings.ToUpper(l.text)
		all = append(all, r.internOne(at, title), r.internOne(at, upper))
	}
	return all
}

// looksOtherwise reports the scripts whose capitals may look like other ASCII
// letters than their small letters do, so that folding does not make them one.
func looksOtherwise(c rune) bool {
	return 0x370 <= c && c < 0x2e00 && unicode.In(c, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Georgian)
}

// internOne folds a literal and returns its index.
func (r *resolver) internOne(at place, l literal) int32 {
	index := r.index[l.open()]
	if id, known := index[l.text]; known {
		return id
	}
	written := l.text
	l.text = r.fold(written)
	if l.text == "" {
		r.failAt(at, "got a word of which folding leaves nothing, want letters or marks")
	}
	id, known := index[l.text]
	if !known {
		id = int32(len(r.out.literals))
		index[l.text] = id
		r.out.literals = append(r.out.literals, l)
	}
	if l.text != written {
		index[written] = id
	}
	return id
}

// fold returns s as it stands in the main view, white space made single.
func (r *resolver) fold(s string) string {
	single, small := singleSpaced(s)
	if single && small {
		return s
	}
	r.folded.Reset(s)
	text := r.folded.Main().Text
	if single && string(text) == s {
		return s
	}
	return strings.Join(strings.FieldsFunc(string(text), func(c rune) bool {
		return c < 0x80 && isSpace(byte(c))
	}), " ")
}

// singleSpaced reports whether s has no white space but single spaces between
// words; and whether it is of small ASCII, which folding leaves alone.
func singleSpaced(s string) (single, small bool) {
	single, small = true, true
	after := true
	for i := range len(s) {
		c := s[i]
		space := isSpace(c)
		single = single && !(space && (after || c != ' '))
		small = small && ' ' <= c && c < 0x7f && (c < 'A' || 'Z' < c)
		after = space
	}
	return single && !after, small
}
