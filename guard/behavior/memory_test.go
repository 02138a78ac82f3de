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
	var w work
	say := func(session string, at time.Time, text string) {
		w.record([]byte(text), at, 0, false)
		require.NoError(t, m.Append(context.Background(), Key{"", session}, &w.entry, &w.past))
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

// TestMemoryBounds fills memories of several sizes far beyond their bounds.
func TestMemoryBounds(t *testing.T) {
	for _, sessions := range []int{1, 3, 100, 4095, 4096, 5000} {
		m, err := NewMemory(MemoryOptions{Sessions: sessions})
		require.NoError(t, err)
		var past Past
		say := func(i int) int {
			require.NoError(t, m.Append(context.Background(), Key{"", fmt.Sprint(i)}, &Entry{Time: start, Digest: 1}, &past))
			return past.Same
		}
		for i := range 3 * sessions {
			require.Equal(t, 1, say(i))
		}
		require.LessOrEqual(t, m.Len(), sessions)
		require.Greater(t, m.Len(), sessions*9/10)
		require.Equal(t, 2, say(3*sessions-1), "the latest session is there")
		require.Equal(t, 1, say(0), "the first is gone")
	}
}

// TestMemoryKeepsUsed shows that it is use that counts, not age.
func TestMemoryKeepsUsed(t *testing.T) {
	m, err := NewMemory(MemoryOptions{Sessions: 10})
	require.NoError(t, err)
	var past Past
	for i := range 100 {
		require.NoError(t, m.Append(context.Background(), Key{"", "used"}, &Entry{Time: start, Digest: 1}, &past))
		require.Equal(t, i+1, past.Same)
		for j := range 9 {
			require.NoError(t, m.Append(context.Background(), Key{"", fmt.Sprint(i, j)}, &Entry{Time: start}, &past))
		}
	}
}

// fill puts n sessions with full windows into a memory of that size.
func fill(b *testing.B, n int, text string) *Memory {
	b.Helper()
	m, err := NewMemory(MemoryOptions{Sessions: n + n/4 + 100})
	require.NoError(b, err)
	var w work
	folded := []byte(strings.ToLower(text))
	for round := range 2 {
		for i := range n {
			w.record(folded, start, 0, false)
			w.entry.Digest += uint64(round)
			_ = m.Append(context.Background(), Key{"tenant", fmt.Sprint("session-", i)}, &w.entry, &w.past)
		}
	}
	return m
}

// cleans are honest prompts of 500 characters, no two with the same ends.
func cleans(begin, end string) (prompts []string) {
	for i := range 64 {
		text := fmt.Sprintf("%s %c%c. ", begin, 'a'+i%8, 'a'+i/8) + strings.Repeat("We walked along the river until the rain came over the hills. ", 9)
		prompts = append(prompts, text[:480]+fmt.Sprintf(" and then %c%c saw us", 'a'+i/8, 'a'+i%8)[:19]+end)
	}
	return prompts
}

// BenchmarkInspect is the cost of this layer alone for clean prompts of 500
// characters, with a scan that costs nothing, by number of sessions and by what
// the prompts are: sentences, sentences but for the full stop, or broken off on
// both sides (two readings together with the one before: a space, or none).
func BenchmarkInspect(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000, 1_000_000} {
		history := fill(b, n, cleans("Question", ".")[0])
		for _, kind := range []struct{ name, begin, end string }{{"sentences", "Question", "."}, {"open", "Question", "e"}, {"broken", "question", "e"}} {
			b.Run(fmt.Sprintf("sessions=%d/%s", n, kind.name), func(b *testing.B) {
				layer := mustNew(b, Options{History: history, Scan: phrases(nil)})
				keys := make([]string, min(n, 1<<16))
				for i := range keys {
					keys[i] = fmt.Sprint("session-", i*(n/len(keys)))
				}
				prompts := cleans(kind.begin, kind.end)
				texts := make([]fold.Text, len(prompts))
				for i := range texts {
					texts[i].Reset(prompts[i])
				}
				p := &check.Prompt{Input: check.Input{Tenant: "tenant", Time: start}}
				var found []check.Finding
				b.SetBytes(500)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					p.Session = keys[i%len(keys)]
					// Each session gets another prompt each time.
					k := (i + i/len(keys)) % len(prompts)
					p.Text, p.Folded = prompts[k], &texts[k]
					i++
					if found = layer.Inspect(context.Background(), p, found[:0]); len(found) > 0 {
						b.Fatalf("got %s in an honest conversation", found[0].Rule)
					}
				}
			})
		}
	}
}

// BenchmarkInspectParallel is the same with every processor at it.
func BenchmarkInspectParallel(b *testing.B) {
	prompts := cleans("Question", ".")
	layer := mustNew(b, Options{History: fill(b, 10_000, prompts[0]), Scan: phrases(nil)})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		texts := make([]fold.Text, len(prompts))
		for i := range texts {
			texts[i].Reset(prompts[i])
		}
		p := &check.Prompt{Input: check.Input{Tenant: "tenant", Time: start}}
		var found []check.Finding
		for i := 0; pb.Next(); i++ {
			p.Session = "session-" + string(rune('0'+i%10))
			k := (i + i/10) % len(prompts)
			p.Text, p.Folded = prompts[k], &texts[k]
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
		m := fill(b, n, cleans("Question", ".")[0])
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/session")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<30), "GiB/1e6-sessions")
		require.Equal(b, n, m.Len())
	}
}

func TestLetter(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		want := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
		require.Equal(t, want, letter(b) == 1, "%#x", b)
	}
}
