package lifecycle

import (
	"errors"
	"time"
)

// ErrUnknownModel is what errors.Is finds in an [UnknownModelError].
var ErrUnknownModel = errors.New("lifecycle: unknown model")

// UnknownModelError says that no table names a model.
type UnknownModelError struct{ ID string }

// Error quotes the id and keeps a long one short: it may come from a caller.
func (e *UnknownModelError) Error() string {
	return "lifecycle: model: got " + clip(e.ID) + ", want an id or alias of the catalogue"
}

// Unwrap returns [ErrUnknownModel].
func (e *UnknownModelError) Unwrap() error { return ErrUnknownModel }

// Status is where a model stands on a day.
type Status struct {
	Model string `json:"model"` // the id, also if an alias was asked for
	Day   Date   `json:"day"`
	Phase Phase  `json:"phase"`

	// The dates that bound the phases; none where no table prints one.
	Launched     Date `json:"launched,omitzero"`       // DMP
	NoticeFrom   Date `json:"notice_from,omitzero"`    // first day of the notice
	EndOfSupport Date `json:"end_of_support,omitzero"` // DSP: first day without maintenance
	Retired      Date `json:"retired,omitzero"`        // first day off the public platform
	RemovedFrom  Date `json:"removed_from,omitzero"`   // first day on which it is gone

	// DaysLeft counts from Day to End: 0 on that day, negative afterwards, and 0
	// if End is no date.
	DaysLeft int `json:"days_left"`

	// Successor is the model that the provider names, else "".
	// [Catalogue.Successor] finds a living one for every model.
	Successor   string `json:"successor,omitempty"`
	LTS         bool   `json:"lts,omitempty"`
	Reactivable bool   `json:"reactivable,omitempty"` // deprecated, and to be had on request

	// Presumed says that no table records the phase: it follows from the policy
	// (removed three months after the end of support), or from the order of the
	// phases (evaluation before a launch of which only the day is known).
	Presumed bool `json:"presumed,omitempty"`
	// AsOf is the date of the latest table that lists the model: the age of the
	// knowledge that the status stands on.
	AsOf Date `json:"as_of"`
	// Overlay is what the status stands by, or nil. It belongs to the catalogue:
	// do not change it.
	Overlay *Overlay `json:"overlay,omitempty"`
}

// End is the day on which support ends, or on which the model was deprecated or
// removed if that came first.
func (s Status) End() Date { return first(s.EndOfSupport, s.Retired, s.RemovedFrom) }

// first is the earliest of the dates that are one.
func first(dates ...Date) (d Date) {
	for _, e := range dates {
		if d.IsZero() || (!e.IsZero() && e.Before(d)) {
			d = e
		}
	}
	return d
}

// StatusAt returns where a model stands on the calendar day of t, in the
// location of t: a program that must follow the provider's day asks with
// t.In(paris). An id that no table names gives an [UnknownModelError].
//
// All tables count, also those that are younger than t: the answer for a past
// day has the benefit of hindsight. [Catalogue.AsKnown] takes it away.
func (c *Catalogue) StatusAt(id string, t time.Time) (Status, error) {
	e := c.find(id)
	if e == nil {
		return Status{}, &UnknownModelError{ID: id}
	}
	return e.status(DateOf(t)), nil
}

// StatusOn is [Catalogue.StatusAt] for a day.
func (c *Catalogue) StatusOn(id string, day Date) (Status, error) {
	e := c.find(id)
	if e == nil {
		return Status{}, &UnknownModelError{ID: id}
	}
	return e.status(day), nil
}

// StatusFor is [Catalogue.StatusAt] for one tenant: an [Overlay] of theirs that
// is in force on the day goes before the tables.
func (c *Catalogue) StatusFor(tenant, id string, t time.Time) (Status, error) {
	e := c.find(id)
	if e == nil {
		return Status{}, &UnknownModelError{ID: id}
	}
	day := DateOf(t)
	s := e.status(day)
	if o := c.overlay(tenant, e.ID, day); o != nil {
		s.stand(o, c.rules())
	}
	return s, nil
}

func (e *entry) status(day Date) Status {
	s := Status{
		Model: e.ID, Day: day,
		Launched: e.Launched, NoticeFrom: e.noticeFrom, EndOfSupport: e.EndOfSupport, Retired: e.Retired, RemovedFrom: e.removedFrom,
		Successor: e.Model.Successor, LTS: e.LTS, AsOf: e.AsOf,
	}
	if !e.end.IsZero() {
		s.DaysLeft = e.end.Sub(day)
	}
	s.Phase, s.Presumed = e.phase(day)
	s.Reactivable = s.Phase == Deprecated && e.Reactivable
	return s
}

// phase asks from the end of life to its beginning, so that what has happened
// goes before what was planned.
func (e *entry) phase(day Date) (p Phase, presumed bool) {
	reached := func(d Date) bool { return !d.IsZero() && !day.Before(d) }
	switch {
	case reached(e.removedFrom):
		return Removed, e.Vanished.IsZero()
	case reached(e.Retired):
		return Deprecated, false
	case reached(e.EndOfSupport):
		return EndOfSupport, false
	case !e.Launched.IsZero() && day.Before(e.Launched), e.Launched.IsZero() && e.Retired.IsZero():
		if reached(e.Deployment) {
			return Deployment, false
		}
		return Evaluation, !reached(e.Evaluation)
	case reached(e.noticeFrom):
		return Notice, e.Launched.IsZero()
	}
	return Production, e.Launched.IsZero()
}
