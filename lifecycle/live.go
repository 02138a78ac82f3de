package lifecycle

import "sync/atomic"

// Live holds the catalogue in force while a program runs. Any number of
// goroutines may use it. Its zero value holds [Default]; a holder whose caller
// failed to load a new table simply goes on with the old one:
//
//	if c, err := lifecycle.Load(file); err == nil {
//		live.Replace(lifecycle.Default().Merge(c))
//	}
type Live struct{ p atomic.Pointer[Catalogue] }

// Current returns the catalogue in force.
func (l *Live) Current() *Catalogue {
	if c := l.p.Load(); c != nil {
		return c
	}
	return Default()
}

// Replace puts c in force; nil means [Default]. Statuses handed out before stay as they are.
func (l *Live) Replace(c *Catalogue) { l.p.Store(c) }
