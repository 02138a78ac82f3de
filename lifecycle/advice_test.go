package lifecycle

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(day string) time.Time { return date(day).Time(time.UTC) }

func TestAdvise(t *testing.T) {
	overlays := []Overlay{{Tenant: "acme", Model: "deepseek-r1:70b", Kind: Reactivated, From: date("2026-01-01"), Until: date("2027-01-01"), By: "b", Why: "w"}}
	c, err := Default().Overlay(overlays)
	require.NoError(t, err)
	for _, tc := range []struct {
		model, day string
		o          AdviceOptions
		action     Action
		send       string
		code       int
		reason     string
	}{
		{"GPT-OSS:120B", "2026-05-17", AdviceOptions{}, Allow, "gpt-oss:120b", 0, ""},
		{"cogito:32b", "2026-06-29", AdviceOptions{}, Warn, "cogito:32b", 0, "cogito:32b loses support on 2026-06-30, in 1 day; use gpt-oss:120b (named by the provider"},
		{"cogito:32b", "2026-06-30", AdviceOptions{}, Warn, "cogito:32b", 0, "lost support on 2026-06-30 and may be removed any day; use gpt-oss:120b"},
		{"cogito:32b", "2026-11-23", AdviceOptions{Rewrite: true}, Warn, "cogito:32b", 0, "should be gone since 2026-09-30"},
		{"cogito:32b", "2026-11-23", AdviceOptions{RefusePresumed: true}, Refuse, "cogito:32b", 410, "use gpt-oss:120b"},
		{"deepseek-r1:70b", "2026-05-17", AdviceOptions{}, Refuse, "deepseek-r1:70b", 410, "deepseek-r1:70b was deprecated on 2025-10-17; use llama3.3:70b"},
		{"deepseek-r1:70b", "2026-05-17", AdviceOptions{Rewrite: true}, Rewrite, "llama3.3:70b", 0, "use llama3.3:70b"},
		{"deepseek-r1:70b", "2026-05-17", AdviceOptions{Tenant: "acme"}, Allow, "deepseek-r1:70b", 0, ""},
		{"magistral:24b", "2026-05-17", AdviceOptions{}, Refuse, "magistral:24b", 410, "was removed by 2026-05-17"},
		{"qwen3.6:27b", "2026-04-30", AdviceOptions{}, Warn, "qwen3.6:27b", 0, "is in evaluation, not yet in production"},
		{"gpt-7", "2026-05-17", AdviceOptions{}, Allow, "gpt-7", 0, ""},
		{"gpt-7", "2026-05-17", AdviceOptions{RefuseUnknown: true}, Refuse, "gpt-7", 404, `no such model: "gpt-7"`},
	} {
		a := c.Advise(tc.model, at(tc.day), tc.o)
		require.Equal(t, tc.action, a.Action, "%+v: %s", tc, a.Reason)
		require.Equal(t, tc.send, a.Model)
		require.Equal(t, tc.code, a.Code)
		require.Contains(t, a.Reason, tc.reason)
		require.Equal(t, a.Action == Allow, a.Reason == "")
		require.Equal(t, a.Action == Refuse, a.Err() != nil)
	}
	require.ErrorIs(t, c.Advise("qwq:32b", at("2026-05-17"), AdviceOptions{}).Err(), ErrGone)
	require.ErrorIs(t, c.Advise("x", at("2026-05-17"), AdviceOptions{RefuseUnknown: true}).Err(), ErrUnknownModel)
	require.Equal(t, "refuse", Refuse.String())
	require.Equal(t, "action(9)", Action(9).String())
}

// The headers of every model on many days: none before the notice, then both,
// in the forms of their RFCs, and Sunset not before Deprecation.
func TestHeaders(t *testing.T) {
	c := Default()
	set := 0
	for day := date("2025-06-01"); day.Before(date("2028-06-01")); day = day.AddDays(13) {
		for m := range c.Models() {
			s, err := c.StatusOn(m.ID, day)
			require.NoError(t, err)
			h := http.Header{}
			s.SetHeader(h)
			if s.Phase < Notice {
				require.Empty(t, h)
				continue
			}
			set++
			seconds, found := strings.CutPrefix(h.Get("Deprecation"), "@") // RFC 9745 §2.1, an sf-date
			require.True(t, found)
			deprecated, err := strconv.ParseInt(seconds, 10, 64)
			require.NoError(t, err)
			sunset, err := http.ParseTime(h.Get("Sunset"))
			require.NoError(t, err)
			require.Equal(t, s.End(), DateOf(sunset))
			require.False(t, sunset.Before(time.Unix(deprecated, 0)), "RFC 9745 §4")
		}
	}
	require.Greater(t, set, 1000)
	s, err := c.StatusOn("cogito:32b", date("2026-06-01"))
	require.NoError(t, err)
	h := http.Header{}
	s.SetHeader(h)
	require.Equal(t, http.Header{"Deprecation": {"@1774828800"}, "Sunset": {"Tue, 30 Jun 2026 00:00:00 GMT"}}, h)
}

func BenchmarkAdvise(b *testing.B) {
	c := Default()
	for name, model := range map[string]string{"allow": "gpt-oss:120b", "warn": "cogito:32b"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			day := at("2026-05-17")
			for b.Loop() {
				c.Advise(model, day, AdviceOptions{})
			}
		})
	}
}
