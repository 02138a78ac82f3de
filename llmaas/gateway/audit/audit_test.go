package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

func key(id string, fill byte) Key { return Key{ID: id, Secret: [32]byte{fill}} }

var k1 = key("k1", 1)

func open(t testing.TB, dir string, change func(*Options)) *Log {
	o := Options{Dir: dir, Key: k1, Now: func() time.Time { return noon }}
	if change != nil {
		change(&o)
	}
	l, err := Open(o)
	require.NoError(t, err)
	return l
}

func fill(t testing.TB, l *Log, n int) {
	for i := range n {
		require.NoError(t, l.Append(Record{
			Time: noon.Add(time.Duration(i) * time.Second), Tenant: []string{"acme", "zeta"}[i%2], KeyID: "key-7", Model: "gpt-oss:120b",
			Status: 200, Input: 70, Output: 200, Reasoning: 40, Cost: 1_543_000, PromptDigest: Digest("the prompt"),
			Steps: []Step{{Name: "guard", Decision: "flag", Rules: []string{"a/b"}}},
		}))
	}
}

func TestAppendAndVerify(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.MaxBytes = 3000 })
	fill(t, l, 20)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Append(Record{}), ErrClosed)

	l = open(t, dir, nil) // and on it goes
	fill(t, l, 5)
	require.NoError(t, l.Close())
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Equal(t, 25, got.Records)
	require.EqualValues(t, 1, got.First)
	require.EqualValues(t, 25, got.Last)
	require.Greater(t, got.Segments, 3)
	require.Zero(t, got.Unsynced)

	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, path := range files {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, secret := range []string{"acme", "gpt-oss", "key-7", Digest("the prompt")} {
			require.NotContains(t, string(data), secret)
		}
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
	}
	var read []Record
	for r, err := range Records(dir, Filter{Tenant: "acme", From: noon.Add(time.Second), To: noon.Add(6 * time.Second)}, k1) {
		require.NoError(t, err)
		read = append(read, r)
	}
	require.Len(t, read, 4) // seconds 2 and 4, of both runs
	require.Equal(t, "a/b", read[0].Steps[0].Rules[0])
}

// edit changes the lines of a file.
func edit(t *testing.T, path string, f func([]string) []string) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	all := strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
	all[len(all)-1] += "\n"
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(f(all), "")), 0o600))
}

func TestVerifyFinds(t *testing.T) {
	// forge makes a line that hashes to its own hash, as one without the key can.
	forge := func(l string, change func(*line)) string {
		var parsed line
		require.NoError(t, json.Unmarshal([]byte(l), &parsed))
		change(&parsed)
		parsed.Hash = parsed.sum()
		out, err := json.Marshal(parsed)
		require.NoError(t, err)
		return string(out) + "\n"
	}
	first, second := segmentName(1), segmentName(6)
	for _, row := range []struct {
		name   string
		file   string
		tamper func([]string) []string
		want   string
	}{
		{"a changed byte", first, func(l []string) []string { l[2] = strings.Replace(l[2], `"data":"`, `"data":"A`, 1); return l }, first + ":3: record 3: the line does not hash"},
		{"a changed record with a new hash", first, func(l []string) []string {
			l[2] = forge(l[2], func(p *line) { p.Data = "AAAA" + p.Data[4:] })
			return l
		}, first + ":3: record 3: the record does not decrypt"},
		{"a renumbered record", first, func(l []string) []string { l[2] = forge(l[2], func(p *line) { p.Seq = 9 }); return l }, first + ":3: record 3: the record does not decrypt"},
		{"a removed line", first, func(l []string) []string { return append(l[:2], l[3:]...) }, first + ":3: record 4: expected record 3"},
		{"two swapped lines", first, func(l []string) []string { l[1], l[2] = l[2], l[1]; return l }, first + ":2: record 3: expected record 2"},
		{"a repeated line", first, func(l []string) []string { return append(l[:3], l[2:]...) }, first + ":4: record 3: expected record 4"},
		{"the first line removed", first, func(l []string) []string { return l[1:] }, "records 1 to 1 are missing"},
		{"a line that is none", first, func(l []string) []string { l[2] = "garbage\n"; return l }, first + ":3: record 3: this is no line"},
		{"an empty segment", first, func([]string) []string { return nil }, "records 1 to 5 are missing"},
		{"the end cut off", second, func(l []string) []string { return l[:3] }, "head:0: record 10: records 9 to 10 were synced and are gone"},
		{"half a line at the end", second, func(l []string) []string { return append(l, `{"seq":11`) }, second + ":6: record 11: a line that was not written to its end"},
		{"an unknown key", second, func(l []string) []string { l[0] = forge(l[0], func(p *line) { p.Key = "k9" }); return l }, second + `:1: record 6: no key of the name "k9"`},
		{"a changed head", headFile, func(l []string) []string { return []string{strings.Replace(l[0], `"seq":10`, `"seq":9`, 1)} }, "head:0: record 0: the head was changed"},
		{"an unreadable head", headFile, func([]string) []string { return []string{"x"} }, "head:0: record 0: the head is not readable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, func(o *Options) { o.MaxAge = 5 * time.Second })
			fill(t, l, 10)
			require.NoError(t, l.Close())
			edit(t, filepath.Join(dir, row.file), row.tamper)
			got, err := Verify(dir, k1)
			require.NoError(t, err)
			require.NotEmpty(t, got.Problems)
			var all strings.Builder
			for _, p := range got.Problems {
				fmt.Fprintln(&all, p)
			}
			require.Contains(t, all.String(), row.want)
		})
	}
	t.Run("a segment of another log", func(t *testing.T) {
		dir, other := t.TempDir(), t.TempDir()
		for _, d := range []string{dir, other} {
			l := open(t, d, func(o *Options) { o.MaxAge = 5 * time.Second })
			fill(t, l, 10)
			require.NoError(t, l.Close())
		}
		data, err := os.ReadFile(filepath.Join(other, first))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, first), data, 0o600))
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(got.Problems), "it does not follow from the record before it")
	})
	t.Run("a missing segment", func(t *testing.T) {
		dir := t.TempDir()
		l := open(t, dir, func(o *Options) { o.MaxAge = 5 * time.Second })
		fill(t, l, 15)
		require.NoError(t, l.Close())
		require.NoError(t, os.Remove(filepath.Join(dir, second)))
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(got.Problems), "record 11: expected record 6")
	})
}

func TestKeyRotation(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 3)
	require.NoError(t, l.Close())
	k2 := key("k2", 2)
	l = open(t, dir, func(o *Options) { o.Key, o.Old = k2, []Key{k1} })
	fill(t, l, 3)
	require.NoError(t, l.Close())
	got, err := Verify(dir, k1, k2)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Equal(t, 6, got.Records)
	got, err = Verify(dir, k2)
	require.NoError(t, err)
	require.Len(t, got.Problems, 3, "without the old key its records cannot be vouched for")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", k1, k1, k1), "1 0 0")
}

func TestOpenRefusesBadOptions(t *testing.T) {
	dir := t.TempDir()
	for want, o := range map[string]Options{
		"Dir":          {Key: k1},
		"empty secret": {Dir: dir},
		"stands twice": {Dir: dir, Key: k1, Old: []Key{k1}},
		"negative":     {Dir: dir, Key: k1, MaxBytes: -1},
	} {
		_, err := Open(o)
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1)), []byte("garbage\n"), 0o600))
	_, err := Open(Options{Dir: dir, Key: k1})
	require.ErrorContains(t, err, segmentName(1)+":1")
	require.ErrorContains(t, err, "run Verify")
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.MaxAge = 5 * time.Second })
	fill(t, l, 20)
	n, err := l.Prune(noon.Add(4 * time.Second)) // the first segment ends at 4 s
	require.NoError(t, err)
	require.Zero(t, n)
	for _, cut := range []struct {
		at   time.Duration
		gone int64
	}{{5 * time.Second, 5}, {12 * time.Second, 5}, {time.Hour, 5}, {time.Hour, 0}} {
		n, err = l.Prune(noon.Add(cut.at))
		require.NoError(t, err)
		require.Equal(t, cut.gone, n, "%v", cut.at)
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems)
	}
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.EqualValues(t, 15, got.Pruned)
	require.EqualValues(t, 16, got.First)
	require.NoError(t, l.Close())

	require.NoError(t, os.Remove(filepath.Join(dir, segmentName(16)))) // behind the log's back
	got, err = Verify(dir, k1)
	require.NoError(t, err)
	require.NotEmpty(t, got.Problems)
}

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

func TestManyAtOnce(t *testing.T) {
	for _, every := range []time.Duration{0, time.Millisecond} {
		dir := t.TempDir()
		l := open(t, dir, func(o *Options) { o.SyncEvery, o.MaxBytes = every, 20_000 })
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { fill(t, l, 20) })
		}
		all.Wait()
		require.NoError(t, l.Close())
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems)
		require.Equal(t, 320, got.Records)
	}
}

// TestKill kills a process that appends, at any point, many times over the same
// log. Nothing that it was told to be safe may be missing.
func TestKill(t *testing.T) {
	if dir := os.Getenv("LLMAAS_AUDIT_CHILD"); dir != "" {
		l := open(t, dir, func(o *Options) { o.MaxBytes = 4000 })
		for {
			require.NoError(t, l.Append(Record{Tenant: "acme", Status: 200}))
			l.mu.Lock()
			fmt.Println(l.seq)
			l.mu.Unlock()
		}
	}
	dir := t.TempDir()
	recovered := 0
	for round := range 10 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "LLMAAS_AUDIT_CHILD="+dir)
		safe := &lastNumber{}
		cmd.Stdout = safe
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return safe.n.Load() > 0 }, 20*time.Second, time.Millisecond)
		time.Sleep(time.Duration(round*3) * time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()

		l := open(t, dir, nil)
		require.NoError(t, l.Close())
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems, "round %d", round)
		require.GreaterOrEqual(t, got.Last, safe.n.Load())
		recovered = got.Records
	}
	t.Logf("%d records over 10 kills", recovered)
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
	_, err = f.WriteString(`{"seq":4,"prev":"`)
	require.NoError(t, errors.Join(err, f.Close()))
	l = open(t, dir, nil)
	fill(t, l, 1)
	require.NoError(t, l.Close())
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Equal(t, 5, got.Records) // three, the note, and one
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 4)
	require.NoError(t, l.Append(Record{Time: noon, Tenant: "=acme|", Model: "m", Status: 400, Steps: []Step{{Name: "guard", Decision: "refuse"}}}))
	require.NoError(t, l.Append(Record{Time: noon, Tenant: "acme", Model: "m", Status: 502}))
	require.NoError(t, l.Close())
	r, err := NewReport(dir, Filter{From: noon}, k1)
	require.NoError(t, err)
	var j, c, m bytes.Buffer
	require.NoError(t, r.WriteJSON(&j))
	require.NoError(t, r.WriteCSV(&c))
	require.NoError(t, r.WriteMarkdown(&m))
	require.Equal(t, `tenant,day,model,outcome,requests,input_tokens,output_tokens,reasoning_tokens,cost_nano_euro
'=acme|,2026-05-20,m,refused,1,0,0,0,0
acme,2026-05-20,gpt-oss:120b,answered,2,140,400,80,3086000
acme,2026-05-20,m,failed,1,0,0,0,0
zeta,2026-05-20,gpt-oss:120b,answered,2,140,400,80,3086000
`, c.String())
	require.Contains(t, m.String(), "The chain verifies.")
	require.Contains(t, m.String(), `| =acme\| | 2026-05-20 | m | refused | 1 |`)
	var back Report
	require.NoError(t, json.Unmarshal(j.Bytes(), &back))
	require.Equal(t, r.Rows, back.Rows)

	edit(t, filepath.Join(dir, segmentName(1)), func(l []string) []string { return l[1:] })
	r, err = NewReport(dir, Filter{}, k1)
	require.NoError(t, err)
	m.Reset()
	require.NoError(t, r.WriteMarkdown(&m))
	require.Contains(t, m.String(), "does not verify")
}

func FuzzVerify(f *testing.F) {
	dir := f.TempDir()
	l := open(f, dir, nil)
	fill(f, l, 3)
	require.NoError(f, l.Close())
	whole, err := os.ReadFile(filepath.Join(dir, segmentName(1)))
	require.NoError(f, err)
	f.Add(whole)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1)), data, 0o600))
		got, err := Verify(dir, k1)
		if err == nil && len(got.Problems) == 0 {
			require.Equal(t, string(whole), string(data), "a change went unnoticed")
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, every := range []time.Duration{0, time.Second} {
		b.Run(fmt.Sprintf("sync=%v", every), func(b *testing.B) {
			l := open(b, b.TempDir(), func(o *Options) { o.SyncEvery = every })
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					fill(b, l, 1)
				}
			})
			require.NoError(b, l.Close())
		})
	}
}
