package patterns

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what a rule file may ask for, so that the cost of a scan stays
// bounded by the text and not by a careless rule.
const (
	maxErrors   = 20
	maxFileSize = 4 << 20
	maxElements = 12 // in one pattern
	maxOptional = 4  // in one pattern: 16 readings
	maxWords    = 100
	maxTimes    = 10_000
	minFlood    = 10
)

// Parse reads every *.rules file in the given file systems, at any depth, as
// one set: a word set of one file may be used in every other. The format is
// described in rules/README.md.
//
// The error joins up to twenty complaints, each of the form
// "patterns: file:line: got X, want Y".
func Parse(fsys ...fs.FS) (*Set, error) {
	p := &parser{sets: map[string]*wordSet{}, rules: map[string]*rule{}}
	for _, f := range fsys {
		if err := p.readAll(f); err != nil {
			return nil, err
		}
	}
	set := p.resolve()
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return set, nil
}

// parser holds what was read so far, before names are resolved.
type parser struct {
	at    place
	sets  map[string]*wordSet
	rules map[string]*rule
	order []*draft
	read  int // literals, as often as they stand there
	errs  []error

	set   *wordSet // the block that is open, if it is a set,
	draft *draft   // or a rule
}

// place is a line of a file.
type place struct {
	file string
	line int
}

func (at place) String() string { return at.file + ":" + strconv.Itoa(at.line) }

// wordSet is a set as written.
type wordSet struct {
	name  string
	at    place // where it was defined; line 0: only extended so far
	lines []wordLine
	used  place // where it was first extended
}

// wordLine is one line of a set: words of one language, and other sets.
type wordLine struct {
	at       place
	lang     string
	words    []literal
	includes []string
}

// draft is a rule as written: patterns not yet resolved.
type draft struct {
	*rule
	at             place
	matches, nots  []written
	nears, repeats []written
	expressions    []written
	prefilter      []string
	counted        []string // rule ids after count
	atLeast        int
	countedAt      place
	hasSeverity    bool
	flawed         bool // a line was complained of: what is missing may stand there
}

// written is one directive as written.
type written struct {
	at            place
	lang          string // of its sets; "": any
	n             int    // after near and repeat
	before, after int    // gaps at the edges after not; -1: none
	pattern       []part
	text          string // after regexp
}

func (p *parser) failf(format string, args ...any) {
	if p.draft != nil {
		p.draft.flawed = true
	}
	p.failAt(p.at, format, args...)
}

func (p *parser) failAt(at place, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, fmt.Errorf("patterns: %s: %s", at, fmt.Sprintf(format, args...)))
	}
}

func (p *parser) readAll(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("patterns: %w", err)
		}
		if d.IsDir() || path.Ext(name) != ".rules" {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("patterns: %w", err)
		}
		p.file(name, text)
		return nil
	})
}

func (p *parser) file(name string, text []byte) {
	p.at, p.set, p.draft = place{file: name}, nil, nil
	if len(text) > maxFileSize {
		p.failf("got %d bytes, want at most %d in a file", len(text), maxFileSize)
		return
	}
	for line := range strings.Lines(string(text)) {
		p.at.line++
		p.line(line)
	}
	p.close()
}

func (p *parser) line(line string) {
	if !utf8.ValidString(line) {
		p.failf("got bytes that are not UTF-8, want text")
		return
	}
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		return
	}
	key, rest := cutWord(trimmed)
	if line[0] != ' ' && line[0] != '\t' {
		p.close()
		p.open(key, stripComment(rest))
		return
	}
	switch {
	case p.set != nil:
		p.words(key, stripComment(rest))
	case p.draft != nil:
		p.directive(key, rest)
	default:
		p.failf("got an indented line outside of a block, want set, extend or rule at the start of a line first")
	}
}

// isName reports whether s is of a-z, 0-9 and -, and does not begin with -.
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c-'a' >= 26 && c-'0' >= 10 && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

// isSetName reports whether s is a name that begins with a letter.
func isSetName(s string) bool { return isName(s) && s[0] >= 'a' }

func isRuleID(s string) bool {
	family, slug, _ := strings.Cut(s, "/")
	return isSetName(family) && isName(slug)
}

// isLang reports whether s is two or three letters; that includes "any".
func isLang(s string) bool {
	return (len(s) == 2 || len(s) == 3) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// open begins a block.
func (p *parser) open(key, name string) {
	switch key {
	case "set", "extend":
		p.set = &wordSet{} // swallows the lines of a block that has a bad head
		if !isSetName(name) {
			p.failf("got %s %q, want a name of a-z, 0-9 and -", key, name)
			return
		}
		known := p.sets[name]
		if known == nil {
			known = &wordSet{name: name}
			p.sets[name] = known
		}
		switch {
		case key == "extend":
			known.used = p.at
		case known.at.line > 0:
			p.failf("got set %s again, want one definition (the other is at %s) or extend", name, known.at)
			return
		default:
			known.at = p.at
		}
		p.set = known
	case "rule":
		p.draft = &draft{rule: &rule{Rule: Rule{ID: name, File: p.at.file, Line: p.at.line}}, at: p.at}
		if !isRuleID(name) {
			p.failf("got rule %q, want family/slug of a-z, 0-9 and -", name)
		} else if known := p.rules[name]; known != nil {
			p.failf("got rule %s again, want one definition (the other is at %s:%d)", name, known.File, known.Line)
		} else {
			p.rules[name] = p.draft.rule
		}
	default:
		p.failf("got %q at the start of a line, want set, extend or rule", key)
	}
}

// words reads one line of a set: a language and its words.
func (p *parser) words(lang, list string) {
	if !isLang(lang) {
		p.failf("got %q, want a language such as en, fr, zh, or any, before the words", lang)
		return
	}
	w := wordLine{at: p.at, lang: lang, words: make([]literal, 0, strings.Count(list, ",")+1)}
	for len(list) > 0 {
		text, rest, err := cutEntry(list)
		if err != nil {
			p.failf("%s", err)
			return
		}
		list = rest
		if text == "" {
			continue
		}
		if text[0] == '{' {
			name := strings.TrimSuffix(text[1:], "}")
			if !isSetName(name) || !strings.HasSuffix(text, "}") {
				p.failf("got %s, want {name} of a set", text)
				return
			}
			w.includes = append(w.includes, name)
			continue
		}
		l, err := parseLiteral(text)
		if err != nil {
			p.failf("%s", err)
			return
		}
		w.words = append(w.words, l)
	}
	if len(w.words)+len(w.includes) == 0 {
		p.failf("got no words for %s, want some, separated by commas", lang)
	}
	p.read += len(w.words)
	p.set.lines = append(p.set.lines, w)
}

// directive reads one line of a rule.
func (p *parser) directive(key, rest string) {
	d := p.draft
	name, lang, hasLang := strings.Cut(key, ":")
	if hasLang && (name != "match" && name != "not" && name != "near" && name != "repeat" || !isLang(lang)) {
		p.failf("got %q, want a language after the colon of match, not, near or repeat only", key)
		return
	}
	plain := stripComment(rest)
	switch name {
	case "severity":
		if err := d.Severity.UnmarshalText([]byte(plain)); err != nil || d.hasSeverity {
			p.failf("got severity %q, want one of info, low, medium, high, critical, once", plain)
		}
		d.hasSeverity = true
	case "score":
		d.Score = p.number(plain, 1, 1000, "score")
	case "why":
		if d.Why != "" || rest == "" {
			p.failf("got why %q, want one sentence, once", rest)
		}
		d.Why = rest
	case "silent":
		if plain != "" {
			p.failf("got silent %q, want nothing after it", plain)
		}
		d.Silent = true
	case "view":
		p.view(plain)
	case "match":
		p.pattern(&d.matches, lang, plain, false)
	case "not":
		p.pattern(&d.nots, lang, plain, true)
	case "near", "repeat":
		p.counted(name, lang, plain)
	case "count":
		p.count(plain)
	case "regexp":
		if rest == "" {
			p.failf("got an empty regexp, want an expression")
		}
		d.expressions = append(d.expressions, written{at: p.at, text: rest})
	case "prefilter":
		p.prefilter(plain)
	case "hit":
		p.example(&d.Hits, plain, true)
	case "miss":
		p.example(&d.Misses, plain, false)
	default:
		p.failf("got %q, want one of severity, score, why, match, not, near, repeat, count, regexp, prefilter, view, silent, hit, miss", key)
	}
}

func (p *parser) number(s string, low, high int, of string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		p.failf("got %s %q, want a number from %d to %d", of, s, low, high)
		return low
	}
	return n
}

func (p *parser) view(list string) {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !isSetName(name) {
			p.failf("got view %q, want names of views, separated by commas", name)
			return
		}
		p.draft.rule.views = append(p.draft.views, name)
	}
}

func (p *parser) example(to *[]string, quoted string, hit bool) {
	s, err := strconv.Unquote(quoted)
	if err != nil || quoted[0] == '\'' || strings.TrimSpace(s) == "" {
		p.failf("got %s, want a prompt in double quotes", quoted)
		return
	}
	*to = append(*to, s)
	p.draft.examples = append(p.draft.examples, example{p.at, s, hit})
}

func (p *parser) prefilter(list string) {
	for rest := list; rest != "" || list == ""; {
		text, more, err := cutEntry(rest)
		if err == nil && !strings.HasPrefix(text, `"`) {
			err = fmt.Errorf("got prefilter %q, want texts in double quotes, separated by commas", text)
		}
		var l literal
		if err == nil {
			l, err = parseLiteral(text)
		}
		if err != nil {
			p.failf("%s", err)
			return
		}
		p.draft.prefilter = append(p.draft.prefilter, l.text)
		rest = more
	}
}

// pattern reads match and not.
func (p *parser) pattern(to *[]written, lang, text string, open bool) {
	parts, err := parsePattern(text)
	if err != nil {
		p.failf("%s", err)
		return
	}
	w := written{at: p.at, lang: lang, before: -1, after: -1}
	if open && parts[0].gap >= 0 {
		w.after, parts = parts[0].gap, parts[1:]
	}
	if n := len(parts); open && n > 0 && parts[n-1].gap >= 0 {
		w.before, parts = parts[n-1].gap, parts[:n-1]
	}
	if err := validChain(parts); err != nil {
		p.failf("%s", err)
		return
	}
	w.pattern = parts
	for _, part := range parts {
		p.read += len(part.options)
	}
	*to = append(*to, w)
}

// counted reads near and repeat.
func (p *parser) counted(name, lang, text string) {
	number, rest := cutWord(text)
	w := written{at: p.at, lang: lang}
	if name == "repeat" && rest == "*" {
		p.draft.floods = append(p.draft.floods, p.number(number, minFlood, maxTimes, "repeat of any word"))
		return
	}
	parts, err := parsePattern(rest)
	if err != nil {
		p.failf("%s", err)
		return
	}
	for _, part := range parts {
		if part.gap >= 0 || part.optional {
			p.failf("got a gap or an optional part in %s, want words and sets only", name)
			return
		}
	}
	w.pattern = parts
	switch {
	case name == "near" && (len(parts) < 2 || len(parts) > maxElements):
		p.failf("got %d parts, want from 2 to %d after near", len(parts), maxElements)
	case name == "near":
		w.n = p.number(number, 1, maxWords, "near")
		p.draft.nears = append(p.draft.nears, w)
	case len(parts) != 1:
		p.failf("got %d parts, want one after repeat", len(parts))
	default:
		w.n = p.number(number, 2, maxTimes, "repeat")
		p.draft.repeats = append(p.draft.repeats, w)
	}
}

// count reads "count 2 of a/b c/d e/*".
func (p *parser) count(text string) {
	number, rest := cutWord(text)
	of, rest := cutWord(rest)
	ids := strings.Fields(rest)
	switch {
	case of != "of" || len(ids) == 0:
		p.failf("got count %q, want count N of rule rule …", text)
	case p.draft.counted != nil:
		p.failf("got count again, want it once")
	default:
		p.draft.atLeast = p.number(number, 1, maxWords, "count")
		p.draft.counted, p.draft.countedAt = ids, p.at
	}
}

// close ends the open block and complains of what it lacks.
func (p *parser) close() {
	d := p.draft
	p.set, p.draft = nil, nil
	if d == nil {
		return
	}
	patterns := len(d.matches) + len(d.nears) + len(d.repeats) + len(d.floods) + len(d.expressions)
	p.order = append(p.order, d)
	switch {
	case d.flawed:
	case !d.hasSeverity:
		p.failAt(d.at, "got rule %s without severity, want one", d.ID)
	case d.Why == "":
		p.failAt(d.at, "got rule %s without why, want one sentence", d.ID)
	case patterns == 0 && d.counted == nil:
		p.failAt(d.at, "got rule %s without a pattern, want match, near, repeat, count or regexp", d.ID)
	case d.counted != nil && (patterns > 0 || len(d.nots) > 0 || len(d.rule.views) > 0):
		p.failAt(d.countedAt, "got count beside other patterns, want count alone")
		d.counted = nil
	case (len(d.expressions) > 0) != (len(d.prefilter) > 0):
		p.failAt(d.at, "got rule %s with one of regexp and prefilter, want both", d.ID)
	case len(d.Hits) == 0 || len(d.Misses) == 0:
		p.failAt(d.at, "got rule %s with %d hit and %d miss, want at least one of each", d.ID, len(d.Hits), len(d.Misses))
	}
}
