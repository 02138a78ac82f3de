package lifecycle

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// OverlayKind is what the provider granted a tenant.
type OverlayKind string

// The two things that the provider offers for critical uses.
const (
	// Extended support: the model is maintained for the tenant until a later day.
	Extended OverlayKind = "extended support"
	// Reactivated: a deprecated model runs again for the tenant.
	Reactivated OverlayKind = "reactivation"
)

// Overlay is one such grant: for a tenant and a model, from a day (included) to
// a day (excluded), with who granted it and why.
type Overlay struct {
	Tenant string      `json:"tenant"`
	Model  string      `json:"model"` // id or alias
	Kind   OverlayKind `json:"kind"`
	From   Date        `json:"from"`
	Until  Date        `json:"until"` // first day on which it no longer holds
	By     string      `json:"by"`
	Why    string      `json:"why"`
}

type overlayKey struct{ tenant, model string } // model: the id

// Overlay returns a catalogue in which the given overlays stand, in place of
// any earlier ones: [Catalogue.StatusFor] honors them. Each must name tenant,
// known model, who and why; extended support must end after the end of support
// in the tables, and a reactivation must begin when the model is deprecated.
// Memory grows with the list, which the operator writes; no request adds to it.
func (c *Catalogue) Overlay(list []Overlay) (*Catalogue, error) {
	out := *c
	out.overlays = make(map[overlayKey][]*Overlay, len(list))
	for i := range list {
		o := list[i]
		e := c.find(o.Model)
		if e == nil {
			return nil, fmt.Errorf("lifecycle: overlays[%d].model: %w", i, &UnknownModelError{ID: o.Model})
		}
		if text := o.check(e); text != "" {
			return nil, fmt.Errorf("lifecycle: overlays[%d] %s: %s", i, e.ID, text)
		}
		o.Model = e.ID
		key := overlayKey{o.Tenant, e.ID}
		out.overlays[key] = append(out.overlays[key], &o)
	}
	for _, of := range out.overlays { // the latest grant first: it has the last word
		slices.SortStableFunc(of, func(a, b *Overlay) int { return b.From.Compare(a.From) })
	}
	return &out, nil
}

func (o *Overlay) check(e *entry) string {
	for _, f := range []struct{ name, text string }{{"tenant", o.Tenant}, {"by", o.By}, {"why", o.Why}} {
		if strings.TrimSpace(f.text) == "" {
			return "got no " + f.name + ", want one"
		}
	}
	switch {
	case o.From.IsZero() || !o.From.Before(o.Until):
		return fmt.Sprintf("got from %q until %q, want a day and a later one", o.From, o.Until)
	case o.Kind == Extended && (e.EndOfSupport.IsZero() || !e.EndOfSupport.Before(o.Until)):
		return fmt.Sprintf("got support extended until %s, want a model with an end of support, and a day after it %q", o.Until, e.EndOfSupport)
	case o.Kind == Reactivated && (e.Retired.IsZero() || o.From.Before(e.Retired)):
		return fmt.Sprintf("got a reactivation from %s, want a deprecated model, and a day after its deprecation %q", o.From, e.Retired)
	case o.Kind != Extended && o.Kind != Reactivated:
		return fmt.Sprintf("got kind %s, want %q or %q", clip(string(o.Kind)), Extended, Reactivated)
	}
	return ""
}

// LoadOverlays reads a JSON list of overlays with the keys of [Overlay], all of
// them required. A mistake gives a [FileError].
func LoadOverlays(r io.Reader) ([]Overlay, error) {
	d, err := readDocument(r, "overlays")
	if err != nil {
		return nil, err
	}
	keys := []string{"tenant", "model", "kind", "from", "until", "by", "why"}
	var list []Overlay
	err = d.list(func(int) error {
		var o Overlay
		err := d.object(keys, len(keys), func(key string) error {
			switch key {
			case "from":
				return d.date(&o.From)
			case "until":
				return d.date(&o.Until)
			case "kind":
				return d.text((*string)(&o.Kind))
			}
			return d.text(map[string]*string{"tenant": &o.Tenant, "model": &o.Model, "by": &o.By, "why": &o.Why}[key])
		})
		list = append(list, o)
		return err
	})
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// overlay returns the grant in force, or nil.
func (c *Catalogue) overlay(tenant, id string, day Date) *Overlay {
	for _, o := range c.overlays[overlayKey{tenant, id}] {
		if !day.Before(o.From) && day.Before(o.Until) {
			return o
		}
	}
	return nil
}

// stand lets an overlay decide: the model is supported for the tenant until the
// overlay ends, and the notice runs before that day.
func (s *Status) stand(o *Overlay, p Policy) {
	if s.Phase < Production || !s.End().Before(o.Until) {
		return // not launched yet, or a later table gives more than the overlay does
	}
	s.Overlay, s.EndOfSupport, s.Retired, s.RemovedFrom = o, o.Until, Date{}, o.Until
	s.NoticeFrom = o.Until.AddMonths(-p.NoticeMonths)
	s.DaysLeft = o.Until.Sub(s.Day)
	s.Presumed, s.Reactivable = false, false
	s.Phase = Production
	if !s.Day.Before(s.NoticeFrom) {
		s.Phase = Notice
	}
}
