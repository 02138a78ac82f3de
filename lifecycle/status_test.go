package lifecycle

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the goldens")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, got)
	require.Equal(t, string(want), string(got), "go test ./lifecycle -update writes the goldens")
}

// The goldens hold every model on four days, by all tables and by those that
// the day could know.
func TestStatusGoldens(t *testing.T) {
	for _, day := range []string{"2025-11-22", "2026-01-01", "2026-03-31", "2026-11-23"} {
		for name, c := range map[string]*Catalogue{"hindsight": Default(), "as-known": Default().AsKnown(date(day))} {
			var b bytes.Buffer
			for m := range c.Models() {
				s, err := c.StatusOn(m.ID, date(day))
				require.NoError(t, err)
				fmt.Fprintf(&b, "%-38s %-14s presumed=%-5t left=%-5d launched=%-10s notice=%-10s end=%-10s retired=%-10s removed=%-10s successor=%s\n",
					s.Model, s.Phase, s.Presumed, s.DaysLeft, s.Launched, s.NoticeFrom, s.EndOfSupport, s.Retired, s.RemovedFrom, s.Successor)
			}
			golden(t, "status-"+day+"-"+name+".txt", b.Bytes())
		}
	}
}

// Each row is the first day of a phase and the phase of the day before.
func TestPhaseBoundaries(t *testing.T) {
	tables := `{"as_of": "2026-01-01", "source": "test", "reactivable": true, "models": [
{"id": "beta", "evaluation": "2026-01-10", "deployment": "2026-02-01", "launched": "2026-03-01", "end_of_support": "2026-12-31"},
{"id": "both", "launched": "2025-01-01", "end_of_support": "2026-12-31"},
{"id": "late", "launched": "2025-01-01", "end_of_support": "2026-06-30"},
{"id": "never", "evaluation": "2026-01-10"},
{"id": "short", "launched": "2026-03-01", "end_of_support": "2026-04-01"}],
"retired": [
{"id": "both", "retired": "2026-05-31"},
{"id": "late", "retired": "2026-09-30"},
{"id": "only", "retired": "2026-05-31"}]}`
	c, err := Load(strings.NewReader(tables))
	require.NoError(t, err)
	for _, tc := range []struct {
		model, day    string
		before, phase Phase
	}{
		{"beta", "2026-01-10", Evaluation, Evaluation},
		{"beta", "2026-02-01", Evaluation, Deployment},
		{"beta", "2026-03-01", Deployment, Production},
		{"beta", "2026-09-30", Production, Notice},
		{"beta", "2026-12-31", Notice, EndOfSupport},
		{"beta", "2027-03-31", EndOfSupport, Removed},
		{"both", "2026-02-28", Production, Notice}, // the deprecation that happened wins
		{"both", "2026-05-31", Notice, Deprecated},
		{"both", "2027-03-31", Deprecated, Deprecated},
		{"late", "2026-03-30", Production, Notice},
		{"late", "2026-06-30", Notice, EndOfSupport},
		{"late", "2026-09-30", EndOfSupport, Deprecated},
		{"never", "2026-01-10", Evaluation, Evaluation},
		{"never", "2036-01-10", Evaluation, Evaluation},
		{"only", "2026-02-28", Production, Notice},
		{"only", "2026-05-31", Notice, Deprecated},
		{"short", "2026-03-01", Evaluation, Notice}, // no production at all
		{"short", "2026-04-01", Notice, EndOfSupport},
	} {
		before, err := c.StatusOn(tc.model, date(tc.day).AddDays(-1))
		require.NoError(t, err)
		on, err := c.StatusOn(tc.model, date(tc.day))
		require.NoError(t, err)
		require.Equal(t, tc.before, before.Phase, "%s on the day before %s", tc.model, tc.day)
		require.Equal(t, tc.phase, on.Phase, "%s on %s", tc.model, tc.day)
		if !on.End().IsZero() {
			require.Equal(t, on.DaysLeft, before.DaysLeft-1)
		}
	}
	s, err := c.StatusOn("beta", date("2026-01-09"))
	require.NoError(t, err)
	require.True(t, s.Presumed)
	s, err = c.StatusOn("beta", date("2026-01-10"))
	require.NoError(t, err)
	require.False(t, s.Presumed)
	s, err = c.StatusOn("both", date("2026-05-31"))
	require.NoError(t, err)
	require.True(t, s.Reactivable)
	require.Zero(t, s.DaysLeft)
}

// Time never takes a model back to an earlier phase.
func TestPhasesOnlyAdvance(t *testing.T) {
	c := Default()
	require.NoError(t, quick.Check(func(model uint, a, b uint16) bool {
		e := &c.models[model%uint(len(c.models))]
		x, y := date("2025-01-01").AddDays(int(min(a, b))%2000), date("2025-01-01").AddDays(int(max(a, b))%2000)
		if y.Before(x) {
			x, y = y, x
		}
		return e.status(x).Phase <= e.status(y).Phase
	}, &quick.Config{MaxCount: 20_000}))
}

// A model that a complete table omits before its end is gone from that table on.
func TestVanishedBeforeItsEnd(t *testing.T) {
	c, err := LoadFS(fstest.MapFS{
		"1.json": {Data: []byte(tableOf(strings.Replace(goodRow, "2026-01-01", "2027-01-01", 1)))},
		"2.json": {Data: []byte(`{"as_of": "2026-04-01", "source": "test", "complete": true, "models": []}`)},
	}, "*.json")
	require.NoError(t, err)
	s, err := c.StatusOn("a:1b", date("2026-04-02"))
	require.NoError(t, err)
	require.Equal(t, Removed, s.Phase)
	require.Equal(t, -1, s.DaysLeft)
	require.Equal(t, date("2026-04-01"), s.End())
}

func TestVanished(t *testing.T) {
	s, err := Default().StatusOn("magistral:24b", date("2026-05-16"))
	require.NoError(t, err)
	require.Equal(t, EndOfSupport, s.Phase)
	s, err = Default().StatusOn("magistral:24b", date("2026-05-17"))
	require.NoError(t, err)
	require.Equal(t, Removed, s.Phase)
	require.False(t, s.Presumed, "a complete table no longer lists it")
	s, err = Default().StatusOn("foundation-sec:8b", date("2026-05-17"))
	require.NoError(t, err)
	require.Equal(t, Removed, s.Phase)
	s, err = Default().StatusOn("cogito:32b", date("2026-11-23"))
	require.NoError(t, err)
	require.Equal(t, Removed, s.Phase)
	require.True(t, s.Presumed, "no table records it")
	require.Equal(t, "gpt-oss:120b", s.Successor)
}

func TestStatusDoesNotAllocate(t *testing.T) {
	c := Default()
	at := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for _, id := range []string{"gpt-oss:120b", "GPT-OSS:120B", "Llama 3.3 70B"} {
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = c.StatusAt(id, at) }), id)
	}
}

// BenchmarkStatusAt is to be read beside its baseline: the least that an answer
// takes, one look into a map and the day of the time.
func BenchmarkStatusAt(b *testing.B) {
	b.Run("baseline", func(b *testing.B) {
		index, at := Default().index, time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
		for b.Loop() {
			if i, ok := index["gpt-oss:120b"]; !ok || DateOf(at).n < i {
				b.Fatal("not found")
			}
		}
	})
	c, at := Default(), time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for _, id := range []string{"gpt-oss:120b", "GPT-OSS:120B", "nvidia/llama-nemotron-rerank-vl-1b-v2"} {
		b.Run(id, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.StatusAt(id, at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad reads both embedded tables.
func BenchmarkLoad(b *testing.B) {
	size := 0
	for _, name := range []string{"data/2025-11-22.json", "data/2026-05-17.json"} {
		data, err := dataFS.ReadFile(name)
		require.NoError(b, err)
		size += len(data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := LoadFS(dataFS, "data/*.json"); err != nil {
			b.Fatal(err)
		}
	}
}
