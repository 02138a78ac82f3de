package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
