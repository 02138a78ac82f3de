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
	"unicode/utf8"
)

// Filter chooses records. Empty fields match anything.
type Filter struct {
	From   time.Time `json:"from,omitzero"` // included
	To     time.Time `json:"to,omitzero"`   // not included
	Tenant string    `json:"tenant,omitempty"`
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
			var r Record
			if e.plain != nil {
				r, e.err = e.plain.record()
			}
			if err == nil && e.err != nil {
				err = fmt.Errorf("audit: %s:%d: %w", e.segment, e.number, e.err)
			}
			switch {
			case err != nil:
				yield(Record{}, err)
				return
			case e.torn || r.Note != nil || !f.matches(&r):
			case !yield(r, nil):
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
	Outcome   string `json:"outcome"` // "answered", "refused" (4xx, or by a rule), "canceled" (499: the caller left) or "failed"
	Requests  int64  `json:"requests"`
	Input     int64  `json:"input"`     // tokens
	Output    int64  `json:"output"`    // tokens, reasoning included
	Reasoning int64  `json:"reasoning"` // tokens
	Cost      int64  `json:"cost"`      // nano-euro
}

// maxRows bounds what callers can make of a report: names of models are their
// text. In a report of more rows, a model that did not answer is summed up as
// "other".
const maxRows = 10_000

// NewReport verifies a log and sums up the records that match.
func NewReport(dir string, f Filter, keys ...Key) (Report, error) {
	var rows map[Row]*Row // by the four columns that name a row
	verified, err := scan(dir, keys, func() { rows = make(map[Row]*Row) }, func(r *Record) {
		if r.Note != nil || !f.matches(r) {
			return
		}
		name := Row{Tenant: r.Tenant, Day: r.Time.UTC().Format(time.DateOnly), Model: r.Model, Outcome: r.outcome()}
		if name.Outcome != "answered" && len(rows) >= maxRows && rows[name] == nil {
			name.Model = "other"
		}
		row := rows[name]
		if row == nil {
			first := name
			row = &first
			rows[name] = row
		}
		row.Requests++
		row.Input += r.Input
		row.Output += r.Output
		row.Reasoning += r.Reasoning
		row.Cost += r.Cost
	})
	if err != nil {
		return Report{}, err
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

// outcome sorts a record by its status. A server error is a refusal when a step
// refused by a rule, as when the guard stopped an answer.
func (r *Record) outcome() string {
	refused := slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Decision == "refuse" && len(s.Rules) > 0 })
	switch {
	case r.Status == 499:
		return "canceled"
	case refused, r.Status >= 400 && r.Status < 500:
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

// formula is what a spreadsheet takes for the beginning of a formula (OWASP, CSV
// Injection), in its full width too.
const formula = "=+-@\t\r\n＝＋－＠"

// WriteCSV writes the rows as RFC 4180 CSV. A name that a spreadsheet would run
// as a formula begins with an apostrophe.
func (r Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{columns}
	for i := range r.Rows {
		cells := r.Rows[i].cells()
		for j := range cells {
			if first, size := utf8.DecodeRuneInString(cells[j]); size > 0 && strings.ContainsRune(formula, first) {
				cells[j] = "'" + cells[j]
			}
		}
		rows = append(rows, cells)
	}
	return c.WriteAll(rows)
}

// cell keeps a name one cell of plain text: no second cell or line, no markup, and
// no link or picture that would be fetched. References are never structure
// (CommonMark §2.5).
var cell = strings.NewReplacer("|", "&#124;", `\`, "&#92;", "\n", " ", "\r", " ", "&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "&#96;",
	"[", "&#91;", "]", "&#93;", "*", "&#42;", "_", "&#95;", "~", "&#126;", "://", "&#58;//", "www.", "www&#46;")

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
