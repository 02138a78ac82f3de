package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

func record(at time.Time, i int) Record {
	return Record{
		Time: at, Tenant: []string{"acme", "zeta"}[i%2], KeyID: "key-7", Model: "gpt-oss:120b",
		Status: 200, Input: 70, Output: 200, Reasoning: 40, Cost: 1_543_000, PromptDigest: Digest("the prompt"),
		Steps: []Step{{Name: "guard", Decision: "flag", Rules: []string{"a/b"}}},
	}
}

// fill appends records, one a second, at the time of the log's clock.
func fill(t testing.TB, l *Log, n int) {
	for i := range n {
		at := noon.Add(time.Duration(i) * time.Second)
		l.mu.Lock()
		l.o.Now = func() time.Time { return at }
		l.mu.Unlock()
		require.NoError(t, l.Append(record(at, i)))
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

func TestKeyRotation(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 3)
	require.NoError(t, l.Close())
	k2 := key("k2", 2)
	for want, k := range map[string]Key{"or is of another key": key("k1", 9), `no key of the name "k1"`: k2} {
		_, err := Open(Options{Dir: dir, Key: k})
		require.ErrorContains(t, err, want)
	}
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
	printed, err := json.Marshal(k1)
	require.NoError(t, err)
	require.NotContains(t, string(printed), ",0,0")
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s", "%q"} {
		require.Equal(t, `audit key "k1"`, fmt.Sprintf(verb, k1))
		require.NotContains(t, fmt.Sprintf(verb, &Options{Key: k1}), "1 0 0", verb)
	}
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
	require.ErrorContains(t, err, "the head is missing")
	require.ErrorContains(t, err, "run Verify")
}

func TestManyAtOnce(t *testing.T) {
	for _, every := range []time.Duration{0, time.Millisecond} {
		dir := t.TempDir()
		l := open(t, dir, func(o *Options) { o.SyncEvery, o.MaxBytes = every, 20_000 })
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for i := range 20 {
					if err := l.Append(record(noon, i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		require.NoError(t, l.Close())
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems)
		require.Equal(t, 320, got.Records)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, every := range []time.Duration{0, time.Second} {
		b.Run(fmt.Sprintf("sync=%v", every), func(b *testing.B) {
			l := open(b, b.TempDir(), func(o *Options) { o.SyncEvery = every })
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := l.Append(record(noon, 0)); err != nil {
						b.Error(err)
					}
				}
			})
			require.NoError(b, l.Close())
		})
	}
}

// BenchmarkVerify reads 10,000 records; its memory does not grow with their number.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	l := open(b, dir, func(o *Options) { o.SyncEvery = time.Hour })
	for i := range 10_000 {
		require.NoError(b, l.Append(record(noon, i)))
	}
	b.SetBytes(l.size)
	require.NoError(b, l.Close())
	b.ReportAllocs()
	for b.Loop() {
		got, err := Verify(dir, k1)
		require.NoError(b, err)
		require.Empty(b, got.Problems)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/record")
}
