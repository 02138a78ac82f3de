package guard

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
)

// MaxSpansPerRule is how many findings of one rule a [Report] lists; the others
// are counted in [Report].Omitted. A prompt that repeats an attack ten thousand
// times is as bad as one that says it eight times, and its report as short.
const MaxSpansPerRule = 8

// Report is what the guard thinks of one prompt. It holds no text of the prompt:
// it can be logged and kept. The zero value is that of a clean prompt.
type Report struct {
	Action   Action
	Score    int       // points of the distinct rules that fired, each counted once by its gravest finding
	Findings []Finding // the gravest first, then by place in the text; nil when there are none
	Omitted  int       // further findings of rules that are listed already
	Off      bool      // the tenant's policy switched the analysis off: nothing was looked at
}

// newReport weighs what was found. It uses up found and keeps no part of it.
func newReport(found []Finding, p *policy) Report {
	if len(found) == 0 {
		return Report{}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), byGravity(a, b))
	})
	var r Report
	kept, ofRule := found[:0], 0
	for i := range found {
		f := found[i] // a copy: kept overwrites found behind i
		switch {
		case len(kept) == 0 || kept[len(kept)-1].Rule != f.Rule:
			ofRule = 1
			r.Score += f.Points()
		case ofRule < MaxSpansPerRule:
			ofRule++
		default:
			r.Omitted++
			continue
		}
		kept = append(kept, f)
	}
	r.Findings = slices.Clone(kept)
	slices.SortStableFunc(r.Findings, byGravity)
	r.Action = p.action(r.Score)
	return r
}

func byGravity(a, b Finding) int {
	return cmp.Or(cmp.Compare(b.Points(), a.Points()), cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Span.End, b.Span.End))
}

type findingJSON struct {
	Rule     string   `json:"rule"`
	Layer    string   `json:"layer"`
	Severity Severity `json:"severity"`
	Score    int      `json:"score,omitempty"` // where it is not the severity's
	Start    int      `json:"start"`
	End      int      `json:"end"`
	View     string   `json:"view"`
	Why      string   `json:"why"`
	Text     *string  `json:"text,omitempty"`
}

type reportJSON struct {
	Action   Action        `json:"action"`
	Score    int           `json:"score"`
	Findings []findingJSON `json:"findings"`
	Omitted  int           `json:"omitted,omitempty"`
	Off      bool          `json:"off,omitempty"`
}

func (r Report) wire() reportJSON {
	w := reportJSON{r.Action, r.Score, make([]findingJSON, len(r.Findings)), r.Omitted, r.Off}
	for i, f := range r.Findings {
		w.Findings[i] = findingJSON{f.Rule, f.Layer, f.Severity, f.Score, f.Span.Start, f.Span.End, f.View, f.Why, nil}
	}
	return w
}

// MarshalJSON writes action, score and findings, without any text of the prompt:
//
//	{"action":"block","score":100,"findings":[{"rule":"unicode/confusable-word","layer":"structure",
//	 "severity":"high","start":0,"end":6,"view":"source","why":"…"}]}
func (r Report) MarshalJSON() ([]byte, error) { return json.Marshal(r.wire()) }

// UnmarshalJSON reads what [Report.MarshalJSON] writes.
func (r *Report) UnmarshalJSON(data []byte) error {
	var w reportJSON
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("guard: report: %w", err)
	}
	*r = Report{Action: w.Action, Score: w.Score, Omitted: w.Omitted, Off: w.Off}
	for _, f := range w.Findings {
		r.Findings = append(r.Findings, Finding{
			Rule: f.Rule, Layer: f.Layer, Severity: f.Severity, Score: f.Score, Span: Span{Start: f.Start, End: f.End}, View: f.View, Why: f.Why,
		})
	}
	return nil
}

// MarshalJSONWithText is [Report.MarshalJSON] with the piece of text that each
// finding points at, in a member "text". text is the prompt that was inspected;
// invalid UTF-8 in it is replaced. It is for a person's eyes, not for a log.
func (r Report) MarshalJSONWithText(text string) ([]byte, error) {
	w := r.wire()
	for i, f := range r.Findings {
		if f.Span.Start < 0 || f.Span.End > len(text) || f.Span.Start > f.Span.End {
			return nil, fmt.Errorf("guard: report with text: finding %d: got a text of %d bytes, want the one inspected, of at least %d", i, len(text), f.Span.End)
		}
		piece := text[f.Span.Start:f.Span.End]
		w.Findings[i].Text = &piece
	}
	return json.Marshal(w)
}

// LogValue logs action, score and the rules that fired; no text of the prompt.
func (r Report) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 4)
	attrs = append(attrs, slog.String("action", r.Action.String()), slog.Int("score", r.Score))
	if r.Off {
		attrs = append(attrs, slog.Bool("off", true))
	}
	if len(r.Findings) > 0 {
		attrs = append(attrs, slog.Any("rules", r.Rules()))
	}
	return slog.GroupValue(attrs...)
}

// Rules returns the distinct rules that fired, the gravest first.
func (r Report) Rules() []string {
	var rules []string
	for _, f := range r.Findings {
		if !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}
