package behavior

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
	"github.com/stretchr/testify/require"
)

// TestSessionSize keeps the promise of doc.go: less than 1 KB with everything
// around the session, for which 128 bytes are plenty (map entry, list, slack of
// the allocator; BenchmarkMemory measures them).
func TestSessionSize(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(session{}), uintptr(1024-128))
}

// TestMemoryForgetsText looks for text of a session where none must be left.
func TestMemoryForgetsText(t *testing.T) {
	m, err := NewMemory(MemoryOptions{Sessions: 2, Window: time.Minute})
	require.NoError(t, err)
	var past Past
	say := func(session string, at time.Time, text string) {
		e := entryOf([]byte(text), at, 0, false)
		require.NoError(t, m.Append(context.Background(), Key{"", session}, &e, &past))
	}
	kept := func(text string) bool {
		for _, c := range m.shard[0].chunks {
			for i := range c {
				if strings.Contains(string(c[i].text[:]), text) {
					return true
				}
			}
		}
		return false
	}
	say("a", start, "apple")
	say("b", start, "banana")
	require.True(t, kept("apple"))
	say("c", start, "cherry")
	require.False(t, kept("apple"), "pushed out by a newer session")
	say("d", start.Add(2*time.Minute), "date")
	require.False(t, kept("banana") || kept("cherry"), "expired")
	require.Equal(t, 1, m.Len())
	for i := range 3 * MaxPieces {
		say("d", start.Add(2*time.Minute), fmt.Sprint("elderberry ", i))
	}
	require.False(t, kept("date"), "pushed out by newer prompts")
}

// fill puts n sessions with full windows into a memory of that size.
func fill(b *testing.B, n int, text string) *Memory {
	b.Helper()
	m, err := NewMemory(MemoryOptions{Sessions: n + n/4 + 100})
	require.NoError(b, err)
	var past Past
	for round := range 2 {
		for i := range n {
			e := entryOf([]byte(text), start, 0, false)
			e.Digest += uint64(round)
			_ = m.Append(context.Background(), Key{"tenant", fmt.Sprint("session-", i)}, &e, &past)
		}
	}
	return m
}

// clean is an honest prompt of 500 characters.
var clean = strings.Repeat("We walked along the river until the rain came over the hills. ", 9)[:500]

// BenchmarkInspect is the cost of this layer alone for a clean prompt of 500
// characters, with a scan that costs nothing, by number of sessions.
func BenchmarkInspect(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("sessions=", n), func(b *testing.B) {
			layer := mustNew(b, Options{History: fill(b, n, clean), Scan: phrases(nil)})
			keys := make([]string, min(n, 4096))
			for i := range keys {
				keys[i] = fmt.Sprint("session-", i*(n/len(keys)))
			}
			var text fold.Text
			text.Reset(clean)
			p := &check.Prompt{Input: check.Input{Tenant: "tenant", Text: clean, Time: start}, Folded: &text}
			var found []check.Finding
			b.SetBytes(int64(len(clean)))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p.Session = keys[i%len(keys)]
				p.Time = p.Time.Add(time.Microsecond)
				i++
				found = layer.Inspect(context.Background(), p, found[:0])
			}
		})
	}
}

// BenchmarkInspectParallel is the same with every processor at it.
func BenchmarkInspectParallel(b *testing.B) {
	layer := mustNew(b, Options{History: fill(b, 10_000, clean), Scan: phrases(nil)})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var text fold.Text
		text.Reset(clean)
		p := &check.Prompt{Input: check.Input{Tenant: "tenant", Text: clean, Time: start}, Folded: &text}
		var found []check.Finding
		for i := 0; pb.Next(); i++ {
			p.Session = "session-" + string(rune('0'+i%10))
			found = layer.Inspect(context.Background(), p, found[:0])
		}
	})
}

// BenchmarkMemory reports what a session costs, everything included.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := fill(b, n, clean)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/session")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<30), "GiB/1e6-sessions")
		require.Equal(b, n, m.Len())
	}
}
