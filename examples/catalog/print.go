package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/llmaas/llmaas-go/lifecycle"
)

// colors of the phases, as ANSI SGR codes.
var colors = map[lifecycle.Phase]string{
	lifecycle.Evaluation:   "36",
	lifecycle.Deployment:   "36",
	lifecycle.Production:   "32",
	lifecycle.Notice:       "33",
	lifecycle.EndOfSupport: "31",
	lifecycle.Deprecated:   "90",
	lifecycle.Removed:      "90",
}

func (o *options) paint(p lifecycle.Phase, s string) string {
	if !o.color {
		return s
	}
	return "\x1b[" + colors[p] + "m" + s + "\x1b[0m"
}

// row is a line of the table.
type row struct {
	lifecycle.Status
	publisher string
}

func (o *options) printTable(out io.Writer) error {
	rows, err := o.rows()
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Phase, b.Phase), a.End().Compare(b.End()), strings.Compare(a.Model, b.Model))
	})
	fmt.Fprintf(out, "%s, by the tables of %s\n", lifecycle.DateOf(o.day), o.catalogue.AsOf())
	for i, r := range rows {
		if i == 0 || rows[i-1].Phase != r.Phase {
			same := slices.IndexFunc(rows[i:], func(n row) bool { return n.Phase != r.Phase })
			if same < 0 {
				same = len(rows) - i
			}
			fmt.Fprintf(out, "\n%s (%d)\n", o.paint(r.Phase, strings.ToUpper(r.Phase.String())), same)
		}
		if _, err := fmt.Fprintln(out, "  "+o.paint(r.Phase, fmt.Sprintf("%-38s", r.Model)), r.columns()); err != nil {
			return err
		}
	}
	return nil
}

func (r row) columns() string {
	s := fmt.Sprintf("%-25s %-10s  %s", r.publisher, r.End(), left(r.Status))
	if r.Presumed {
		s += ", presumed"
	}
	if r.Successor != "" {
		s += ", then " + r.Successor
	}
	return strings.TrimRight(s, " ")
}

func left(s lifecycle.Status) string {
	switch n := s.DaysLeft; {
	case s.End().IsZero():
		return "no end known"
	case n == 1:
		return "1 day left"
	case n > 1:
		return fmt.Sprintf("%d days left", n)
	case n == 0:
		return "ends today"
	case n == -1:
		return "1 day ago"
	default:
		return fmt.Sprintf("%d days ago", -n)
	}
}

func (o *options) rows() ([]row, error) {
	names := o.names
	if len(names) == 0 {
		for m := range o.catalogue.Models() {
			names = append(names, m.ID)
		}
	}
	rows := make([]row, 0, len(names))
	for _, name := range names {
		status, err := o.catalogue.StatusAt(name, o.day)
		if err != nil {
			return nil, err
		}
		model, err := o.catalogue.Model(name)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{status, model.Publisher})
	}
	return rows, nil
}

func (o *options) printModel(out io.Writer) error {
	model, err := o.catalogue.Model(o.model)
	if err != nil {
		return err
	}
	advice := o.catalogue.Advise(o.model, o.day, lifecycle.AdviceOptions{})
	answer := struct {
		Status lifecycle.Status `json:"status"`
		Action string           `json:"action"`
		Reason string           `json:"reason,omitempty"`
		Model  lifecycle.Model  `json:"model"`
	}{advice.Status, advice.Action.String(), advice.Reason, model}
	return printJSON(out, answer)
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (o *options) printLint(out io.Writer) error {
	policy := lifecycle.DefaultPolicy()
	breaches := lifecycle.Lint(o.catalogue, policy)
	for i, b := range breaches {
		if b.Clause != "" && (i == 0 || breaches[i-1].Rule != b.Rule) {
			fmt.Fprintf(out, "%s: the policy says: %s\n", b.Rule, b.Clause)
		}
		fmt.Fprintln(out, b)
	}
	_, err := fmt.Fprintf(out, "%d breaches, by the policy of %s\n", len(breaches), policy.AsOf)
	return err
}

func (o *options) printDiff(out io.Writer) error {
	tables := o.catalogue.Tables()
	for i := 1; i < len(tables); i++ {
		changes := lifecycle.Diff(o.catalogue.AsKnown(tables[i-1].AsOf), o.catalogue.AsKnown(tables[i].AsOf))
		var err error
		switch o.format {
		case "text":
			_, err = fmt.Fprint(out, changes)
		case "markdown":
			_, err = fmt.Fprint(out, changes.Markdown())
		case "json":
			err = printJSON(out, changes)
		default:
			err = fmt.Errorf("%w: -format: got %q, want text, json or markdown", errUsage, o.format)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *options) writeICS(w io.Writer) error {
	events, err := o.catalogue.Calendar(o.day, o.days, o.names...)
	if err != nil {
		return err
	}
	return lifecycle.WriteICS(w, "Models", events, o.catalogue.AsOf().Time(time.UTC))
}

func (o *options) printScan(out io.Writer) error {
	if _, err := os.ReadDir(o.scan); err != nil {
		return err
	}
	uses, err := lifecycle.LintSource(os.DirFS(o.scan), o.catalogue, o.day)
	for _, u := range uses {
		fmt.Fprintln(out, u)
	}
	if err == nil && len(uses) > 0 {
		return errFound
	}
	return err
}

func (o *options) printLive(out io.Writer) error {
	f, err := os.Open(o.live)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r, err := o.catalogue.Reconcile(f, o.day)
	if err != nil {
		return err
	}
	for _, m := range r.Unknown {
		fmt.Fprintf(out, "unknown    %s\n", m.ID)
	}
	for _, s := range r.Missing {
		fmt.Fprintf(out, "missing    %s, in %s by the tables\n", s.Model, s.Phase)
	}
	for _, s := range r.Lingering {
		fmt.Fprintf(out, "lingering  %s, %s by the tables\n", s.Model, s.Phase)
	}
	for _, m := range r.Contexts {
		fmt.Fprintf(out, "context    %s: %s\n", m.Model, m.Text)
	}
	_, err = fmt.Fprintf(out, "%d matched\n", r.Matched)
	return err
}
