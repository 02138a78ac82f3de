package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const grants = `[
{"tenant": "acme", "model": "cogito:32b", "kind": "extended support", "from": "2026-06-01", "until": "2027-01-31", "by": "support@provider", "why": "contract 4711"},
{"tenant": "acme", "model": "gemma3:12b", "kind": "reactivation", "from": "2026-01-01", "until": "2026-07-01", "by": "support@provider", "why": "vision"},
{"tenant": "acme", "model": "qwen3.6:27b", "kind": "extended support", "from": "2026-01-01", "until": "2027-07-01", "by": "support@provider", "why": "contract 4711"},
{"tenant": "acme", "model": "DEEPSEEK-R1:70B", "kind": "reactivation", "from": "2026-01-01", "until": "2026-07-01", "by": "support@provider", "why": "legal analysis"}
]`

func TestOverlay(t *testing.T) {
	list, err := LoadOverlays(strings.NewReader(grants))
	require.NoError(t, err)
	c, err := Default().Overlay(list)
	require.NoError(t, err)
	for _, tc := range []struct {
		tenant, model, day string
		phase              Phase
		left               int
		overlaid           bool
	}{
		{"acme", "cogito:32b", "2026-05-31", Notice, 30, false}, // not yet in force
		{"acme", "cogito:32b", "2026-06-01", Production, 244, true},
		{"acme", "COGITO:32B", "2026-10-30", Production, 93, true},
		{"acme", "cogito:32b", "2026-10-31", Notice, 92, true},
		{"acme", "cogito:32b", "2027-01-30", Notice, 1, true},
		{"acme", "cogito:32b", "2027-01-31", Removed, -215, false}, // back to the tables
		{"other", "cogito:32b", "2026-10-31", Removed, -123, false},
		{"acme", "deepseek-r1:70b", "2025-12-31", Deprecated, -75, false},
		{"acme", "deepseek-r1:70b", "2026-01-01", Production, 181, true},
		{"acme", "deepseek-r1:70b", "2026-07-01", Deprecated, -257, false},
		{"acme", "gemma3:12b", "2026-03-31", Production, 92, true}, // although the end of support that was printed is later
		{"acme", "gemma3:12b", "2026-07-01", Deprecated, -222, false},
		{"acme", "qwen3.6:27b", "2026-04-30", Evaluation, 244, false}, // not launched
		{"acme", "qwen3.6:27b", "2026-05-01", Production, 426, true},
		{"", "deepseek-r1:70b", "2026-01-01", Deprecated, -76, false},
	} {
		s, err := c.StatusFor(tc.tenant, tc.model, date(tc.day).Time(time.UTC))
		require.NoError(t, err)
		require.Equal(t, tc.phase, s.Phase, "%+v", tc)
		require.Equal(t, tc.left, s.DaysLeft, "%+v", tc)
		require.Equal(t, tc.overlaid, s.Overlay != nil, "%+v", tc)
		if tc.overlaid {
			require.Equal(t, "support@provider", s.Overlay.By)
			require.NotEmpty(t, s.Overlay.Why)
		}
	}
	s, err := c.StatusAt("cogito:32b", date("2026-10-01").Time(time.UTC))
	require.NoError(t, err)
	require.Nil(t, s.Overlay, "StatusAt knows no tenant")
	_, err = Default().StatusFor("acme", "none", time.Now())
	require.ErrorIs(t, err, ErrUnknownModel)
	s, err = c.AsKnown(date("2026-05-17")).StatusFor("acme", "cogito:32b", date("2026-10-01").Time(time.UTC))
	require.NoError(t, err)
	require.NotNil(t, s.Overlay, "overlays survive other views of the tables")
}

// An overlay that the tables have overtaken says nothing any more.
func TestOverlayOvertaken(t *testing.T) {
	c, err := Default().AsKnown(date("2025-11-22")).Overlay([]Overlay{{
		Tenant: "acme", Model: "gpt-oss:120b", Kind: Extended, From: date("2026-06-01"), Until: date("2026-12-31"), By: "b", Why: "w",
	}})
	require.NoError(t, err)
	at := date("2026-07-01").Time(time.UTC)
	s, err := c.StatusFor("acme", "gpt-oss:120b", at)
	require.NoError(t, err)
	require.Equal(t, date("2026-12-31"), s.EndOfSupport)
	s, err = c.Merge(Default()).StatusFor("acme", "gpt-oss:120b", at)
	require.NoError(t, err)
	require.Equal(t, date("2027-12-30"), s.EndOfSupport)
	require.Nil(t, s.Overlay)
}

func TestOverlayRefused(t *testing.T) {
	good := Overlay{Tenant: "acme", Model: "cogito:32b", Kind: Extended, From: date("2026-06-01"), Until: date("2027-01-31"), By: "b", Why: "w"}
	for want, spoil := range map[string]func(*Overlay){
		`unknown`:                     func(o *Overlay) { o.Model = "none" },
		"got no tenant, want one":     func(o *Overlay) { o.Tenant = " " },
		"got no by, want one":         func(o *Overlay) { o.By = "" },
		"got no why, want one":        func(o *Overlay) { o.Why = "" },
		`got from "" until`:           func(o *Overlay) { o.From = Date{} },
		`got from "2027-01-31" until`: func(o *Overlay) { o.From = o.Until },
		`a day after it "2026-06-30"`: func(o *Overlay) { o.Until = date("2026-06-30") },
		"want a deprecated model":     func(o *Overlay) { o.Kind = Reactivated },
		"after its deprecation \"2025-10-17\"": func(o *Overlay) {
			o.Kind, o.Model, o.From = Reactivated, "deepseek-r1:70b", date("2025-10-16")
		},
		`want a model with an end of support`: func(o *Overlay) { o.Model = "deepseek-r1:70b" },
		`got kind "gift"`:                     func(o *Overlay) { o.Kind = "gift" },
	} {
		o := good
		spoil(&o)
		_, err := Default().Overlay([]Overlay{good, o})
		require.Error(t, err, want)
		require.ErrorContains(t, err, "overlays[1]")
		if want == "unknown" {
			require.ErrorIs(t, err, ErrUnknownModel)
			continue
		}
		require.ErrorContains(t, err, want)
	}
	for want, text := range map[string]string{
		`overlays:1: got an object, want a list`: `{}`,
		`overlays:1: [0]: got no "tenant"`:       `[{}]`,
		`overlays:1: [0]: got the unknown key`:   `[{"who": 1}]`,
		`overlays:1: [0].from: got "soon"`:       `[{"from": "soon"}]`,
		`after the table`:                        `[] []`,
	} {
		_, err := LoadOverlays(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}
