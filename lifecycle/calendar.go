package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// EventKind is what happens on the day of an [Event].
type EventKind string

// The events.
const (
	EventLaunch      EventKind = "launch"
	EventNotice      EventKind = "notice" // it begins
	EventEnd         EventKind = "end of support"
	EventDeprecation EventKind = "deprecation"
	EventRemoval     EventKind = "removal" // at the latest, by the policy
	EventReview      EventKind = "review"  // the provider reviews the plan; of no model
)

// Event is one day that matters.
type Event struct {
	Day   Date      `json:"day"`
	Kind  EventKind `json:"kind"`
	Model string    `json:"model,omitempty"`
	Text  string    `json:"text"`
}

// Calendar lists what happens from the day of t, included, in the next days
// days to the models that a program uses, sorted by day; no name means all
// models. A name that no table has gives an [UnknownModelError].
func (c *Catalogue) Calendar(t time.Time, days int, names ...string) ([]Event, error) {
	entries, err := c.entries(names)
	if err != nil {
		return nil, err
	}
	from := DateOf(t)
	to := from.AddDays(max(days, 0))
	var events []Event
	for _, e := range entries {
		events = append(events, e.events()...)
	}
	events = append(events, reviews(from, to, c.rules())...)
	events = slices.DeleteFunc(events, func(e Event) bool { return e.Day.Before(from) || !e.Day.Before(to) })
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Or(a.Day.Compare(b.Day), strings.Compare(a.Model, b.Model)) })
	return events, nil
}

// entries looks names up, each model once.
func (c *Catalogue) entries(names []string) ([]*entry, error) {
	var out []*entry
	if len(names) == 0 {
		for i := range c.models {
			out = append(out, &c.models[i])
		}
		return out, nil
	}
	for _, name := range names {
		e := c.find(name)
		if e == nil {
			return nil, &UnknownModelError{ID: name}
		}
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out, nil
}

// events are the days of one model; those that no table gives, or that an
// earlier end overtook, are left out.
func (e *entry) events() []Event {
	support, gone := e.EndOfSupport, e.ID+" is gone by the policy"
	if e.end != support {
		support = Date{}
	}
	if !e.Vanished.IsZero() {
		gone = e.ID + " is listed no more"
	}
	all := []Event{
		{e.Launched, EventLaunch, e.ID, e.ID + " is launched"},
		{e.noticeFrom, EventNotice, e.ID, e.ID + " is in notice until " + e.end.String()},
		{support, EventEnd, e.ID, e.ID + " loses support"},
		{e.Retired, EventDeprecation, e.ID, e.ID + " is deprecated"},
		{e.removedFrom, EventRemoval, e.ID, gone},
	}
	return slices.DeleteFunc(all, func(ev Event) bool { return ev.Day.IsZero() })
}

// reviews are the first days of the periods that divide a year, by default of
// the quarters.
func reviews(from, to Date, p Policy) []Event {
	var out []Event
	y, _, _ := from.Date()
	first, err := NewDate(max(y, 2), time.January, 1)
	if err != nil {
		return nil
	}
	for d := first; d.Before(to); d = d.AddMonths(p.ReviewMonths) {
		out = append(out, Event{d, EventReview, "", "the provider reviews the plan"})
		if d.n+31 > maxDays {
			break
		}
	}
	return out
}
