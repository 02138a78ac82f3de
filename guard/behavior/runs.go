package behavior

import (
	"bytes"
	"fmt"

	"github.com/llmaas/llmaas-go/guard/check"
)

// appendRuns reports the strongest run that has reached the policy's number.
func appendRuns(dst []check.Finding, p *check.Prompt, policy Policy, past *Past) []check.Finding {
	f := check.Finding{Layer: Layer, Severity: check.Low, Span: whole(p), View: View}
	switch {
	case past.Same >= policy.Repeats:
		f.Rule, f.Severity, f.Score = Repetition, check.High, policy.RepeatPoints
		f.Why = fmt.Sprintf("the same prompt %d times in a row; %d is the limit", past.Same, policy.Repeats)
	case past.Near >= policy.Repeats:
		f.Rule = NearRepetition
		f.Why = fmt.Sprintf("nearly the same prompt %d times in a row; %d is the limit", past.Near, policy.Repeats)
	case past.Cycle >= policy.Repeats:
		f.Rule = Alternation
		f.Why = fmt.Sprintf("a few prompts in turns, %d in a row; %d is the limit", past.Cycle, policy.Repeats)
	default:
		return dst
	}
	return append(dst, f)
}

// appendEscalation scores a prompt for the attempts made before it in the
// session: enough to be flagged, or twice that once the points are double what
// the policy bears.
func appendEscalation(dst []check.Finding, p *check.Prompt, policy Policy, past *Past) []check.Finding {
	if policy.EscalateAt < 0 || past.Points < float64(policy.EscalateAt) {
		return dst
	}
	f := check.Finding{
		Rule: Escalation, Layer: Layer, Severity: check.Medium, Span: whole(p), View: View,
		Why: fmt.Sprintf("earlier prompts of the session hold %.0f points together; %d is the limit", past.Points, policy.EscalateAt),
	}
	if past.Points >= 2*float64(policy.EscalateAt) {
		f.Severity = check.High
	}
	return append(dst, f)
}

// sharedEnd is how many bytes two prompts must end alike to be the same request.
const sharedEnd = 24

// appendRetry reports a request that came before behind other words. A near-copy
// has a run of its own.
func appendRetry(dst []check.Finding, p *check.Prompt, text []byte, past *Past) []check.Finding {
	if past.Near > 1 {
		return dst
	}
	text = bytes.TrimSpace(text)
	n := 0
	for _, piece := range past.Pieces {
		earlier := bytes.TrimSpace(piece.Text)
		if end := commonSuffix(earlier, text); end >= sharedEnd && end < len(text) && end < len(earlier) {
			n++
		}
	}
	if n < 2 {
		return dst
	}
	return append(dst, check.Finding{
		Rule: Retry, Layer: Layer, Severity: check.Low, Span: whole(p), View: View,
		Why: fmt.Sprintf("%d earlier prompts of the session end in the same words behind another beginning", n),
	})
}

func commonSuffix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
