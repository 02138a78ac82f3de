package patterns

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"sync"
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
func Builtin() fs.FS { return builtin }

// Options says what [New] looks for. Its zero value means the built-in rules.
type Options struct {
	// Set is what to look for instead of the built-in rules, which are made ready
	// once for all that look for just these. To add to these,
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
	p := &Patterns{disable: slices.Clone(o.Disable), regexpTime: cmp.Or(o.RegexpTime, 100*time.Millisecond)}
	if err := p.Replace(o.Set); err != nil {
		return nil, err
	}
	return p, nil
}

// builtinProgram is the built-in rules made ready. That takes longer than all else
// before the first prompt, so it is done once for all that look for just these.
var builtinProgram = sync.OnceValues(func() (*program, error) {
	set, err := Parse(Builtin())
	if err != nil {
		return nil, err
	}
	return compile(set, nil)
})

// Replace makes p look for the rules of another set from the next prompt on; nil
// means the built-in ones. Prompts that are being looked at are finished with the
// rules that they began with. Options.Disable holds for the new set too; a name in
// it that the set does not know is an error, and p stays as it was.
func (p *Patterns) Replace(set *Set) error {
	prog, err := p.compile(set)
	if err != nil {
		return err
	}
	p.program.Store(prog)
	return nil
}

func (p *Patterns) compile(set *Set) (*program, error) {
	if set != nil {
		return compile(set, p.disable)
	}
	prog, err := builtinProgram()
	if err != nil || len(p.disable) == 0 {
		return prog, err
	}
	return compile(prog.set, p.disable)
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
	prog := p.program.Load()
	w := prog.pool.Get().(*work)
	defer prog.pool.Put(w)
	return w.inspect(ctx, text, p.regexpTime, dst)
}
