package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ChangeKind is what happened to a model between two catalogues.
type ChangeKind string

// The changes, in the order in which [Changes] lists them.
const (
	KindLaunched    ChangeKind = "launched"
	KindReturned    ChangeKind = "returned"   // deprecated before, in production again
	KindRelaunched  ChangeKind = "relaunched" // printed with a later launch
	KindExtended    ChangeKind = "extended"
	KindShortened   ChangeKind = "shortened"
	KindDeprecated  ChangeKind = "deprecated"
	KindRemoved     ChangeKind = "removed" // listed no more
	KindRepublished ChangeKind = "republished"
)

var kindOrder = []ChangeKind{KindLaunched, KindReturned, KindRelaunched, KindExtended, KindShortened, KindDeprecated, KindRemoved, KindRepublished}

// Change is one of them. From and To are dates, or publishers if Kind is
// [KindRepublished]; either may be "" where there was or is none.
type Change struct {
	Kind  ChangeKind `json:"kind"`
	Model string     `json:"model"`
	From  string     `json:"from,omitempty"`
	To    string     `json:"to,omitempty"`
}

// Changes is what a review changed. encoding/json writes it as JSON, String as
// text and Markdown as a table.
type Changes struct {
	Old  Date     `json:"old"` // date of the older catalogue's latest table
	New  Date     `json:"new"`
	List []Change `json:"changes"`
}

// Diff compares two catalogues; the changes are sorted by kind and model. Two
// states of one catalogue compare by [Catalogue.AsKnown].
func Diff(before, after *Catalogue) Changes {
	d := Changes{Old: before.AsOf(), New: after.AsOf(), List: []Change{}}
	for i := range after.models {
		now := &after.models[i]
		if was := before.find(now.ID); was != nil {
			d.compare(was, now)
			continue
		}
		switch {
		case !now.Vanished.IsZero():
		case !now.Retired.IsZero():
			d.add(KindDeprecated, now.ID, "", now.Retired.String())
		default:
			d.add(KindLaunched, now.ID, "", now.Launched.String())
		}
	}
	for i := range before.models {
		if was := &before.models[i]; was.Vanished.IsZero() && after.find(was.ID) == nil {
			d.add(KindRemoved, was.ID, was.End().String(), after.AsOf().String())
		}
	}
	slices.SortStableFunc(d.List, func(a, b Change) int {
		return cmp.Or(cmp.Compare(slices.Index(kindOrder, a.Kind), slices.Index(kindOrder, b.Kind)), strings.Compare(a.Model, b.Model))
	})
	return d
}

func (d *Changes) add(k ChangeKind, model, from, to string) {
	d.List = append(d.List, Change{k, model, from, to})
}

func (d *Changes) compare(was, now *entry) {
	id := now.ID
	end, ends := was.End(), now.End()
	switch {
	case was.Vanished.IsZero() && !now.Vanished.IsZero():
		d.add(KindRemoved, id, end.String(), now.Vanished.String())
	case was.Retired.IsZero() && !now.Retired.IsZero():
		d.add(KindDeprecated, id, end.String(), now.Retired.String())
	case !was.Retired.IsZero() && now.Retired.IsZero():
		d.add(KindReturned, id, was.Retired.String(), now.EndOfSupport.String())
	case !was.Vanished.IsZero() && now.Vanished.IsZero():
		d.add(KindReturned, id, was.Vanished.String(), ends.String())
	case end.Before(ends):
		d.add(KindExtended, id, end.String(), ends.String())
	case ends.Before(end):
		d.add(KindShortened, id, end.String(), ends.String())
	}
	if now.relaunched != was.relaunched && !now.relaunched.IsZero() {
		d.add(KindRelaunched, id, was.Launched.String(), now.relaunched.String())
	}
	if now.Publisher != was.Publisher && now.Publisher != "" {
		d.add(KindRepublished, id, was.Publisher, now.Publisher)
	}
}

// String is the changes as aligned text, one a line.
func (d Changes) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -> %s: %d changes\n", d.Old, d.New, len(d.List))
	for _, c := range d.List {
		fmt.Fprintf(&b, "%-12s %-38s %s\n", c.Kind, c.Model, c.step(" -> "))
	}
	return b.String()
}

func (c Change) step(arrow string) string {
	switch {
	case c.From == "":
		return c.To
	case c.To == "":
		return c.From
	}
	return c.From + arrow + c.To
}

// Markdown is the changes as a table, for a pull request or a mail.
func (d Changes) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Models, %s to %s\n\n| Change | Model | From | To |\n| :-- | :-- | :-- | :-- |\n", d.Old, d.New)
	cell := strings.NewReplacer("|", `\|`, "`", "&#96;", "<", "&lt;")
	for _, c := range d.List {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", c.Kind, cell.Replace(c.Model), cell.Replace(c.From), cell.Replace(c.To))
	}
	return b.String()
}
