package lifecycle

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestCalendar(t *testing.T) {
	events, err := Default().Calendar(at("2026-05-17"), 140, "cogito:32b", "COGITO:32B", "gpt-oss:20b")
	require.NoError(t, err)
	require.Equal(t, []Event{
		{date("2026-06-30"), EventEnd, "cogito:32b", "cogito:32b loses support"},
		{date("2026-06-30"), EventNotice, "gpt-oss:20b", "gpt-oss:20b is in notice until 2026-09-30"},
		{date("2026-07-01"), EventReview, "", "the provider reviews the plan"},
		{date("2026-09-30"), EventRemoval, "cogito:32b", "cogito:32b is gone by the policy"},
		{date("2026-09-30"), EventEnd, "gpt-oss:20b", "gpt-oss:20b loses support"},
		{date("2026-10-01"), EventReview, "", "the provider reviews the plan"},
	}, events)

	events, err = Default().Calendar(at("2025-01-01"), 1000, "qwen3:30b-a3b", "gemma3:12b")
	require.NoError(t, err)
	events = slices.DeleteFunc(events, func(e Event) bool { return e.Kind == EventReview })
	require.Equal(t, []Event{
		{date("2025-06-13"), EventLaunch, "gemma3:12b", "gemma3:12b is launched"},
		{date("2025-06-13"), EventLaunch, "qwen3:30b-a3b", "qwen3:30b-a3b is launched"},
		{date("2025-08-21"), EventNotice, "gemma3:12b", "gemma3:12b is in notice until 2025-11-21"},
		{date("2025-09-30"), EventNotice, "qwen3:30b-a3b", "qwen3:30b-a3b is in notice until 2025-12-31"},
		{date("2025-11-21"), EventDeprecation, "gemma3:12b", "gemma3:12b is deprecated"},
		{date("2025-12-31"), EventEnd, "qwen3:30b-a3b", "qwen3:30b-a3b loses support"},
		{date("2026-03-30"), EventDeprecation, "qwen3:30b-a3b", "qwen3:30b-a3b is deprecated"},
	}, events)

	_, err = Default().Calendar(at("2026-05-17"), 30, "none")
	require.ErrorIs(t, err, ErrUnknownModel)
	events, err = Default().Calendar(at("2026-05-17"), -1)
	require.NoError(t, err)
	require.Empty(t, events)
	events, err = Default().Calendar(at("2025-11-22"), 1<<40)
	require.NoError(t, err)
	require.NotEmpty(t, events)
	events, err = (&Catalogue{}).Calendar(at("2026-06-01"), 31)
	require.NoError(t, err)
	require.Len(t, events, 1, "the review alone")
}

func TestICSGolden(t *testing.T) {
	events, err := Default().Calendar(at("2026-05-17"), 60)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, WriteICS(&b, "Models; all, of them", events, at("2026-05-17")))
	golden(t, "calendar.ics", b.Bytes())
	require.Error(t, WriteICS(failing{}, "x", events, at("2026-05-17")))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, iotest.ErrTimeout }

// Whatever the text, no line is longer than 75 octets or splits a character,
// every line ends in CRLF, and a control character cannot start a property.
func FuzzICS(f *testing.F) {
	f.Add("gone; use a, or b\\c\nnext", "Modèles 模型")
	f.Add(strings.Repeat("é", 200), "\r\nBEGIN:VEVENT\x00\x7f")
	f.Add("\xff\xfe", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		var b bytes.Buffer
		if err := WriteICS(&b, name, []Event{{date("2026-01-01"), EventEnd, "a,b;c:" + lower(name), text}}, at("2026-01-01")); err != nil {
			t.Fatal(err)
		}
		events := 0
		for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\r\n"), "\r\n") {
			if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n\x00\x7f") {
				t.Fatalf("bad line %q", line)
			}
			if line == "BEGIN:VEVENT" {
				events++
			}
		}
		if events != 1 {
			t.Fatalf("%d events", events)
		}
	})
}

// The UID of an event does not move with its day.
func TestUIDsAreStable(t *testing.T) {
	uids := func(c *Catalogue) map[string]Date {
		events, err := c.Calendar(at("2025-06-01"), 2000)
		require.NoError(t, err)
		m := map[string]Date{}
		for _, e := range events {
			require.NotContains(t, m, e.uid(), "unique")
			m[e.uid()] = e.Day
		}
		return m
	}
	before, after := uids(Default().AsKnown(date("2025-11-22"))), uids(Default())
	require.Equal(t, date("2026-03-30"), before["end-of-support/gemma3:27b@lifecycle.llmaas"])
	require.Equal(t, date("2026-06-30"), after["end-of-support/gemma3:27b@lifecycle.llmaas"])
}

var errDisk = errors.New("disk on fire")
