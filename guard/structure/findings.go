package structure

import "github.com/llmaas/llmaas-go/guard/check"

const layer = "structure"

// source is the view of findings in the text as it came.
const source = "source"

// maxTold is how often a rule is reported at one severity, so that a flood of
// what it looks for costs no memory.
const maxTold = 8

// findings collects what the layer has to say of one prompt.
type findings struct {
	list []check.Finding
	told [len(rules)][check.Critical + 1]uint8
}

// full reports whether a finding of that kind would not be kept.
func (f *findings) full(r rule, severity check.Severity) bool {
	return f.told[r][severity] == maxTold
}

func (f *findings) add(r rule, severity check.Severity, view string, span check.Span) {
	if f.full(r, severity) {
		return
	}
	f.told[r][severity]++
	f.list = append(f.list, check.Finding{
		Rule: rules[r].ID, Layer: layer, Severity: severity, Span: span, View: view, Why: rules[r].Why,
	})
}

// at reports a finding in the bytes [start, end) of the source.
func (f *findings) at(r rule, severity check.Severity, start, end int) {
	f.add(r, severity, source, check.Span{Start: start, End: end})
}
