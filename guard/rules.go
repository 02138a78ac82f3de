package guard

import (
	"fmt"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/patterns"
	"github.com/llmaas/llmaas-go/guard/structure"
)

// Rule is what one rule of the guard says of itself.
type Rule struct {
	ID       string // as in [Finding].Rule
	Layer    string
	Severity Severity // the gravest that it reports
	Points   int
	Why      string
	Hits     []string // prompts that make it fire
	Misses   []string // honest prompts like them that do not
	Place    string   // file:line of a rule that stands in a file
}

// Rules lists the rules that the guard knows now, layer by layer; those of the
// host's own checks are not among them.
func (g *Guard) Rules() []Rule {
	var list []Rule
	for _, r := range structure.Rules() {
		list = append(list, Rule{r.ID, "structure", r.Severity, r.Severity.Points(), r.Why, examples(r.Hit), examples(r.Miss), ""})
	}
	for _, r := range g.patterns.Set().Rules() {
		if r.Silent {
			continue
		}
		points := r.Score
		if points == 0 {
			points = r.Severity.Points()
		}
		list = append(list, Rule{r.ID, patterns.Layer, r.Severity, points, r.Why, r.Hits, r.Misses, fmt.Sprintf("%s:%d", r.File, r.Line)})
	}
	return append(list, withoutExamples...)
}

func examples(one string) []string {
	if one == "" {
		return nil
	}
	return []string{one}
}

// The guard's own rules.
var (
	tooLong     = Rule{ID: "guard/too-long", Layer: "guard", Severity: High, Points: High.Points(), Why: "the prompt is longer than the host allows; it was not read"}
	interrupted = Rule{ID: "guard/interrupted", Layer: "guard", Severity: High, Points: High.Points(), Why: "the request ended before every check had spoken"}
	undecoded   = Rule{ID: "guard/undecoded", Layer: "guard", Severity: Medium, Points: Medium.Points(), Why: "more of the prompt is encoded than is decoded for a look; honest text hardly ever is"}
)

// finding is what the guard itself reports at a place.
func (r Rule) finding(at Span) Finding {
	return Finding{Rule: r.ID, Layer: r.Layer, Severity: r.Severity, Span: at, View: "source", Why: r.Why}
}

// withoutExamples need more than one prompt, or none, to fire.
var withoutExamples = []Rule{
	{ID: behavior.Fragmentation, Layer: behavior.Layer, Severity: Critical, Points: Critical.Points(), Why: "the prompt completes an attack that earlier prompts of the session began; it scores what it would have scored in one piece"},
	{ID: behavior.Repetition, Layer: behavior.Layer, Severity: High, Points: High.Points(), Why: "the same prompt comes too many times in a row, 30 by default"},
	{ID: behavior.NearRepetition, Layer: behavior.Layer, Severity: Low, Points: Low.Points(), Why: "nearly the same prompt comes too many times in a row"},
	{ID: behavior.Alternation, Layer: behavior.Layer, Severity: Low, Points: Low.Points(), Why: "a few prompts come in turns too many times"},
	{ID: behavior.Retry, Layer: behavior.Layer, Severity: Low, Points: Low.Points(), Why: "the same request comes again behind another beginning"},
	{ID: behavior.Escalation, Layer: behavior.Layer, Severity: High, Points: High.Points(), Why: "the session has made too many attempts lately"},
	{ID: behavior.Unavailable, Layer: behavior.Layer, Severity: High, Points: High.Points(), Why: "the history could not be reached; only a policy that fails closed blocks"},
	tooLong,
	interrupted,
	undecoded,
}
