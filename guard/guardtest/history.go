package guardtest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
)

// Window and HalfLife are what [TestHistory] asks a history to be opened with.
const (
	Window   = 10 * time.Minute
	HalfLife = 4 * time.Minute
)

// TestHistory tests that what open returns keeps the contract of
// [behavior.History]. Open is called once for each subtest and returns a history
// without sessions, or one in which no other test uses the same sessions.
//
// Time is what the entries say; the tests do not wait.
func TestHistory(t *testing.T, open func(t *testing.T, window, halfLife time.Duration) behavior.History) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h behavior.History)
	}{
		{"like the plain one", likePlain},
		{"the 30th", thirtieth},
		{"isolation", isolation},
		{"expiry", expiry},
		{"bounds", bounds},
		{"clock going back", clockBack},
		{"nothing shared", nothingShared},
		{"any bytes", anyBytes},
		{"concurrency", concurrency},
		{"ended context", endedContext},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t, Window, HalfLife)) })
	}
}

// began is some day; no history may care which.
var began = time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)

func entry(text string, after time.Duration) *behavior.Entry {
	e := &behavior.Entry{Time: began.Add(after), Piece: []byte(text), Whole: true}
	for _, b := range []byte(text) {
		e.Digest = e.Digest*1099511628211 + uint64(b) + 1
	}
	e.Near = e.Digest &^ 0xffff
	return e
}

func mustAppend(t testing.TB, h behavior.History, key behavior.Key, e *behavior.Entry) *behavior.Past {
	t.Helper()
	past := new(behavior.Past)
	if err := h.Append(context.Background(), key, e, past); err != nil {
		t.Fatalf("Append: %v", err)
	}
	return past
}

// likePlain tells the history and the plain one the same random conversations.
func likePlain(t *testing.T, h behavior.History) {
	random := rand.New(rand.NewPCG(1, 2))
	plain := plainHistory{window: Window, halfLife: HalfLife}
	keys := []behavior.Key{{Tenant: "a", Session: "1"}, {Tenant: "a", Session: "2"}, {Tenant: "b", Session: "1"}}
	now := time.Duration(0)
	past, want := new(behavior.Past), new(behavior.Past)
	for i := range 2000 {
		switch random.IntN(20) {
		case 0:
			now += Window/3 + time.Duration(random.Int64N(int64(Window)))
		default:
			now += time.Duration(random.Int64N(int64(20 * time.Second)))
		}
		e := entry(strings.Repeat(string(rune('a'+random.IntN(5))), random.IntN(6)*random.IntN(33)), now)
		e.Near = uint64(random.IntN(2)) << 63
		e.Points = random.IntN(3) * 50
		e.Whole = random.IntN(3) > 0
		key := keys[random.IntN(len(keys))]
		if err := h.Append(context.Background(), key, e, past); err != nil {
			t.Fatalf("Append: %v", err)
		}
		plain.append(key, e, want)
		if err := same(past, want); err != nil {
			t.Fatalf("prompt %d: %v", i, err)
		}
	}
}

func same(got, want *behavior.Past) error {
	if got.Same != want.Same || got.Near != want.Near || got.Cycle != want.Cycle {
		return fmt.Errorf("runs: got Same %d, Near %d, Cycle %d, want %d, %d, %d", got.Same, got.Near, got.Cycle, want.Same, want.Near, want.Cycle)
	}
	if math.Abs(got.Points-want.Points) > 1e-6*(1+want.Points) {
		return fmt.Errorf("points: got %g, want %g", got.Points, want.Points)
	}
	alike := func(a, b behavior.Piece) bool { return string(a.Text) == string(b.Text) && a.Whole == b.Whole }
	if !slices.EqualFunc(got.Pieces, want.Pieces, alike) {
		return fmt.Errorf("pieces: got %s, want %s", sizes(got.Pieces), sizes(want.Pieces))
	}
	return nil
}

func sizes(pieces []behavior.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		fmt.Fprintf(&b, "[%d bytes of %.1q, whole: %t]", len(p.Text), p.Text, p.Whole)
	}
	return b.String()
}

func thirtieth(t *testing.T, h behavior.History) {
	key := behavior.Key{Tenant: "a", Session: "30"}
	for i := 1; i <= 30; i++ {
		past := mustAppend(t, h, key, entry("again", time.Duration(i)*time.Second))
		if past.Same != i || past.Near != i || past.Cycle != i {
			t.Fatalf("the %dth prompt: got Same %d, Near %d, Cycle %d, want %d", i, past.Same, past.Near, past.Cycle, i)
		}
		if want := min(i-1, 1); len(past.Pieces) != want {
			t.Fatalf("the %dth prompt: got %d pieces, want %d", i, len(past.Pieces), want)
		}
	}
	if past := mustAppend(t, h, key, entry("else", 31*time.Second)); past.Same != 1 {
		t.Errorf("another prompt: got Same %d, want 1", past.Same)
	}
}

func isolation(t *testing.T, h behavior.History) {
	keys := []behavior.Key{
		{}, {Tenant: "a"}, {Session: "a"}, {Tenant: "a", Session: "bc"}, {Tenant: "ab", Session: "c"}, {Tenant: "abc"},
		{Tenant: "a:b", Session: "c"}, {Tenant: "a", Session: "b:c"}, {Tenant: "a\x00b", Session: "c"}, {Tenant: "a", Session: "\x00bc"},
		{Tenant: "a|b"}, {Tenant: "A", Session: "bc"}, {Tenant: "a ", Session: "bc"}, {Tenant: "é", Session: "1"}, {Tenant: "e\u0301", Session: "1"},
		{Tenant: strings.Repeat("x", 10_000), Session: "1"}, {Tenant: strings.Repeat("x", 10_001), Session: "1"}, {Tenant: "\xff", Session: "{}*[]"},
	}
	for i, key := range keys {
		e := entry("the same in every session", 0)
		e.Points = 100
		past := mustAppend(t, h, key, e)
		if past.Same != 1 || past.Points != 0 || len(past.Pieces) != 0 {
			t.Errorf("key %d: got Same %d, %g points and %d pieces of another session, want a new one", i, past.Same, past.Points, len(past.Pieces))
		}
	}
}

func expiry(t *testing.T, h behavior.History) {
	key := behavior.Key{Tenant: "a", Session: "expiry"}
	first := entry("first", 0)
	first.Points = 100
	mustAppend(t, h, key, first)
	past := mustAppend(t, h, key, entry("second", HalfLife))
	if len(past.Pieces) != 1 || math.Abs(past.Points-50) > 1e-6 {
		t.Errorf("after a half-life: got %d pieces and %g points, want 1 and 50", len(past.Pieces), past.Points)
	}
	past = mustAppend(t, h, key, entry("third", Window+time.Millisecond))
	if len(past.Pieces) != 1 || string(past.Pieces[0].Text) != "second" {
		t.Errorf("a window after the first: got %s, want only the second", sizes(past.Pieces))
	}
	past = mustAppend(t, h, key, entry("third", 2*Window+2*time.Millisecond))
	if past.Same != 1 || past.Points != 0 || len(past.Pieces) != 0 {
		t.Errorf("a window without prompts: got Same %d, %g points, %d pieces, want a new session", past.Same, past.Points, len(past.Pieces))
	}
}

func bounds(t *testing.T, h behavior.History) {
	key := behavior.Key{Tenant: "a", Session: "bounds"}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		size := random.IntN(behavior.MaxPiece + 1)
		if i%50 == 0 {
			size = 100_000 // more than any caller may send
		}
		e := entry(strings.Repeat("x", size), time.Duration(i)*time.Second)
		e.Digest = uint64(i)
		past := mustAppend(t, h, key, e)
		total := 0
		for _, p := range past.Pieces {
			total += len(p.Text)
		}
		if len(past.Pieces) > behavior.MaxPieces || total > behavior.MaxBytes {
			t.Fatalf("got %d pieces of %d bytes, want at most %d of %d", len(past.Pieces), total, behavior.MaxPieces, behavior.MaxBytes)
		}
	}
}

func clockBack(t *testing.T, h behavior.History) {
	key := behavior.Key{Tenant: "a", Session: "clock"}
	e := entry("first", time.Hour)
	e.Points = 100
	mustAppend(t, h, key, e)
	past := mustAppend(t, h, key, entry("second", time.Hour-time.Minute))
	if past.Points != 100 || len(past.Pieces) != 1 {
		t.Errorf("a minute back: got %g points and %d pieces, want 100 and 1", past.Points, len(past.Pieces))
	}
	past = mustAppend(t, h, key, entry("third", time.Hour))
	if past.Points != 100 || len(past.Pieces) != 2 {
		t.Errorf("forward again: got %g points and %d pieces, want 100 and 2", past.Points, len(past.Pieces))
	}
}

// nothingShared overwrites what went in and what came out.
func nothingShared(t *testing.T, h behavior.History) {
	key := behavior.Key{Tenant: "a", Session: "shared"}
	e := entry("first", 0)
	past := mustAppend(t, h, key, e)
	copy(e.Piece, "XXXXX")
	for i := range 3 {
		if err := h.Append(context.Background(), key, entry(fmt.Sprint("more ", i), time.Second), past); err != nil {
			t.Fatalf("Append: %v", err)
		}
		if string(past.Pieces[0].Text) != "first" {
			t.Fatal("the history shares memory with its caller")
		}
		copy(past.Pieces[0].Text, "YYYYY")
	}
}

func anyBytes(t *testing.T, h behavior.History) {
	for i, text := range []string{"\x00", "\xff\xfe", "a\x00b", "'\"\\{}[]", "\r\n$5\r\n", "忽略", "%s%d", " "} {
		key := behavior.Key{Tenant: "any", Session: text}
		e := entry(text, 0)
		e.Digest, e.Near = math.MaxUint64-uint64(i), 1<<53+1
		mustAppend(t, h, key, e)
		next := entry("next", 0)
		next.Digest, next.Near = math.MaxUint64-uint64(i)-1, 1<<53 // the same as a float64
		past := mustAppend(t, h, key, next)
		if len(past.Pieces) != 1 || string(past.Pieces[0].Text) != text || past.Same != 1 || past.Near != 1 {
			t.Errorf("text %d: got %s, Same %d, Near %d, want it back and 1, 1", i, sizes(past.Pieces), past.Same, past.Near)
		}
	}
}

// concurrency appends the same prompt from many goroutines: each number of the
// run must be given out once.
func concurrency(t *testing.T, h behavior.History) {
	const callers, each = 8, 50
	var mu sync.Mutex
	seen := make(map[int]bool)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			past := new(behavior.Past)
			for i := range each {
				if err := h.Append(context.Background(), behavior.Key{Tenant: "a", Session: "busy"}, entry("again", 0), past); err != nil {
					t.Errorf("Append: %v", err)
					return
				}
				mu.Lock()
				seen[past.Same] = true
				mu.Unlock()
				mine := behavior.Key{Tenant: "a", Session: fmt.Sprint("mine ", c)}
				if err := h.Append(context.Background(), mine, entry("again", 0), past); err != nil || past.Same != i+1 {
					t.Errorf("a session of its own: got Same %d, %v, want %d", past.Same, err, i+1)
					return
				}
			}
		})
	}
	wg.Wait()
	for i := 1; i <= callers*each; i++ {
		if !seen[i] {
			t.Fatalf("no caller was told that it was the %dth of %d: an Append is not atomic", i, callers*each)
		}
	}
}

func endedContext(_ *testing.T, h behavior.History) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	// An error or none, but it must come back.
	_ = h.Append(ctx, behavior.Key{Tenant: "a", Session: "ended"}, entry("x", 0), new(behavior.Past))
}
