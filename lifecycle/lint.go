package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rule names a kind of [Breach].
type Rule string

// What [Lint] looks for.
const (
	// RuleShortLife: from launch to end of support is less than the policy
	// promises stable versions.
	RuleShortLife Rule = "short-life"
	// RuleShortNotice: a table takes back what an earlier one promised, and the
	// new end comes before the notice has run from the day of that table.
	RuleShortNotice Rule = "short-notice"
	// RuleVanished: a complete table omits a model that an earlier one had in
	// production, and none says that it was deprecated.
	RuleVanished Rule = "vanished"
	// RuleUnannounced: the first table that names a model has it deprecated already.
	RuleUnannounced Rule = "unannounced"
	// RuleDuplicate: a model stands in both lists of one table.
	RuleDuplicate Rule = "duplicate"
	// RuleNoPublisher: no table names the publisher.
	RuleNoPublisher Rule = "no-publisher"
	// RuleSuccessor: the named successor is in no table, or is gone itself.
	RuleSuccessor Rule = "successor"
	// RuleCorrected: a later table prints another publisher or launch.
	RuleCorrected Rule = "corrected"
	// RuleLateReview: the next table came later than the policy's review.
	RuleLateReview Rule = "late-review"
)

// Breach is one thing in the tables that contradicts the policy or another
// thing in the tables.
type Breach struct {
	Rule  Rule   `json:"rule"`
	Model string `json:"model,omitempty"` // none for a breach by a whole table
	Table Date   `json:"table"`           // the table that shows it
	Text  string `json:"text"`            // with the dates
	// Clause of the policy, as printed; none for a fault of the data.
	Clause string `json:"clause,omitempty"`
}

// String is the breach in one line.
func (b Breach) String() string {
	s := string(b.Rule) + ": "
	if b.Model != "" {
		s += b.Model + ": "
	}
	return s + b.Text
}

// Lint lists every breach of the policy, and every contradiction, that the
// tables of c show, sorted by rule and model. It measures notice by the tables:
// what the provider announced elsewhere it cannot know. So it says nothing about
// models that the first table already has at the end of their life.
func Lint(c *Catalogue, p Policy) []Breach {
	l := linter{p: p, printed: map[string]Model{}}
	for i, t := range c.tables {
		if i > 0 {
			l.review(c.tables[i-1], t)
		}
		l.table(i, t)
	}
	for i := range c.models {
		l.model(c, &c.models[i])
	}
	slices.SortStableFunc(l.found, func(a, b Breach) int {
		return cmp.Or(strings.Compare(string(a.Rule), string(b.Rule)), strings.Compare(a.Model, b.Model), a.Table.Compare(b.Table))
	})
	return l.found
}

type linter struct {
	p       Policy
	printed map[string]Model // by lower-case id: the row printed last, before the table at hand
	found   []Breach
}

func (l *linter) add(r Rule, model string, table Date, clause, format string, args ...any) {
	l.found = append(l.found, Breach{r, model, table, fmt.Sprintf(format, args...), clause})
}

func (l *linter) review(before, t *table) {
	if due := before.AsOf.AddMonths(l.p.ReviewMonths); t.Complete && before.Complete && due.Before(t.AsOf) {
		l.add(RuleLateReview, "", t.AsOf, l.p.ReviewClause, "the table of %s follows that of %s after %s; one was due by %s",
			t.AsOf, before.AsOf, days(t.AsOf.Sub(before.AsOf)), due)
	}
}

func (l *linter) table(i int, t *table) {
	inTable := make(map[string]Model, len(t.models))
	for _, m := range t.models {
		key := lower(m.ID)
		inTable[key] = m
		l.life(m)
		if before, ok := l.printed[key]; ok {
			l.takenBack(before, m)
			l.corrected(before, m)
		}
	}
	for _, m := range t.retired {
		key := lower(m.ID)
		before, known := l.printed[key]
		if both, ok := inTable[key]; ok {
			l.add(RuleDuplicate, m.ID, t.AsOf, "", "in production until %s and deprecated on %s in one table; the deprecation counts", both.EndOfSupport, m.Retired)
			before, known = both, true
		}
		if known {
			l.takenBack(before, m)
		} else if i > 0 {
			l.add(RuleUnannounced, m.ID, t.AsOf, l.p.NoticeClause, "deprecated on %s without ever standing in a table as in production", m.Retired)
		}
		inTable[key] = m
	}
	for key, m := range inTable {
		l.printed[key] = m
	}
}

// life measures a row by the promise of stable versions.
func (l *linter) life(m Model) {
	if m.Launched.IsZero() {
		return
	}
	if due := m.Launched.AddMonths(l.p.StableMonths); m.EndOfSupport.Before(due) {
		l.add(RuleShortLife, m.ID, m.AsOf, l.p.StableClause, "from %s to %s, %s; stable until %s was promised",
			m.Launched, m.EndOfSupport, days(m.EndOfSupport.Sub(m.Launched)), due)
	}
}

// takenBack compares the end of a model with the one that was printed before.
func (l *linter) takenBack(before, now Model) {
	promised, end := before.EndOfSupport, now.End()
	if !before.Retired.IsZero() || promised.IsZero() || !end.Before(promised) || !end.Before(now.AsOf.AddMonths(l.p.NoticeMonths)) {
		return
	}
	what := "end of support"
	if !now.Retired.IsZero() {
		what = "deprecation"
	}
	notice := max(0, end.Sub(now.AsOf))
	l.add(RuleShortNotice, now.ID, now.AsOf, l.p.NoticeClause, "%s on %s in the table of %s, %s of notice; the table of %s promised support until %s",
		what, end, now.AsOf, days(notice), before.AsOf, promised)
}

func (l *linter) corrected(before, now Model) {
	if before.Publisher != "" && now.Publisher != "" && before.Publisher != now.Publisher {
		l.add(RuleCorrected, now.ID, now.AsOf, "", "publisher %s; the table of %s printed %s", now.Publisher, before.AsOf, before.Publisher)
	}
	if !before.Launched.IsZero() && !now.Launched.IsZero() && before.Launched != now.Launched {
		l.add(RuleCorrected, now.ID, now.AsOf, "", "launched %s; the table of %s printed %s", now.Launched, before.AsOf, before.Launched)
	}
}

// model looks at a model by all tables together.
func (l *linter) model(c *Catalogue, e *entry) {
	if e.Publisher == "" {
		l.add(RuleNoPublisher, e.ID, e.AsOf, "", "no table names the publisher")
	}
	if !e.Vanished.IsZero() && e.Retired.IsZero() {
		l.add(RuleVanished, e.ID, e.Vanished, l.p.NoticeClause, "in production until %s by the table of %s, in no list of that of %s",
			e.EndOfSupport, e.AsOf, e.Vanished)
	}
	if due := e.Launched.AddMonths(l.p.StableMonths); !e.Launched.IsZero() && !e.Retired.IsZero() && e.Retired.Before(due) {
		l.add(RuleShortLife, e.ID, e.AsOf, l.p.StableClause, "from %s to its deprecation on %s, %s; stable until %s was promised",
			e.Launched, e.Retired, days(e.Retired.Sub(e.Launched)), due)
	}
	if e.Model.Successor == "" {
		return
	}
	switch next := c.find(e.Model.Successor); {
	case next == nil:
		l.add(RuleSuccessor, e.ID, e.AsOf, "", "successor %s stands in no table", e.Model.Successor)
	case !next.End().IsZero() && !e.End().Before(next.End()):
		l.add(RuleSuccessor, e.ID, e.AsOf, "", "successor %s ends on %s, no later than the model itself on %s", next.ID, next.End(), e.End())
	}
}
