package lifecycle

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Action is what to do with a request for a model.
type Action uint8

// The actions, the mildest first.
const (
	Allow   Action = iota // nothing to say
	Warn                  // serve it, and say what is coming
	Rewrite               // serve it with Advice.Model instead
	Refuse                // answer Advice.Code
)

// String returns "allow", "warn", "rewrite" or "refuse".
func (a Action) String() string {
	if int(a) < 4 {
		return [...]string{"allow", "warn", "rewrite", "refuse"}[a]
	}
	return "action(" + strconv.Itoa(int(a)) + ")"
}

// AdviceOptions says how strict [Catalogue.Advise] is. The zero value refuses
// only what a table records as gone.
type AdviceOptions struct {
	// Tenant whose overlays count; "" has none.
	Tenant string
	// Rewrite sends a request that would be refused to the successor instead.
	Rewrite bool
	// RefuseUnknown refuses models that no table names. They are allowed by
	// default: the service may well serve a model that is younger than the tables.
	RefuseUnknown bool
	// RefusePresumed refuses models that are gone by the policy alone. By
	// default they get a warning: a review may have extended them since.
	RefusePresumed bool
}

// Advice is what a client or a gateway should do with a request for a model.
type Advice struct {
	Action Action
	// Model to send: the one asked for by its id, or the successor if Action is
	// Rewrite. An unknown model stays as it was written.
	Model string
	// Code is the HTTP status of a refusal: 410 Gone for a model that was, 404
	// Not Found for one that no table names; else 0.
	Code int
	// Reason says why, with dates and the successor; "" for Allow.
	Reason string
	// Successor is a living replacement, if one was looked for and found: for
	// every known model that is neither in production nor before it.
	Successor string
	// Status is zero for an unknown model.
	Status Status
}

// Advise says whether a request for id on the day of t should be allowed,
// warned about, rewritten or refused.
func (c *Catalogue) Advise(id string, t time.Time, o AdviceOptions) Advice {
	s, err := c.StatusFor(o.Tenant, id, t)
	if err != nil {
		a := Advice{Model: id}
		if o.RefuseUnknown {
			a.Action, a.Code, a.Reason = Refuse, http.StatusNotFound, "no such model: "+clip(id)
		}
		return a
	}
	a := Advice{Model: s.Model, Status: s}
	switch {
	case s.Phase == Production:
		return a
	case s.Phase < Production:
		a.Action, a.Reason = Warn, s.Model+" is in "+s.Phase.String()+", not yet in production"
		return a
	}
	a.Reason = s.sentence()
	if r, err := c.Successor(s.Model, t); err == nil {
		a.Successor = r.Model
		a.Reason += "; use " + r.Model + " (" + r.Reason + ")"
	}
	switch gone := s.Phase == Deprecated || (s.Phase == Removed && (!s.Presumed || o.RefusePresumed)); {
	case !gone:
		a.Action = Warn
	case o.Rewrite && a.Successor != "":
		a.Action, a.Model = Rewrite, a.Successor
	default:
		a.Action, a.Code = Refuse, http.StatusGone
	}
	return a
}

// sentence says in one line where a model stands and until when.
func (s Status) sentence() string {
	switch s.Phase {
	case Notice:
		return s.Model + " loses support on " + s.End().String() + ", in " + days(s.DaysLeft)
	case EndOfSupport:
		return s.Model + " lost support on " + s.EndOfSupport.String() + " and may be removed any day"
	case Deprecated:
		return s.Model + " was deprecated on " + s.Retired.String()
	case Removed:
		if s.Presumed {
			return s.Model + " lost support on " + s.EndOfSupport.String() + " and should be gone since " + s.RemovedFrom.String()
		}
		return s.Model + " was removed by " + s.RemovedFrom.String()
	}
	return s.Model + " is in " + s.Phase.String()
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

// SetHeader sets Deprecation (RFC 9745 §2) and Sunset (RFC 8594 §3) on a reply
// about a model from its notice on, and leaves h alone before. Deprecation is
// the first day of the notice and Sunset the end, both at 0 h UTC; Sunset is
// never the earlier one (RFC 9745 §4).
func (s Status) SetHeader(h http.Header) {
	if s.Phase < Notice || s.NoticeFrom.IsZero() {
		return
	}
	h.Set("Deprecation", "@"+strconv.FormatInt(s.NoticeFrom.Time(time.UTC).Unix(), 10))
	h.Set("Sunset", s.End().Time(time.UTC).Format(http.TimeFormat))
}

// Err returns an error that carries the refusal, or nil if there is none.
// errors.Is finds [ErrGone] in it, and [ErrUnknownModel] if that was the reason.
func (a Advice) Err() error {
	if a.Action != Refuse {
		return nil
	}
	if a.Status.Model == "" {
		return &UnknownModelError{ID: a.Model}
	}
	return &goneError{a.Reason}
}

// ErrGone says that a model is deprecated or removed.
var ErrGone = errors.New("lifecycle: model gone")

type goneError struct{ reason string }

func (e *goneError) Error() string { return "lifecycle: " + e.reason }
func (e *goneError) Unwrap() error { return ErrGone }
