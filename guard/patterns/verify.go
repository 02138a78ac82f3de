package patterns

import (
	"context"
	"errors"
	"fmt"

	"github.com/llmaas/llmaas-go/guard/fold"
)

// Verify runs every hit and every miss of the set. The error joins a complaint
// for each hit that does not make its own rule fire and each miss that does.
func (s *Set) Verify() error {
	p, err := New(Options{Set: s})
	if err != nil {
		return err
	}
	w := newWork(p.program.Load())
	var errs []error
	var text fold.Text
	for i, r := range s.rules {
		for _, e := range r.examples {
			text.Reset(e.text)
			w.inspect(context.Background(), &text, p.regexpTime, nil)
			switch fired := len(w.places[i]) > 0; {
			case e.hit && !fired:
				errs = append(errs, fmt.Errorf("patterns: %s: got a hit that does not fire %s, want it to", e.at, r.ID))
			case !e.hit && fired:
				errs = append(errs, fmt.Errorf("patterns: %s: got a miss that fires %s, want it not to", e.at, r.ID))
			}
		}
	}
	return errors.Join(errs...)
}
