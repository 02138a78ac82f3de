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

func TestSuccessor(t *testing.T) {
	for _, tc := range []struct{ model, day, want, reason string }{
		{"cogito:32b", "2026-05-17", "gpt-oss:120b", "named by the provider for cogito:32b"},
		{"mistral-small3.1:24b", "2026-05-17", "mistral-small3.2:24b", "same family, can chat tools vision safety, 24B parameters for 24B"},
		{"devstral:24b", "2026-05-17", "devstral-small-2:24b", "same family"},
		{"deepseek-r1:70b", "2026-05-17", "llama3.3:70b", "another publisher, a chat model, 70B parameters for 70B"},
		{"gemma3:1b", "2026-05-17", "qwen3.5:0.8b", "another publisher, can chat, 800M parameters for 1B"}, // not the 31B of the same family
		{"qwen3-embedding:0.6b", "2026-05-17", "bge-m3:567m", ""},
		{"granite3-guardian:2b", "2026-05-17", "granite3-guardian:8b", "same family, can safety"},
		{"qwen3.5:4b", "2026-05-17", "qwen3-2507-think:4b", "same family"},     // not qwen3.5:9b, which ends on the same day
		{"gpt-oss:20b", "2026-05-17", "qwen3.6:27b", "27B parameters for 20B"}, // not the 120B of the same family
		{"deepseek-ocr", "2026-05-17", "qwen3-vl:4b", "can vision"},            // no other of its kind, but one that can
	} {
		r, err := Default().Successor(tc.model, at(tc.day))
		require.NoError(t, err, tc.model)
		require.Equal(t, tc.want, r.Model, "%s: %s", tc.model, r.Reason)
		require.Contains(t, r.Reason, tc.reason)
	}
	_, err := Default().Successor("voxtral", at("2026-05-17"))
	require.ErrorIs(t, err, ErrNoSuccessor)
	_, err = Default().Successor("none", at("2026-05-17"))
	require.ErrorIs(t, err, ErrUnknownModel)
}

// A successor lives, is another model, does what the old one was for, and is in
// notice only if no model of the kind is in production.
func TestSuccessorLives(t *testing.T) {
	c := Default()
	found := 0
	for day := date("2025-06-01"); day.Before(date("2027-12-30")); day = day.AddDays(29) {
		for m := range c.Models() {
			r, err := c.Successor(m.ID, day.Time(time.UTC))
			if err != nil {
				require.ErrorIs(t, err, ErrNoSuccessor)
				continue
			}
			found++
			require.NotEqual(t, m.ID, r.Model)
			s, err := c.StatusOn(r.Model, day)
			require.NoError(t, err)
			require.Equal(t, r.Phase, s.Phase)
			require.Contains(t, []Phase{Production, Notice}, s.Phase, "%s for %s on %s", r.Model, m.ID, day)
			if s.Phase == Notice {
				for other := range c.Models() {
					o, err := c.StatusOn(other.ID, day)
					require.NoError(t, err)
					better := o.Phase == Production && other.ID != m.ID && m.Capabilities != 0 && kind(m.Capabilities) == kind(other.Capabilities)
					require.False(t, better, "%s in notice for %s on %s, %s is in production", r.Model, m.ID, day, other.ID)
				}
			}
		}
	}
	require.Greater(t, found, 1000)
}

const chain = `{"as_of": "2026-01-01", "source": "test", "models": [
{"id": "a", "launched": "2025-01-01", "end_of_support": "2026-01-01", "successor": "b", "capabilities": ["audio"]},
{"id": "b", "launched": "2025-01-01", "end_of_support": "2026-01-01", "successor": "c", "capabilities": ["audio"]},
{"id": "c", "launched": "2025-01-01", "end_of_support": "2026-06-01", "successor": "a", "capabilities": ["audio"]},
{"id": "d", "launched": "2026-05-01", "end_of_support": "2027-06-01", "capabilities": ["audio"]}]}`

// Names are followed over dead models, not in circles, and a name in notice
// waits for something better.
func TestSuccessorChain(t *testing.T) {
	c, err := Load(strings.NewReader(chain))
	require.NoError(t, err)
	for day, want := range map[string]string{"2026-02-01": "c", "2026-04-01": "c", "2026-05-01": "d"} {
		r, err := c.Successor("a", at(day))
		require.NoError(t, err)
		require.Equal(t, want, r.Model, day)
	}
	r, err := c.Successor("a", at("2026-04-01"))
	require.NoError(t, err)
	require.Equal(t, Replacement{"c", "named by the provider for a; in notice itself", Notice}, r)
	_, err = c.Successor("c", at("2026-04-01"))
	require.ErrorIs(t, err, ErrNoSuccessor)
}

func TestSelect(t *testing.T) {
	price := func(m Model) (int64, bool) { return int64(len(m.ID)), m.Publisher == "Google" }
	for _, tc := range []struct {
		need Need
		day  string
		want string
	}{
		{Need{}, "2026-05-17", "qwen3:0.6b"},
		{Need{LTS: true, Capabilities: Chat | Reasoning}, "2026-05-17", "qwen3-2507-think:4b"},
		{Need{Order: LeastEnergy}, "2026-05-17", "granite3.2-vision:2b"},
		{Need{Order: LeastEnergy}, "2025-09-01", "gemma3:1b"}, // 0.15 kWh, the concepts page's own example
		{Need{Capabilities: Chat | Vision | Tools, Context: 200_000}, "2026-05-17", "qwen3-vl:4b"},
		{Need{Capabilities: Embedding}, "2026-05-17", "granite-embedding:278m"},
		{Need{Capabilities: Embedding, Context: 1024}, "2026-05-17", "bge-m3:567m"},
		{Need{Days: 400}, "2026-05-17", "qwen3-2507-think:4b"},
		{Need{Order: Cheapest, Cost: price}, "2026-05-17", "gemma4:31b"},
	} {
		c := Default()
		if tc.day == "2025-09-01" {
			c = c.AsKnown(date("2025-11-22"))
		}
		m, err := c.Select(tc.need, at(tc.day))
		require.NoError(t, err)
		require.Equal(t, tc.want, m.ID, "%+v", tc.need)
	}
	_, err := Default().Select(Need{Context: 1 << 30}, at("2026-05-17"))
	require.ErrorIs(t, err, ErrNoModel)
	_, err = Default().Select(Need{Order: Cheapest}, at("2026-05-17"))
	require.ErrorContains(t, err, "want both")
}

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
