package patterns

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// inspect appends to dst what the rules find in a prompt.
func (w *work) inspect(ctx context.Context, text *fold.Text, regexpTime time.Duration, dst []check.Finding) []check.Finding {
	for _, r := range w.fired {
		w.places[r] = w.places[r][:0]
	}
	w.fired = w.fired[:0]
	w.findings, w.from = dst, len(dst)
	w.left = regexpTime
	w.view(ctx, text.Main())
	for v := range text.Decoded() {
		if ctx.Err() != nil {
			break
		}
		w.view(ctx, v)
	}
	w.combine()
	dst = w.reported()
	w.findings = nil
	return dst
}

// view appends what the rules find in one view, in the order of its text.
func (w *work) view(ctx context.Context, v *fold.View) {
	from := len(w.findings)
	for at := 0; at < len(v.Text); at += maxText {
		w.scan(v.Text[at:min(at+maxText, len(v.Text))])
		for _, r := range w.touched {
			for _, m := range w.found[r] {
				w.report(r, v.Span(at+int(m.start), at+int(m.end)), v.Name, w.set.rules[r].Why)
			}
		}
		w.runRegexps(ctx, v, at)
	}
	slices.SortStableFunc(w.findings[from:], func(a, b check.Finding) int {
		return cmp.Compare(a.Span.Start, b.Span.Start)
	})
}

// maxText bounds a stretch of text so that positions fit into 31 bits; a match
// across the border of two stretches of a gigabyte is not seen.
const maxText = 1 << 30

// report adds a finding of a rule, unless the rule does not look at such views,
// or was reported there or maxSpans times before.
func (w *work) report(rule int32, at fold.Span, view, why string) {
	r, places := w.set.rules[rule], w.places[rule]
	if len(places) == maxSpans || !r.seenIn(view) {
		return
	}
	for _, p := range places {
		if p.Start < at.End && at.Start < p.End {
			return
		}
	}
	if len(places) == 0 {
		w.fired = append(w.fired, rule)
	}
	w.places[rule] = append(places, at)
	w.findings = append(w.findings, check.Finding{
		Rule: r.ID, Layer: Layer, Severity: r.Severity, Score: r.Score, Span: at, View: view, Why: why,
	})
}

// undecided is put before the reason of a rule whose regexp took too long.
const undecided = "could not be decided in time whether it "

// runRegexps tries the expressions whose prefilter was seen in the last scan.
// One that runs out of time or of stack counts as found.
func (w *work) runRegexps(ctx context.Context, v *fold.View, offset int) {
	text := ""
	for i, tripped := range w.tripped {
		if !tripped {
			continue
		}
		if text == "" {
			text = string(w.text)
		}
		re := w.regexps[i]
		why := w.set.rules[re.rule].Why
		if w.left <= 0 || ctx.Err() != nil {
			w.report(re.rule, v.Span(offset, offset+len(text)), v.Name, undecided+why)
			continue
		}
		begin := time.Now()
		at, err := re.expression.FindAllStringIndex(text, 1)
		w.left -= time.Since(begin)
		switch {
		case err != nil:
			w.report(re.rule, v.Span(offset, offset+len(text)), v.Name, undecided+why)
		case len(at) > 0:
			w.report(re.rule, v.Span(offset+at[0][0], offset+at[0][1]), v.Name, why)
		}
	}
}

// combine reports the rules that count others, at the first place of these.
func (w *work) combine() {
	for _, i := range w.combos {
		combo, fired, first := w.set.rules[i].combo, 0, -1
		for _, part := range combo.rules {
			if len(w.places[part]) == 0 {
				continue
			}
			fired++
			id := w.set.rules[part].ID
			at := slices.IndexFunc(w.findings[w.from:], func(f check.Finding) bool { return f.Rule == id })
			if first < 0 || at < first {
				first = at
			}
		}
		if fired >= combo.atLeast {
			f := w.findings[w.from+first]
			w.report(i, f.Span, f.View, w.set.rules[i].Why)
		}
	}
}

// reported returns the findings without those of silent rules.
func (w *work) reported() []check.Finding {
	silent := func(f check.Finding) bool {
		return slices.ContainsFunc(w.fired, func(i int32) bool {
			r := w.set.rules[i]
			return r.Silent && r.ID == f.Rule
		})
	}
	return w.findings[:w.from+len(slices.DeleteFunc(w.findings[w.from:], silent))]
}
