package patterns

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// Layer is the name of this layer in its findings.
const Layer = "patterns"

//go:embed rules/*.rules
var builtin embed.FS

// Builtin returns the files of the built-in rules, for [Parse].
func Builtin() fs.FS {
	rules, err := fs.Sub(builtin, "rules")
	if err != nil {
		panic(err) // "rules" is a valid path
	}
	return rules
}

// Options says what [New] looks for. Its zero value means the built-in rules.
type Options struct {
	// Set is what to look for instead of the built-in rules. To add to these,
	// parse both: Parse(Builtin(), os.DirFS("rules")).
	Set *Set

	// Disable names rules that never fire, as "family/slug" or "family/*".
	Disable []string

	// RegexpTime is what the regexp rules of a set may spend on one prompt, all
	// of them together. Zero means 100 ms. The clock of regexp2 ticks every
	// 100 ms, so that the true time may be up to 200 ms longer. The built-in
	// rules have no regexp.
	RegexpTime time.Duration
}

// Patterns looks for the rules of a [Set]. It is a [check.Check] and safe for
// concurrent use.
type Patterns struct {
	disable    []string
	regexpTime time.Duration
	program    atomic.Pointer[program]
}

// New returns a check that looks for the rules that the options name.
func New(o Options) (*Patterns, error) {
	if o.RegexpTime < 0 {
		return nil, fmt.Errorf("patterns: Options.RegexpTime: got %s, want zero or more", o.RegexpTime)
	}
	set := o.Set
	if set == nil {
		var err error
		if set, err = Parse(Builtin()); err != nil {
			return nil, err
		}
	}
	p := &Patterns{disable: slices.Clone(o.Disable), regexpTime: cmp.Or(o.RegexpTime, 100*time.Millisecond)}
	if err := p.Replace(set); err != nil {
		return nil, err
	}
	return p, nil
}

// Replace makes p look for the rules of another set from the next prompt on.
// Prompts that are being looked at are finished with the rules that they began
// with. Options.Disable holds for the new set too; a name in it that the set
// does not know is an error, and p stays as it was.
func (p *Patterns) Replace(set *Set) error {
	prog, err := compile(set, p.disable)
	if err != nil {
		return err
	}
	p.program.Store(prog)
	return nil
}

// Set returns the rules that p looks for now.
func (p *Patterns) Set() *Set { return p.program.Load().set }

// Inspect is Scan, as a [check.Check]. When ctx ends it returns what it has
// found so far.
func (p *Patterns) Inspect(ctx context.Context, prompt *check.Prompt, dst []check.Finding) []check.Finding {
	return p.scan(ctx, prompt.Folded, dst)
}

// Scan appends to dst what the rules find in text and returns the longer slice.
func (p *Patterns) Scan(text *fold.Text, dst []check.Finding) []check.Finding {
	return p.scan(context.Background(), text, dst)
}

func (p *Patterns) scan(ctx context.Context, text *fold.Text, dst []check.Finding) []check.Finding {
	s := p.run(ctx, text, dst)
	return s.kept()
}

func (p *Patterns) run(ctx context.Context, text *fold.Text, dst []check.Finding) *scan {
	prog := p.program.Load()
	s := &scan{program: prog, dst: dst, from: len(dst), seen: make([]int, len(prog.set.rules)), clock: p.regexpTime}
	s.view(text.Main())
	for v := range text.Decoded() {
		if ctx.Err() != nil {
			break
		}
		s.view(v)
	}
	s.combos()
	return s
}

// program is a set made ready to run.
type program struct {
	set      *Set
	disabled []bool // by rule
}

func compile(set *Set, disable []string) (*program, error) {
	p := &program{set: set, disabled: make([]bool, len(set.rules))}
	for _, name := range disable {
		known := false
		for i, r := range set.rules {
			if nameMatches(name, r.ID) {
				p.disabled[i], known = true, true
			}
		}
		if !known {
			return nil, fmt.Errorf("patterns: Options.Disable: got %q, want the id of a rule or family/*", name)
		}
	}
	return p, nil
}

// scan is the work on one prompt.
type scan struct {
	*program
	dst   []check.Finding
	from  int   // of dst: where the findings of this scan begin
	seen  []int // how often each rule was found
	clock time.Duration
}

func (s *scan) view(v *fold.View) {
	found := new(plain).run(s.set, v.Text)
	from := len(s.dst)
	for i, r := range s.set.rules {
		if s.disabled[i] || !r.seenIn(v.Name) {
			continue
		}
		for _, m := range found[i] {
			s.add(i, v.Span(m.start, m.end), v.Name, r.Why)
		}
		s.regexps(i, v)
	}
	slices.SortStableFunc(s.dst[from:], func(a, b check.Finding) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
}

// add reports rule i at a place, unless it was reported there before or often
// enough.
func (s *scan) add(i int, at fold.Span, view, why string) {
	r := s.set.rules[i]
	if s.seen[i] == maxSpans {
		return
	}
	for _, f := range s.dst[s.from:] {
		if f.Rule == r.ID && f.Span.Start < at.End && at.Start < f.Span.End {
			return
		}
	}
	s.seen[i]++
	s.dst = append(s.dst, check.Finding{
		Rule: r.ID, Layer: Layer, Severity: r.Severity, Score: r.Score, Span: at, View: view, Why: why,
	})
}

// regexps tries the expressions of rule i.
func (s *scan) regexps(i int, v *fold.View) {
	for _, re := range s.set.rules[i].regexps {
		text := string(v.Text)
		if !re.wanted(text) {
			continue
		}
		begin := time.Now()
		at, err := re.expression.FindAllStringIndex(text, maxSpans)
		s.clock -= time.Since(begin)
		if err != nil || s.clock < 0 {
			s.add(i, v.Span(0, len(v.Text)), v.Name, "could not be decided in time: "+s.set.rules[i].Why)
			continue
		}
		for _, m := range at {
			s.add(i, v.Span(m[0], m[1]), v.Name, s.set.rules[i].Why)
		}
	}
}

// combos adds the rules that count others.
func (s *scan) combos() {
	for i, r := range s.set.rules {
		if r.combo == nil || s.disabled[i] {
			continue
		}
		fired, first := 0, -1
		for _, part := range r.combo.rules {
			if s.seen[part] > 0 {
				fired++
				at := slices.IndexFunc(s.dst[s.from:], func(f check.Finding) bool { return f.Rule == s.set.rules[part].ID })
				if first < 0 || at < first {
					first = at
				}
			}
		}
		if fired >= r.combo.atLeast {
			f := s.dst[s.from+first]
			s.add(i, f.Span, f.View, r.Why)
		}
	}
}

// kept returns the findings without those of silent rules.
func (s *scan) kept() []check.Finding {
	kept := slices.DeleteFunc(s.dst[s.from:], func(f check.Finding) bool {
		return slices.ContainsFunc(s.set.rules, func(r *rule) bool { return r.Silent && r.ID == f.Rule })
	})
	return s.dst[:s.from+len(kept)]
}

// Verify runs every hit and every miss of the set. The error joins a complaint
// for each hit that does not make its own rule fire and each miss that does.
func (s *Set) Verify() error {
	p, err := New(Options{Set: s})
	if err != nil {
		return err
	}
	var errs []error
	var text fold.Text
	for i, r := range s.rules {
		for _, e := range r.examples {
			text.Reset(e.text)
			if fired := p.run(context.Background(), &text, nil).seen[i] > 0; fired != e.hit {
				errs = append(errs, fmt.Errorf("patterns: %s: got %s %s, want the opposite", e.at, r.ID, verdicts[fired]))
			}
		}
	}
	return errors.Join(errs...)
}

var verdicts = map[bool]string{true: "firing", false: "not firing"}
