package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// edit changes the lines of a file.
func edit(t *testing.T, path string, f func([]string) []string) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	all := strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
	all[len(all)-1] += "\n"
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(f(all), "")), 0o600))
}

// written is the folder of a log of ten records in two segments.
func written(t testing.TB) string {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.MaxAge = 5 * time.Second })
	fill(t, l, 10)
	require.NoError(t, l.Close())
	return dir
}

// problems are those that Verify finds, one a line.
func problems(t *testing.T, dir string) string {
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	var all strings.Builder
	for _, p := range got.Problems {
		fmt.Fprintln(&all, p)
	}
	return all.String()
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
		{"the first line removed", first, func(l []string) []string { return l[1:] }, first + ":1: record 2: records 1 to 1 are missing, and were not pruned"},
		{"a line that is none", first, func(l []string) []string { l[2] = "garbage\n"; return l }, first + ":3: record 3: this is no line"},
		{"an empty segment", first, func([]string) []string { return nil }, "records 1 to 5 are missing"},
		{"the end cut off", second, func(l []string) []string { return l[:3] }, "head: records 9 to 10 were synced and are gone"},
		{"half a line at the end", second, func(l []string) []string { return append(l, `{"seq":11`) }, second + ":6: record 11: a line that was not written to its end"},
		{"an unknown key", second, func(l []string) []string { l[0] = forge(l[0], func(p *line) { p.Key = "k9" }); return l }, second + `:1: record 6: no key of the name "k9"`},
		{"a changed head", headFile, func(l []string) []string { return []string{strings.Replace(l[0], `"seq":10`, `"seq":9`, 1)} }, "head: the head was changed"},
		{"an unreadable head", headFile, func([]string) []string { return []string{"x"} }, "head: the head is not readable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := written(t)
			edit(t, filepath.Join(dir, row.file), row.tamper)
			require.Contains(t, problems(t, dir), row.want)
		})
	}
	for _, row := range []struct {
		name   string
		tamper func(t *testing.T, dir string)
		want   string
	}{
		{"a segment of another log", func(t *testing.T, dir string) {
			other := written(t)
			require.NoError(t, os.Rename(filepath.Join(other, first), filepath.Join(dir, first)))
		}, second + ":1: record 6: it does not follow from the record before it"},
		{"the last segment of another log", func(t *testing.T, dir string) {
			other := written(t)
			require.NoError(t, os.Rename(filepath.Join(other, second), filepath.Join(dir, second)))
		}, second + ":5: record 10: the record is not the one that was synced"},
		{"a missing segment", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, first)))
		}, second + ":1: record 6: records 1 to 5 are missing"},
		{"the last segment missing", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, second)))
		}, "head: records 6 to 10 were synced and are gone"},
		{"two swapped segments", func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, first), filepath.Join(dir, "x")))
			require.NoError(t, os.Rename(filepath.Join(dir, second), filepath.Join(dir, first)))
			require.NoError(t, os.Rename(filepath.Join(dir, "x"), filepath.Join(dir, second)))
		}, first + ":1: record 6: records 1 to 5 are missing"},
		{"a segment under another name", func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, second), filepath.Join(dir, segmentName(7))))
		}, segmentName(7) + ":1: record 6: the file is named after another record"},
		{"a segment twice", func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, second))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(11)), data, 0o600))
		}, segmentName(11) + ":1: record 6: expected record 11"},
		{"the head removed, and the end with it", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, second), func(l []string) []string { return l[:3] })
			require.NoError(t, os.Remove(filepath.Join(dir, headFile)))
		}, "head: the head is missing"},
		{"everything removed", func(t *testing.T, dir string) {
			for _, name := range []string{first, second, headFile} {
				require.NoError(t, os.Remove(filepath.Join(dir, name)))
			}
		}, "head: the head is missing"},
		{"the head of another log", func(t *testing.T, dir string) {
			other := written(t)
			require.NoError(t, os.Rename(filepath.Join(other, headFile), filepath.Join(dir, headFile)))
		}, second + ":5: record 10: the record is not the one that was synced"},
		{"a line without an end", func(t *testing.T, dir string) {
			f, err := os.OpenFile(filepath.Join(dir, first), os.O_WRONLY|os.O_TRUNC, 0)
			require.NoError(t, err)
			require.NoError(t, f.Truncate(maxLine+300<<10))
			_, err = f.WriteAt([]byte("\n{}\n"), maxLine+300<<10)
			require.NoError(t, errors.Join(err, f.Close()))
		}, first + ":1: record 1: this is no line of a log"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := written(t)
			row.tamper(t, dir)
			require.Contains(t, problems(t, dir), row.want)
		})
	}
}

// TestVerifyFindsAnyByte changes each byte of a log in turn, and cuts each file
// at every 25th.
func TestVerifyFindsAnyByte(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.MaxAge = 2 * time.Second })
	fill(t, l, 3)
	require.NoError(t, l.Close())
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, names, 3)
	tried := 0
	for _, name := range names {
		whole, err := os.ReadFile(name)
		require.NoError(t, err)
		for i := range whole {
			whole[i] ^= 1
			require.NoError(t, os.WriteFile(name, whole, 0o600))
			whole[i] ^= 1
			found := problems(t, dir)
			require.NotEmpty(t, found, "%s: byte %d was changed", name, i)
			require.Contains(t, found, filepath.Base(name), "where")
			if tried++; i%25 > 0 {
				continue // a cut takes longer to see: somebody might be writing
			}
			require.NoError(t, os.WriteFile(name, whole[:i], 0o600))
			require.NotEmpty(t, problems(t, dir), "%s: cut at byte %d", name, i)
		}
		require.NoError(t, os.WriteFile(name, whole, 0o600))
	}
	require.Empty(t, problems(t, dir))
	require.Greater(t, tried, 2000)
}

// TestVerifyFindsAnyLine removes each line in turn, repeats it at each place, and
// swaps it with each other.
func TestVerifyFindsAnyLine(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 6)
	require.NoError(t, l.Close())
	path := filepath.Join(dir, segmentName(1))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	whole := strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
	whole[5] += "\n"
	found := func(lines []string, what string, i, j int) {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
		require.NotEmpty(t, problems(t, dir), "%s %d %d", what, i, j)
	}
	for i := range whole {
		found(slices.Delete(slices.Clone(whole), i, i+1), "removed", i, 0)
		for j := range len(whole) + 1 {
			found(slices.Insert(slices.Clone(whole), j, whole[i]), "repeated", i, j)
			if j > i && j < len(whole) {
				swapped := slices.Clone(whole)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				found(swapped, "swapped", i, j)
			}
		}
	}
}

// What cannot be told: a folder that is put back as it once was, and the loss of
// records that were not synced. The doc of the package says so.
func TestWhatVerifyCannotTell(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.SyncEvery = time.Hour })
	fill(t, l, 3)
	require.NoError(t, l.Sync())
	old, err := os.ReadFile(filepath.Join(dir, headFile))
	require.NoError(t, err)
	fill(t, l, 3)
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.EqualValues(t, 3, got.Unsynced, "Verify says how many that may be")
	anchor := got.LastHash
	require.NoError(t, l.Close())

	edit(t, filepath.Join(dir, segmentName(1)), func(l []string) []string { return l[:4] })
	require.NoError(t, os.WriteFile(filepath.Join(dir, headFile), old, 0o600))
	got, err = Verify(dir, k1)
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.NotEqual(t, anchor, got.LastHash, "the hash that was noted elsewhere tells")
}

// Problems and lines are bounded, whatever stands in the folder.
func TestVerifyIsBounded(t *testing.T) {
	dir := written(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1)), bytes.Repeat([]byte("x\n"), 5000), 0o600))
	got, err := Verify(dir, k1)
	require.NoError(t, err)
	require.Len(t, got.Problems, maxProblems+1)
	require.Contains(t, got.Problems[maxProblems].What, "more")
}

// A log may be verified while it is written, rotated and pruned.
func TestVerifyWhileWriting(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir, Key: k1, SyncEvery: time.Millisecond, MaxBytes: 50_000})
	require.NoError(t, err)
	var others sync.WaitGroup
	stop := make(chan struct{})
	until := func(f func(i int) error) {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		until(func(i int) error {
			time.Sleep(100 * time.Microsecond)
			return l.Append(Record{Tenant: strings.Repeat("a", i%1000), Prompt: strings.Repeat("p", i%3000)})
		})
	}
	until(func(int) error {
		time.Sleep(300 * time.Millisecond)
		_, err := l.Prune(time.Now().Add(-100 * time.Millisecond))
		return err
	})
	records, pruned := 0, int64(0)
	for round := 0; round < 20 || records < 100 || pruned == 0; round++ {
		got, err := Verify(dir, k1)
		if err != nil || len(got.Problems) > 0 {
			close(stop)
			others.Wait()
		}
		require.NoError(t, err)
		require.Empty(t, got.Problems)
		records, pruned = max(records, got.Records), got.Pruned
	}
	close(stop)
	others.Wait()
	require.NoError(t, l.Close())
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
