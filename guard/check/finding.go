package check

import "github.com/llmaas/llmaas-go/guard/fold"

// Span is a half-open range [Start, End) of bytes in [Input].Text.
type Span = fold.Span

// Finding is one reason to doubt a prompt. It carries no text of the prompt.
type Finding struct {
	Rule     string   // what fired, as "family/slug"; ids are never reused
	Layer    string   // "structure", "patterns", "behavior", or a host's own word
	Severity Severity // how grave it is by itself
	Score    int      // points it adds to the report; 0 means Severity.Points()
	Span     Span     // where in Input.Text
	View     string   // the view it was seen in, as named by package fold
	Why      string   // one sentence for a person
}

// Points is what the finding adds to the score of a report.
func (f Finding) Points() int {
	if f.Score != 0 {
		return f.Score
	}
	return f.Severity.Points()
}
