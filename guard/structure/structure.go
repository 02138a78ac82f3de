package structure

import (
	"context"
	"hash/maphash"

	"github.com/llmaas/llmaas-go/guard/check"
)

// Check is the layer. It holds tables that nobody changes and is safe for
// concurrent use.
type Check struct {
	suspects  suspects
	templates *templates
	classes   *classes
	seed      maphash.Seed
}

// New makes the layer. An error means that a table which is built in is broken.
func New() (*Check, error) {
	c := &Check{classes: newClasses(), seed: maphash.MakeSeed()}
	var err error
	if c.suspects, err = loadSuspects(); err != nil {
		return nil, err
	}
	if c.templates, err = loadTemplates(); err != nil {
		return nil, err
	}
	return c, nil
}

// Inspect appends what the shape of the prompt betrays: of each rule the first
// few places, in no order.
func (c *Check) Inspect(_ context.Context, p *check.Prompt, dst []check.Finding) []check.Finding {
	found := findings{list: dst}
	c.inspectJSON(p.Text, &found)
	c.inspectUnicode(p.Text, &found)
	inspectSuffix(p.Text, &found)
	inspectDisguise(p.Text, &found)
	c.templates.inspectTokens(p.Folded.Main(), &found)
	c.templates.inspectTurns(p.Folded.Main(), &found)
	return found.list
}
