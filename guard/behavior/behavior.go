package behavior

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/llmaas/llmaas-go/guard/check"
)

// Layer is the Layer of every finding of this package.
const Layer = "behavior"

// The rules of this package, as they stand in [check.Finding].Rule.
const (
	Fragmentation  = "behavior/fragmentation"   // an attack in pieces is complete with this prompt
	Repetition     = "behavior/repetition"      // the same prompt, too many times in a row
	NearRepetition = "behavior/near-repetition" // nearly the same prompt, too many times in a row
	Alternation    = "behavior/alternation"     // a few prompts in turns, too many times
	Escalation     = "behavior/escalation"      // the session has made too many attempts lately
	Retry          = "behavior/retry"           // the same request, wrapped differently each time
	Unavailable    = "behavior/unavailable"     // the history could not be reached
)

// View is the View of a finding that the history made, in place of a view of
// the prompt.
const View = "history"

// Options configure a [Behavior]. The zero value remembers sessions in memory
// and finds everything but fragmentation, which needs Scan.
type Options struct {
	// History remembers the sessions. Nil means a [Memory] with its defaults.
	History History

	// Scan judges the text that the pieces of several prompts make together:
	// the patterns layer. It must be a different one from this Behavior. Nil
	// means that fragmentation is not looked for.
	Scan check.Check

	// Policy returns the policy of a tenant. It is called for every prompt, by
	// many goroutines. Nil means the zero [Policy] for every tenant.
	Policy func(tenant string) Policy

	// HistoryFailed is told why a history could not be reached, for the
	// operator: the finding says only that it could not. It is called by many
	// goroutines. Nil means that nobody is told.
	HistoryFailed func(error)
}

// Policy is what one tenant wants. The zero value gives the defaults.
type Policy struct {
	// Off switches this layer off: nothing is looked for, nothing remembered.
	Off bool

	// Repeats is which identical prompt in a row is one too many. Zero means
	// DefaultRepeats. The same number holds for near-copies and alternations.
	Repeats int

	// RepeatPoints is what such a prompt scores, and so whether it is blocked.
	// Zero means [check.High]'s points. Near-copies and alternations score
	// [check.Low]'s points whatever stands here.
	RepeatPoints int

	// EscalateAt is how many points the earlier prompts of a session must hold
	// together, decayed, before a further prompt is scored for them. Zero means
	// DefaultEscalateAt; negative switches escalation off.
	EscalateAt int

	// BlockAt is the score at which the host blocks a prompt; what is blocked
	// already is not searched for fragments. Zero means DefaultBlockAt.
	BlockAt int

	// FailClosed blocks prompts while the history cannot be reached. Otherwise
	// they pass with an Info finding.
	FailClosed bool
}

// Defaults of [Policy].
const (
	DefaultRepeats    = 30
	DefaultEscalateAt = 200 // two blocked attempts
	DefaultBlockAt    = 100
)

func (p Policy) withDefaults() Policy {
	if p.Repeats <= 0 {
		p.Repeats = DefaultRepeats
	}
	if p.RepeatPoints <= 0 {
		p.RepeatPoints = check.High.Points()
	}
	if p.EscalateAt == 0 {
		p.EscalateAt = DefaultEscalateAt
	}
	if p.BlockAt <= 0 {
		p.BlockAt = DefaultBlockAt
	}
	return p
}

// Behavior is the layer, a [check.Check]. It is safe for concurrent use.
type Behavior struct {
	opts Options
	pool sync.Pool // of *work
}

var _ check.Check = (*Behavior)(nil)

// New returns a Behavior.
func New(opts Options) (*Behavior, error) {
	if b, ok := opts.Scan.(*Behavior); ok && b != nil {
		return nil, errors.New("behavior: Options.Scan: got a Behavior, want a check that remembers nothing")
	}
	if opts.History == nil {
		memory, err := NewMemory(MemoryOptions{})
		if err != nil {
			return nil, err
		}
		opts.History = memory
	}
	if opts.Policy == nil {
		opts.Policy = func(string) Policy { return Policy{} }
	}
	b := &Behavior{opts: opts}
	b.pool.New = func() any { return new(work) }
	return b, nil
}

// work is the memory of one Inspect.
type work struct {
	entry   Entry
	letters nearLetters
	past    Past
	seam    seam
}

// Inspect records p in the history of its session and appends what that history
// says about p to dst. It must run after every other check: the findings in dst
// are taken as theirs about p, and their points as what p scores by itself.
//
// A prompt without a Session is neither judged nor remembered.
func (b *Behavior) Inspect(ctx context.Context, p *check.Prompt, dst []check.Finding) []check.Finding {
	if p.Session == "" {
		return dst
	}
	policy := b.opts.Policy(p.Tenant).withDefaults()
	if policy.Off {
		return dst
	}
	w := b.pool.Get().(*work)
	defer b.pool.Put(w)

	own := 0
	for _, f := range dst {
		own += f.Points()
	}
	blocked := own >= policy.BlockAt
	attempt := 0
	if own >= policy.BlockAt/2 {
		attempt = min(own, policy.BlockAt)
	}
	text := p.Folded.Main().Text
	w.record(text, p.Time, attempt, blocked)
	err := b.opts.History.Append(ctx, Key{p.Tenant, p.Session}, &w.entry, &w.past)
	w.entry.Piece = nil // it is the prompt's memory, and goes with it
	if err != nil {
		if b.opts.HistoryFailed != nil {
			b.opts.HistoryFailed(err)
		}
		return append(dst, unavailable(p, policy))
	}
	dst = appendRuns(dst, p, policy, &w.past)
	dst = appendEscalation(dst, p, policy, &w.past)
	if blocked {
		return dst
	}
	dst = appendRetry(dst, p, text, &w.past)
	if b.opts.Scan != nil {
		dst = w.seam.find(ctx, b.opts.Scan, p, w.past.Pieces, dst)
	}
	return dst
}

// record makes the entry of a prompt. A blocked prompt never reaches the model, so
// no text of it can become part of anything there.
func (w *work) record(text []byte, at time.Time, points int, blocked bool) {
	if at.IsZero() {
		at = time.Now()
	}
	w.entry = Entry{Time: at, Digest: digest(text), Near: near(text, &w.letters), Points: max(points, 0)}
	if !blocked {
		w.entry.Piece, w.entry.Whole = pieceOf(text)
	}
}

func whole(p *check.Prompt) check.Span { return check.Span{Start: 0, End: len(p.Text)} }

func unavailable(p *check.Prompt, policy Policy) check.Finding {
	f := check.Finding{
		Rule: Unavailable, Layer: Layer, Severity: check.Info, Span: whole(p), View: View,
		Why: "the history of the session could not be reached; the prompt was judged by itself",
	}
	if policy.FailClosed {
		f.Severity, f.Score = check.High, max(policy.BlockAt, check.High.Points())
		f.Why = "the history of the session could not be reached, and the tenant's policy is to refuse then"
	}
	return f
}
