package guard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/fold"
	"github.com/llmaas/llmaas-go/guard/patterns"
	"github.com/llmaas/llmaas-go/guard/structure"
)

// Options configures [New]. The zero value gives the three layers with their
// defaults.
type Options struct {
	// Policy is how prompts are judged. The zero value is the default policy.
	Policy Policy

	// Tenants are the policies of single tenants, by [Input].Tenant. A tenant
	// that is not named here has Policy. See [Guard.SetPolicy], [Guard.RemovePolicy].
	Tenants map[string]Policy

	// Rules holds the host's own rule files, *.rules at any depth; nil means
	// none. guard/patterns/rules/README.md says how to write one. See
	// [Guard.SetRules].
	Rules fs.FS

	// OnlyRules makes Rules, which must not be nil then, replace the built-in
	// rules; otherwise they add to them, and may use their word sets.
	OnlyRules bool

	// Checks run after the layers of structure and patterns and before the one
	// of behavior, in this order.
	Checks []Check

	// History remembers the sessions for the behavior layer. nil means a
	// bounded memory of this process.
	History History

	// HistoryFailed is told why a shared History could not be reached, while
	// the finding behavior/unavailable says only that it could not. It is called
	// by many goroutines. nil means that nobody is told.
	HistoryFailed func(error)

	// MaxBytes refuses longer prompts unread, with the finding
	// "guard/too-long". 0 means no limit: a prompt of any length is judged
	// whole, in time linear in its length.
	MaxBytes int

	// Now is asked for the time of an [Input] that has none. nil means time.Now.
	Now func() time.Time
}

// Guard judges prompts. It is safe for concurrent use.
type Guard struct {
	checks   []Check // structure, patterns, the host's, behavior
	patterns *patterns.Patterns
	builtin  []fs.FS // the rule files that stay whatever the host's are
	maxBytes int
	now      func() time.Time
	fallback *policy
	scratch  sync.Pool // of *scratch

	mu sync.Mutex // serializes SetPolicy and RemovePolicy
	// tenants holds what the host named, in Options and by SetPolicy; no prompt
	// adds to it. A change copies it, so that reading takes no lock.
	tenants atomic.Pointer[map[string]*policy]
}

// New makes a guard. The error says which option is wrong. It compiles every
// rule: make one guard and share it.
func New(o Options) (*Guard, error) {
	g := &Guard{maxBytes: o.MaxBytes, now: o.Now}
	if g.now == nil {
		g.now = time.Now
	}
	if g.maxBytes < 0 {
		return nil, fmt.Errorf("guard: Options.MaxBytes: got %d, want 0 or more", g.maxBytes)
	}
	var err error
	if g.fallback, err = compilePolicy(o.Policy); err != nil {
		return nil, fmt.Errorf("guard: Options.Policy: %w", err)
	}
	tenants := make(map[string]*policy, len(o.Tenants))
	for name, p := range o.Tenants {
		if tenants[name], err = compilePolicy(p); err != nil {
			return nil, fmt.Errorf("guard: Options.Tenants[%q]: %w", name, err)
		}
	}
	g.tenants.Store(&tenants)
	if err := g.addChecks(o); err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	g.scratch.New = func() any { return new(scratch) }
	return g, nil
}

func (g *Guard) addChecks(o Options) error {
	shape, err := structure.New()
	if err != nil {
		return err
	}
	if o.OnlyRules && o.Rules == nil {
		return errors.New("Options.Rules: got none, want some, for OnlyRules leaves no others")
	}
	if !o.OnlyRules {
		g.builtin = []fs.FS{patterns.Builtin()}
	}
	rules, err := g.parseRules(o.Rules)
	if err != nil {
		return fmt.Errorf("Options.Rules: %w", err)
	}
	if g.patterns, err = patterns.New(patterns.Options{Set: rules}); err != nil {
		return err
	}
	past, err := behavior.New(behavior.Options{
		History:       o.History,
		Scan:          seam{g},
		HistoryFailed: o.HistoryFailed,
		Policy:        func(tenant string) BehaviorPolicy { return g.policy(tenant).behavior },
	})
	if err != nil {
		return err
	}
	g.checks = append(g.checks, shape, g.patterns)
	for i, c := range o.Checks {
		if c == nil {
			return fmt.Errorf("Options.Checks[%d]: got nil, want a Check", i)
		}
		g.checks = append(g.checks, c)
	}
	g.checks = append(g.checks, past)
	return nil
}

// seam is the layer of patterns for texts that the behavior layer joins from
// several prompts: the rules that a tenant switched off stay off there.
type seam struct{ g *Guard }

func (s seam) Inspect(ctx context.Context, p *Prompt, dst []Finding) []Finding {
	fresh := len(dst)
	dst = s.g.patterns.Inspect(ctx, p, dst)
	return append(dst[:fresh], s.g.policy(p.Tenant).filter(p.Text, dst[fresh:])...)
}

// parseRules reads the rules of the host and the built-in ones, if they are wanted.
// These alone are nil: package patterns has them ready.
func (g *Guard) parseRules(host fs.FS) (*patterns.Set, error) {
	if host == nil && len(g.builtin) > 0 {
		return nil, nil
	}
	all := slices.Clone(g.builtin)
	if host != nil {
		all = append(all, host)
	}
	return patterns.Parse(all...)
}

// SetRules replaces the host's rules, those of [Options].Rules, while the guard
// is in use; nil means none. What [Options].OnlyRules said holds on. Prompts that are being judged
// are finished with the old rules. After an error the old rules stay.
func (g *Guard) SetRules(host fs.FS) error {
	set, err := g.parseRules(host)
	if err != nil {
		return fmt.Errorf("guard: rules: %w", err)
	}
	if err := g.patterns.Replace(set); err != nil {
		return fmt.Errorf("guard: rules: %w", err)
	}
	return nil
}

// SetPolicy replaces the policy of one tenant while the guard is in use. It
// holds from the next prompt on. The time it takes grows with the number of
// tenants that have a policy of their own.
func (g *Guard) SetPolicy(tenant string, p Policy) error {
	c, err := compilePolicy(p)
	if err != nil {
		return fmt.Errorf("guard: policy of tenant %q: %w", tenant, err)
	}
	g.changeTenants(func(tenants map[string]*policy) { tenants[tenant] = c })
	return nil
}

// RemovePolicy forgets the policy that a tenant has of its own, so that
// [Options].Policy holds for it again, from the next prompt on. It takes the time
// of [Guard.SetPolicy].
func (g *Guard) RemovePolicy(tenant string) {
	g.changeTenants(func(tenants map[string]*policy) { delete(tenants, tenant) })
}

func (g *Guard) changeTenants(change func(map[string]*policy)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	tenants := maps.Clone(*g.tenants.Load())
	change(tenants)
	g.tenants.Store(&tenants)
}

func (g *Guard) policy(tenant string) *policy {
	if p := (*g.tenants.Load())[tenant]; p != nil {
		return p
	}
	return g.fallback
}

// scratch is what one Inspect works with. The views of one prompt are a few
// times its size; keepBytes bounds what a pooled one holds on to.
type scratch struct {
	folded fold.Text
	prompt Prompt
	found  []Finding
}

const (
	keepBytes    = 1 << 20
	keepFindings = 1024
)

// Inspect judges one prompt.
//
// Any text is judged, however long and whatever its bytes. When ctx ends before
// every layer has spoken, the report blocks, with the finding
// "guard/interrupted" beside those made so far.
func (g *Guard) Inspect(ctx context.Context, in Input) Report {
	p := g.policy(in.Tenant)
	if p.off {
		return Report{Off: true}
	}
	if g.maxBytes > 0 && len(in.Text) > g.maxBytes {
		return refuse(nil, p, tooLong, Span{Start: g.maxBytes, End: len(in.Text)})
	}
	if in.Time.IsZero() {
		in.Time = g.now()
	}
	s := g.scratch.Get().(*scratch)
	s.folded.Reset(in.Text)
	s.prompt = Prompt{Input: in, Folded: &s.folded}
	found := s.found[:0]
	for _, c := range g.checks {
		if ctx.Err() != nil {
			break
		}
		fresh := len(found)
		found = c.Inspect(ctx, &s.prompt, found)
		found = append(found[:fresh], p.filter(in.Text, found[fresh:])...)
	}
	defer g.release(s, found)
	if ctx.Err() != nil { // the check at work may not have looked at everything
		return refuse(found, p, interrupted, Span{})
	}
	if s.folded.Truncated() {
		found = append(found, p.filter(in.Text, []Finding{undecoded.finding(Span{End: len(in.Text)})})...)
	}
	return newReport(found, p)
}

// release puts s back, without the prompt and without memory that a giant left.
func (g *Guard) release(s *scratch, found []Finding) {
	long := len(s.prompt.Text) > keepBytes
	s.prompt = Prompt{}
	s.folded.Reset("")
	if long {
		return
	}
	s.found = nil
	if cap(found) <= keepFindings {
		s.found = found[:0]
	}
	g.scratch.Put(s)
}

// refuse reports found and one finding of the guard itself, and blocks whatever
// the thresholds: a prompt that was not judged must not pass for a clean one.
func refuse(found []Finding, p *policy, r Rule, at Span) Report {
	report := newReport(append(found, r.finding(at)), p)
	report.Action = Block
	return report
}
