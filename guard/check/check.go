package check

import (
	"context"

	"github.com/llmaas/llmaas-go/guard/fold"
)

// Check judges one prompt. Every layer of the guard is a Check, and a host
// program may add its own.
//
// Inspect appends what it finds to dst and returns the longer slice; with
// nothing to say it returns dst as it came. It must not keep p, nor anything
// reached through it, after it returns; it must take time linear in the length
// of the prompt and never panic on any text. A Check is safe for concurrent use.
type Check interface {
	Inspect(ctx context.Context, p *Prompt, dst []Finding) []Finding
}

// Prompt is what a [Check] sees: the input, and the views of its text that
// folding made, so that no layer folds again.
//
// It belongs to the caller of Inspect and is valid only during that call.
type Prompt struct {
	Input
	Folded *fold.Text // never nil
}
