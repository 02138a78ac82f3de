package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err, "a device that is always full")
	for _, alert := range []bool{false, true} {
		dir := t.TempDir()
		var told []error
		l := open(t, dir, func(o *Options) {
			if alert {
				o.OnFailure = func(err error) { told = append(told, err) }
			}
		})
		fill(t, l, 2)
		disk := l.file
		l.file = full
		for range 3 {
			err := l.Append(Record{})
			require.Equal(t, alert, err == nil, "%v", err)
		}
		l.file = disk
		fill(t, l, 1)
		require.NoError(t, l.Close())
		if alert {
			require.Len(t, told, 3)
		}
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems)
		require.Equal(t, 4, got.Records) // two, a note, and one
		require.EqualValues(t, 3, got.Lost)
	}
}

// What was lost is noted at the latest when the log is closed.
func TestLossIsNotedAtTheEnd(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 1)
	disk := l.file
	l.file = full
	require.ErrorIs(t, l.Append(Record{}), syscall.ENOSPC)
	l.file = disk
	require.NoError(t, l.Close())
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.EqualValues(t, 1, got.Lost)
}

// A sync in the background that fails is told to somebody: to OnFailure, or to
// who appends next.
func TestBackgroundSyncThatFails(t *testing.T) {
	for _, alert := range []bool{false, true} {
		null, err := os.OpenFile("/dev/null", os.O_RDWR, 0) // it takes what is written, and cannot be synced
		require.NoError(t, err)
		var told atomic.Int64
		l := open(t, t.TempDir(), func(o *Options) {
			o.SyncEvery = time.Millisecond
			if alert {
				o.OnFailure = func(error) { told.Add(1) }
			}
		})
		fill(t, l, 1)
		l.mu.Lock()
		disk := l.file
		l.file = null
		l.mu.Unlock()
		require.Eventually(t, func() bool { return l.Append(Record{Time: noon}) != nil || told.Load() > 0 }, 5*time.Second, time.Millisecond)
		require.Equal(t, alert, told.Load() > 0)
		l.mu.Lock()
		l.file = disk
		l.mu.Unlock()
		require.Eventually(t, func() bool { return l.Append(Record{Time: noon}) == nil }, 5*time.Second, time.Millisecond, "it can be synced again")
		require.NoError(t, l.Close())
	}
}

// A segment that cannot be synced is not ended: what is in it is not yet safe.
func TestSegmentThatCannotBeSynced(t *testing.T) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	require.NoError(t, err)
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.SyncEvery, o.MaxBytes = time.Hour, 1 })
	fill(t, l, 1)
	disk := l.file
	l.file = null
	require.ErrorContains(t, l.Append(Record{}), "begin a segment")
	l.file = disk
	fill(t, l, 1)
	require.NoError(t, l.Close())
	require.Empty(t, problems(t, dir))
}

// One log at a time: two would write over one another.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 1)
	_, err := Open(Options{Dir: dir, Key: k1})
	require.ErrorIs(t, err, ErrLocked)
	fill(t, l, 1)
	require.NoError(t, l.Close())
	l = open(t, dir, nil)
	fill(t, l, 1)
	require.NoError(t, l.Close())
	require.Empty(t, problems(t, dir))
}

// Nobody goes on after an end that was cut off: the next head would cover it.
func TestOpenRefusesAnEndThatWasCut(t *testing.T) {
	for name, row := range map[string]struct {
		tamper func(t *testing.T, dir string)
		want   string
	}{
		"lines cut off": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, segmentName(6)), func(l []string) []string { return l[:2] })
		}, "records 8 to 10 were synced and are gone"},
		"a segment removed": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, segmentName(6))))
		}, "records 6 to 10 were synced and are gone"},
		"a segment emptied": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, segmentName(6)), 0))
		}, "records 6 to 10 were synced and are gone"},
		"all removed but the head": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, segmentName(1))))
			require.NoError(t, os.Remove(filepath.Join(dir, segmentName(6))))
		}, "records 1 to 10 were synced and are gone"},
		"the end of another log": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(written(t), segmentName(6)), filepath.Join(dir, segmentName(6))))
		}, segmentName(6) + ":5: the record is not the one that was synced"},
		"the head removed": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, headFile)))
		}, "the head is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := written(t)
			row.tamper(t, dir)
			before := problems(t, dir)
			_, err := Open(Options{Dir: dir, Key: k1})
			require.ErrorContains(t, err, row.want)
			require.ErrorContains(t, err, "run Verify")
			require.NotEmpty(t, before)
		})
	}
}

// No caller makes a record that cannot be written and read back.
func TestLongNamesAndTexts(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.SyncEvery = time.Hour })
	long := strings.Repeat("x", maxText+1)
	require.NoError(t, l.Append(Record{Time: noon, Session: long, Model: long, Prompt: long}))
	fill(t, l, 1)
	require.NoError(t, l.Close())
	require.Less(t, 2*maxText*len(`\u0001`)*4/3+8*maxName*6*4/3, maxLine-4096, "the worst case has room")
	n := 0
	for r, err := range Records(dir, Filter{}, k1) {
		require.NoError(t, err)
		if n++; n == 1 {
			require.True(t, r.Cut)
			require.Len(t, r.Session, maxName)
			require.Len(t, r.Prompt, maxText)
			continue
		}
		require.False(t, r.Cut)
	}
	require.Equal(t, 2, n)
}

// A clock that is set back neither holds a segment open nor breaks the chain.
func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	now := noon
	l := open(t, dir, func(o *Options) { o.MaxAge, o.Now = time.Hour, func() time.Time { return now } })
	for _, at := range []time.Duration{0, 24 * 365 * time.Hour, 0, time.Minute, -time.Minute} {
		now = noon.Add(at)
		require.NoError(t, l.Append(Record{}))
	}
	require.NoError(t, l.Close())
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Equal(t, 3, got.Segments)
}

// TestKill kills a process that appends and prunes, at any point, many times over
// the same log. Nothing that it was told to be safe may be missing, and before and
// after the next start all that Verify finds is a line that was not written to its
// end.
func TestKill(t *testing.T) {
	if dir := os.Getenv("LLMAAS_AUDIT_CHILD"); dir != "" {
		l := open(t, dir, func(o *Options) { o.MaxBytes, o.Now = 1000, time.Now })
		for i := 1; ; i++ {
			require.NoError(t, l.Append(Record{Tenant: "acme", Status: 200}))
			if i%3 == 0 {
				_, err := l.Prune(time.Now())
				require.NoError(t, err)
			}
			l.mu.Lock()
			fmt.Println(l.seq)
			l.mu.Unlock()
		}
	}
	dir := t.TempDir()
	var got Result
	for round := range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "LLMAAS_AUDIT_CHILD="+dir)
		safe := &lastNumber{}
		cmd.Stdout = safe
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return safe.n.Load() > 0 }, 20*time.Second, time.Millisecond)
		time.Sleep(time.Duration(round*7) * time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()

		before, err := Verify(dir, k1)
		require.NoError(t, err)
		for _, p := range before.Problems {
			require.Equal(t, "a line that was not written to its end", p.What, "round %d", round)
		}
		require.NoError(t, open(t, dir, nil).Close())
		got, err = Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems, "round %d", round)
		require.GreaterOrEqual(t, got.Last, safe.n.Load())
	}
	require.Positive(t, got.Pruned)
	t.Logf("%d records over 12 kills, %d of them pruned", got.Last, got.Pruned)
}

// lastNumber is a writer that remembers the last whole number line.
type lastNumber struct {
	rest []byte
	n    atomic.Uint64
}

func (w *lastNumber) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		number, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		var n uint64
		if _, err := fmt.Sscan(string(number), &n); err == nil {
			w.n.Store(n)
		}
		w.rest = rest
	}
}

func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 3)
	require.NoError(t, l.Close())
	path := filepath.Join(dir, segmentName(1))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"seq":4,"prev":"` + strings.Repeat("0", 5000)) // longer than what comes next
	require.NoError(t, errors.Join(err, f.Close()))
	l = open(t, dir, nil)
	fill(t, l, 1)
	require.NoError(t, l.Close())
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Equal(t, 5, got.Records) // three, the note, and one
}
