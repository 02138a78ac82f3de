package audit

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter chooses records. Empty fields match anything.
type Filter struct {
	From, To time.Time // From is included, To is not
	Tenant   string
}

func (f Filter) matches(r *Record) bool {
	return (f.From.IsZero() || !r.Time.Before(f.From)) && (f.To.IsZero() || r.Time.Before(f.To)) &&
		(f.Tenant == "" || f.Tenant == r.Tenant)
}

// Records yields the records of a log that match, in order, without the log's
// notes about itself. A line that cannot be read ends it with an error.
func Records(dir string, f Filter, keys ...Key) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for e, err := range walk(dir, keys) {
			if err == nil && e.err != nil {
				err = fmt.Errorf("audit: %s:%d: %w", e.segment, e.number, e.err)
			}
			switch {
			case err != nil:
				yield(Record{}, err)
				return
			case e.torn || e.record.Note != nil || !f.matches(&e.record):
			case !yield(e.record, nil):
				return
			}
		}
	}
}

// Report is the sum of a period for compliance: who called what, with which
// outcome, and at which cost.
type Report struct {
	Filter   Filter `json:"filter"`
	Verified Result `json:"verified"` // of the whole log
	Rows     []Row  `json:"rows"`     // by tenant, day, model and outcome
}

// Row is one line of a [Report].
type Row struct {
	Tenant    string `json:"tenant"`
	Day       string `json:"day"` // in UTC
	Model     string `json:"model"`
	Outcome   string `json:"outcome"` // "answered", "refused" (by a step) or "failed"
	Requests  int64  `json:"requests"`
	Input     int64  `json:"input"`     // tokens
	Output    int64  `json:"output"`    // tokens, reasoning included
	Reasoning int64  `json:"reasoning"` // tokens
	Cost      int64  `json:"cost"`      // nano-euro
}

// NewReport verifies a log and sums up the records that match.
func NewReport(dir string, f Filter, keys ...Key) (Report, error) {
	verified, err := Verify(dir, keys...)
	if err != nil {
		return Report{}, err
	}
	type place struct{ tenant, day, model, outcome string }
	rows := make(map[place]*Row)
	for e, err := range walk(dir, keys) {
		if err != nil {
			return Report{}, err
		}
		r := &e.record
		if e.err != nil || e.torn || r.Note != nil || !f.matches(r) {
			continue // Verified.Problems names what cannot be read
		}
		at := place{r.Tenant, r.Time.UTC().Format(time.DateOnly), r.Model, r.outcome()}
		row := rows[at]
		if row == nil {
			row = &Row{Tenant: at.tenant, Day: at.day, Model: at.model, Outcome: at.outcome}
			rows[at] = row
		}
		row.Requests++
		row.Input += r.Input
		row.Output += r.Output
		row.Reasoning += r.Reasoning
		row.Cost += r.Cost
	}
	report := Report{Filter: f, Verified: verified, Rows: make([]Row, 0, len(rows))}
	for _, row := range rows {
		report.Rows = append(report.Rows, *row)
	}
	slices.SortFunc(report.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Outcome, b.Outcome))
	})
	return report, nil
}

// outcome sorts a record by its status and steps.
func (r *Record) outcome() string {
	refused := slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Decision == "refuse" })
	switch {
	case refused:
		return "refused"
	case r.Status >= 200 && r.Status < 300:
		return "answered"
	}
	return "failed"
}

var columns = []string{"tenant", "day", "model", "outcome", "requests", "input_tokens", "output_tokens", "reasoning_tokens", "cost_nano_euro"}

func (r *Row) cells() []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return []string{r.Tenant, r.Day, r.Model, r.Outcome, n(r.Requests), n(r.Input), n(r.Output), n(r.Reasoning), n(r.Cost)}
}

// WriteJSON writes the report as indented JSON.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteCSV writes the rows as RFC 4180 CSV. A name that a spreadsheet would run
// as a formula begins with an apostrophe (OWASP, CSV Injection).
func (r Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{columns}
	for i := range r.Rows {
		cells := r.Rows[i].cells()
		for j := range cells {
			if cells[j] != "" && strings.ContainsRune("=+-@\t\r", rune(cells[j][0])) {
				cells[j] = "'" + cells[j]
			}
		}
		rows = append(rows, cells)
	}
	return c.WriteAll(rows)
}

var cell = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "`", "'")

// WriteMarkdown writes the report as a page for people.
func (r Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Audit report\n\n")
	period := func(t time.Time, open string) string {
		if t.IsZero() {
			return open
		}
		return t.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(&b, "From %s to %s, tenant %s.\n\n", period(r.Filter.From, "the beginning"), period(r.Filter.To, "the end"), cell.Replace(cmp.Or(r.Filter.Tenant, "any")))
	v := r.Verified
	fmt.Fprintf(&b, "The log holds records %d to %d in %d segments; %d were pruned on purpose, %d could not be written.\n", v.First, v.Last, v.Segments, v.Pruned, v.Lost)
	if len(v.Problems) == 0 {
		b.WriteString("The chain verifies.\n\n")
	} else {
		b.WriteString("**The chain does not verify:**\n\n")
		for _, p := range v.Problems {
			b.WriteString("- " + cell.Replace(p.String()) + "\n")
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for i := range r.Rows {
		cells := r.Rows[i].cells()
		for j := range cells {
			cells[j] = cell.Replace(cells[j])
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
