package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.MaxAge = 5 * time.Second })
	fill(t, l, 20)
	for _, cut := range []struct {
		at   time.Duration
		gone int64
	}{{4 * time.Second, 0}, {5 * time.Second, 5}, {12 * time.Second, 5}, {time.Hour, 5}, {time.Hour, 0}} {
		n, err := l.Prune(noon.Add(cut.at)) // the first segment ends at 4 s
		require.NoError(t, err)
		require.Equal(t, cut.gone, n, "%v", cut.at)
		require.Empty(t, problems(t, dir))
	}
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.EqualValues(t, 15, got.Pruned)
	require.EqualValues(t, 16, got.First)
	require.NoError(t, l.Close())

	edit(t, filepath.Join(dir, segmentName(16)), func(l []string) []string { return l[1:] }) // behind the log's back
	require.Contains(t, problems(t, dir), "records 16 to 16 are missing, and were not pruned")
}

// A log that is pruned again and again verifies at each time, long after the
// first stubs are gone themselves, and what goes is on the record.
func TestPruneForever(t *testing.T) {
	dir := t.TempDir()
	now := noon
	o := Options{Dir: dir, Key: k1, MaxAge: 5 * time.Second, Now: func() time.Time { return now }}
	l, err := Open(o)
	require.NoError(t, err)
	gone := int64(0)
	for round := range 50 {
		now = now.Add(time.Second)
		require.NoError(t, l.Append(Record{}))
		n, err := l.Prune(now.Add(-12 * time.Second))
		require.NoError(t, err)
		gone += n
		if round%10 == 0 {
			require.NoError(t, l.Close())
			l, err = Open(o)
			require.NoError(t, err)
		}
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems, "round %d", round)
		require.Equal(t, gone, got.Pruned)
		require.LessOrEqual(t, got.Records, 25, "what is old goes")
	}
	require.NoError(t, l.Close())
	require.Greater(t, gone, int64(30))
	stubs := int64(0)
	for e, err := range walk(dir, []Key{k1}) {
		require.NoError(t, err)
		if n := e.plain.note(); n != nil {
			require.Equal(t, "pruned", n.Kind)
			require.EqualValues(t, n.Records, n.To-n.From+1)
			stubs += n.Records
		}
	}
	require.Positive(t, stubs)
}

// Nothing goes that does not verify: Prune must not cover what somebody did.
func TestPruneRefuses(t *testing.T) {
	for _, row := range []struct {
		name   string
		tamper func(t *testing.T, dir string)
		want   string
	}{
		{"a changed record", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, segmentName(1)), func(l []string) []string {
				l[1] = strings.Replace(l[1], `"data":"`, `"data":"A`, 1)
				return l
			})
		}, segmentName(1) + ":2: the line does not hash"},
		{"a missing record", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, segmentName(1)), func(l []string) []string { return append(l[:1], l[2:]...) })
		}, segmentName(1) + ":2: got record 3, want record 2"},
		{"a missing segment", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, segmentName(1))))
		}, segmentName(6) + ":1: got record 6, want record 1"},
		{"a segment that was cut", func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, segmentName(1)), 100))
		}, segmentName(1) + ":1: no record ends here"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, func(o *Options) { o.MaxAge = 5 * time.Second })
			fill(t, l, 15)
			row.tamper(t, dir)
			n, err := l.Prune(noon.Add(time.Hour))
			require.ErrorContains(t, err, row.want)
			require.ErrorContains(t, err, "nothing was pruned")
			require.Zero(t, n)
			require.NoError(t, l.Close())
			require.NotEmpty(t, problems(t, dir))
		})
	}
}

// The time of a record is that of its request's beginning, and requests take
// long: one that is younger than those after it keeps its segment.
func TestPruneKeepsAsLongAsTold(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	for _, at := range []time.Duration{0, time.Minute, -time.Hour} {
		require.NoError(t, l.Append(Record{Time: noon.Add(at)}))
	}
	l.o.MaxBytes = 1
	require.NoError(t, l.Append(Record{Time: noon.Add(time.Hour)}))
	for _, cut := range []struct {
		at   time.Duration
		gone int64
	}{{time.Second, 0}, {time.Minute, 0}, {time.Minute + 1, 3}} {
		n, err := l.Prune(noon.Add(cut.at))
		require.NoError(t, err)
		require.Equal(t, cut.gone, n, "%v", cut.at)
	}
	require.NoError(t, l.Close())
}

// A crash in the middle of a Prune leaves a log that verifies, and Open removes
// what is left.
func TestPruneBrokenOff(t *testing.T) {
	dir := t.TempDir()
	o := func(o *Options) { o.MaxAge = 5 * time.Second }
	l := open(t, dir, o)
	fill(t, l, 15)
	kept := make(map[string][]byte)
	for _, first := range []uint64{1, 6} {
		data, err := os.ReadFile(filepath.Join(dir, segmentName(first)))
		require.NoError(t, err)
		kept[segmentName(first)] = data
	}
	n, err := l.Prune(noon.Add(time.Hour))
	require.NoError(t, err)
	require.EqualValues(t, 10, n)
	require.NoError(t, l.Close())
	for _, back := range [][]uint64{{6}, {1, 6}} {
		for _, first := range back {
			require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(first)), kept[segmentName(first)], 0o600))
		}
		require.Empty(t, problems(t, dir))
	}
	require.NoError(t, open(t, dir, o).Close())
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.EqualValues(t, 11, got.First)
	require.EqualValues(t, 10, got.Pruned)
}
