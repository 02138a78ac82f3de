package balance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": dead}}
		var told []string
		b := newBalancer(t, f, func(o *Options) {
			o.OnEject = func(name string, out bool) { told = append(told, fmt.Sprint(name, out)) }
		}, "a", "b", "c", "d")
		for range 200 {
			status, _, err := send(b, &Hint{})
			require.NoError(t, err)
			require.Equal(t, 200, status)
		}
		require.Equal(t, []string{"atrue"}, told)
		require.Equal(t, 3, count(f.asked, "a"), "three failures eject, and then nobody asks")
		require.True(t, b.Status()[0].Out)

		time.Sleep(11 * time.Second) // the first ejection is over; a is still dead
		for range 400 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
		}
		require.Equal(t, 6, count(f.asked, "a"))
		time.Sleep(11 * time.Second) // the second lasts twice as long
		require.True(t, b.Status()[0].Out)

		f.answer["a"] = nil
		time.Sleep(10 * time.Second)
		before := count(f.asked, "a")
		for range 400 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
		}
		slowly := count(f.asked, "a") - before
		require.Positive(t, slowly)
		require.Less(t, slowly, 60, "a machine that comes back starts slowly")
		require.Equal(t, []string{"atrue", "atrue", "afalse"}, told)
	})
}

func TestNotAllAreEjected(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": dead, "b": dead, "c": dead, "d": dead}}
	b := newBalancer(t, f, nil, "a", "b", "c", "d")
	for range 100 {
		_, _, err := send(b, &Hint{})
		require.ErrorIs(t, err, errDead)
	}
	out := 0
	for _, s := range b.Status() {
		if s.Out {
			out++
		}
	}
	require.Equal(t, 2, out)

	alone := newBalancer(t, f, nil, "a")
	for range 10 {
		_, _, err := send(alone, &Hint{})
		require.ErrorIs(t, err, errDead)
	}
	require.Equal(t, Status{Name: "a", Weight: 1, Failures: 10, Reason: errDead.Error()}, alone.Status()[0])
}

// One request tries so many machines and no more.
func TestAttempts(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": dead, "b": dead, "c": dead, "d": dead, "e": dead}}
	for attempts, want := range map[int]int{0: 3, 1: 1, 4: 4, 9: 5} {
		b := newBalancer(t, f, func(o *Options) { o.Attempts, o.Failures = attempts, 100 }, "a", "b", "c", "d", "e")
		hint := &Hint{}
		f.asked = nil
		_, _, err := send(b, hint)
		require.ErrorIs(t, err, errDead)
		require.Len(t, f.asked, want)
		require.Equal(t, want, hint.Attempts)
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": says(503, "", "Retry-After", "20")}}
		b := newBalancer(t, f, nil, "a", "b")
		for range 50 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
		}
		require.Equal(t, 1, count(f.asked, "a"))
		time.Sleep(21 * time.Second)
		for range 50 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
		}
		require.Equal(t, 2, count(f.asked, "a"))
	})
}

func TestBreakOffCountsAgainstTheMachine(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(strings.NewReader("half"), broken{}))}, nil
	}}}
	b := newBalancer(t, f, nil, "a", "b")
	for range 100 {
		_, text, err := send(b, &Hint{})
		if err != nil {
			require.Equal(t, "half", text, "what came before stays, and is not sent twice")
		}
	}
	require.Equal(t, 3, count(f.asked, "a"))
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestCallerThatLeavesIsNoFailure(t *testing.T) {
	wait := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": wait, "b": wait}}
	b := newBalancer(t, f, nil, "a", "b")
	for range 10 {
		ctx, cancel := context.WithCancel(context.Background())
		req, err := http.NewRequestWithContext(ctx, "GET", "http://gateway/v1/models", nil)
		require.NoError(t, err)
		time.AfterFunc(time.Millisecond, cancel)
		_, err = b.RoundTrip(req)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Len(t, f.asked, 10, "for a caller that is gone nobody else is asked")
	for _, s := range b.Status() {
		require.Zero(t, s.Failures)
		require.False(t, s.Out)
	}
	idle(t, b, f)
}

func TestProbe(t *testing.T) {
	for name, ill := range map[string]func(*http.Request) (*http.Response, error){
		"refuses":      dead,
		"out of order": says(503, ""),
		"hangs": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"wants a key": func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") == "" {
				return says(503, "")(r)
			}
			return says(500, "")(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": ill}}
				b := newBalancer(t, f, func(o *Options) { o.Backends[0].Header = http.Header{"Authorization": {"Bearer inner"}} }, "a", "b")
				ctx, cancel := context.WithCancel(t.Context())
				go b.Probe(ctx, ProbeOptions{Interval: time.Second, Timeout: time.Second / 2})
				time.Sleep(2800 * time.Millisecond)
				require.False(t, b.Status()[0].Out)
				require.Equal(t, 2, b.Status()[0].Failures)
				require.Contains(t, b.Status()[0].Reason, "probe: ")
				set := func(answer func(*http.Request) (*http.Response, error)) {
					f.mu.Lock()
					f.answer["a"] = answer
					f.mu.Unlock()
				}
				set(says(404, "no list of models, and well"))
				time.Sleep(time.Second)
				require.Zero(t, b.Status()[0].Failures)
				set(ill)
				time.Sleep(3 * time.Second)
				require.True(t, b.Status()[0].Out, "three probes in a row found a ill")
				if name == "wants a key" {
					require.Equal(t, "probe: status 500", b.Status()[0].Reason)
				}
				set(nil)
				time.Sleep(time.Second)
				require.False(t, b.Status()[0].Out, "a probe found a well, long before its time was over")
				cancel()
				synctest.Wait()
			})
		})
	}
}

// The better of two: a slow machine gets less, and one that has much to do.
func TestBetterOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": slow(200 * time.Millisecond)}}
		for _, name := range []string{"b", "c", "d"} {
			f.answer[name] = slow(20 * time.Millisecond)
		}
		b := newBalancer(t, f, nil, "a", "b", "c", "d")
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for range 50 {
					_, _, _ = send(b, &Hint{})
				}
			})
		}
		callers.Wait()
		require.Less(t, count(f.asked, "a"), 40, "of 400")
	})
}

// What is to be expected of a machine: its own latency, and after a while half of
// what is usual.
func TestWait(t *testing.T) {
	now := time.Now()
	for _, row := range []struct {
		latency float64
		ago     time.Duration
		want    float64
	}{{0, 0, 1}, {0, time.Hour, 1}, {5, 0, 5}, {5, forget, 2.75}, {5, time.Hour, 0.5}, {0.1, 0, 0.1}, {0.1, time.Hour, 0.5}, {5, -time.Hour, 5}} {
		m := &machine{latency: row.latency, seen: now.Add(-row.ago)}
		require.InDelta(t, row.want, m.wait(now, 1), 1e-6, "%+v", row)
	}
}

// Answers that fail say nothing of a machine's speed.
func TestFailuresAreNoLatencies(t *testing.T) {
	for _, status := range []int{400, 404, 429, 500, 503} {
		b := newBalancer(t, &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": says(status, "")}}, nil, "a")
		_, _, err := send(b, &Hint{})
		require.NoError(t, err)
		require.Zero(t, b.Status()[0].Latency, status)
	}
}

// A machine that fails fast must not look like the fastest, from the first
// request on. One that answers nothing but 500s gets less than its share; 400s are
// the callers'.
func TestMachineThatFailsFastIsNoFavorite(t *testing.T) {
	for status, most := range map[int]int{500: 60, 400: 220} {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": says(status, "no")}}
			for _, name := range []string{"b", "c", "d"} {
				f.answer[name] = slow(50 * time.Millisecond)
			}
			b := newBalancer(t, f, nil, "a", "b", "c", "d")
			for range 40 {
				var round sync.WaitGroup
				for range 10 {
					round.Go(func() { _, _, _ = send(b, &Hint{}) })
				}
				round.Wait()
				time.Sleep(time.Second)
			}
			require.Less(t, count(f.asked, "a"), most, "of 400: the share of one that is well is 100")
		})
	}
}

// A machine that was slow once is asked again, though others look better.
func TestSlowOnceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": slow(20 * time.Second), "b": slow(time.Second)}}
		b := newBalancer(t, f, nil, "a", "b")
		for count(f.asked, "a") == 0 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
		}
		f.answer["a"] = slow(time.Second / 2) // it is the better one now
		before := count(f.asked, "a")
		for range 300 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
		}
		require.Greater(t, count(f.asked, "a")-before, 100)
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"20":                            20 * time.Second,
		"0.5":                           time.Second / 2,
		"Wed, 20 May 2026 12:01:00 GMT": time.Minute,
		"Wed, 20 May 2026 11:00:00 GMT": -time.Hour, // over already
		"-1":                            0, "1e9": 0, "NaN": 0, "Inf": 0, "soon": 0,
	} {
		require.Equal(t, want, retryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
}

// What a machine asks for it gets, be it a 503 or a 429, and though it answers
// probes meanwhile.
func TestPauseHolds(t *testing.T) {
	for _, status := range []int{503, 429} {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/models") {
					return says(200, "")(r)
				}
				return says(status, "queue full", "Retry-After", "20")(r)
			}}}
			b := newBalancer(t, f, nil, "a", "b")
			go b.Probe(t.Context(), ProbeOptions{Interval: time.Second})
			for !b.Status()[0].Out {
				_, _, err := send(b, &Hint{})
				require.NoError(t, err)
			}
			require.Equal(t, "it asked for a pause", b.Status()[0].Reason)
			require.LessOrEqual(t, time.Until(b.Status()[0].Until), 20*time.Second)
			until := b.Status()[0].Until
			time.Sleep(10 * time.Second)
			require.True(t, b.Status()[0].Out)
			require.Equal(t, until, b.Status()[0].Until)
			time.Sleep(11 * time.Second)
			require.False(t, b.Status()[0].Out)
		})
	}
}

// A machine that answers probes and no requests does not go in and out at every
// probe.
func TestProbesDoNotShortenTheSecondEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/models") {
				return says(404, "no list of models, and well")(r)
			}
			return says(502, "")(r)
		}}}
		told := 0
		b := newBalancer(t, f, func(o *Options) { o.OnEject = func(string, bool) { told++ } }, "a", "b")
		go b.Probe(t.Context(), ProbeOptions{Interval: time.Second})
		for range 600 {
			_, _, err := send(b, &Hint{})
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.Less(t, told, 16, "10 min: 10 s, 20 s, 40 s, 80 s, 160 s, 300 s")
		require.Equal(t, "status 502", b.Status()[0].Reason)
	})
}

// A request that began before an ejection and ends well says nothing new.
func TestOldSuccessDoesNotEndAnEjection(t *testing.T) {
	f := &fleet{}
	var told []bool
	b := newBalancer(t, f, func(o *Options) { o.OnEject = func(_ string, out bool) { told = append(told, out) } }, "a", "b")
	now := time.Now()
	a := b.machines[0]
	a.inflight = 4
	for range 3 {
		b.done(a, now, bad, "dead")
	}
	b.done(a, now, good, "")
	require.Equal(t, []bool{true}, told)
	require.True(t, a.out(now))
	require.Equal(t, 1, a.ejections)
}

// One that serves everything may be all that some model has.
func TestLastMachineOfAModelStays(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"all": dead, "x": dead}}
	b := newBalancer(t, f, func(o *Options) {
		for i := range o.Backends {
			o.Backends[i].Models = []string{[]string{"x", "y"}[min(i, 1)]}
		}
		o.Backends = append(o.Backends, machinesNamed("all")...)
	}, "x", "y1", "y2", "y3", "y4")
	b.eject(b.machines[0], time.Now())
	for range 20 {
		_, _, err := send(b, &Hint{Model: "x"})
		require.ErrorIs(t, err, errDead, "there is always one to try")
	}
	out := 0
	for _, s := range b.Status() {
		if s.Out {
			out++
		}
	}
	require.Equal(t, 1, out)
}

// Keys of a machine that comes back come back little by little.
func TestAffinityStartsSlowly(t *testing.T) {
	f := &fleet{}
	b := newBalancer(t, f, nil, "a", "b", "c", "d")
	now := time.Now()
	at := func(when time.Time) map[string]string {
		homes := make(map[string]string)
		for i := range 400 {
			key := fmt.Sprint("session-", i)
			m := b.pick(when, &Hint{Affinity: key}, nil)
			homes[key] = m.Name
			b.done(m, when, neither, "")
		}
		return homes
	}
	was := at(now)
	b.eject(b.machines[0], now)
	back := now.Add(b.o.EjectFor)
	last := 0
	for _, since := range []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second} {
		homes, on := at(back.Add(since)), 0
		for key, home := range homes {
			if home == "a" {
				on++
			}
			if was[key] != "a" {
				require.Equal(t, was[key], home, "only its own keys move")
			}
		}
		require.Greater(t, on, last, since)
		last = on
	}
	require.Equal(t, was, at(back.Add(time.Minute)))
}

// Nobody is put aside for a year because it says so.
func TestPauseIsBounded(t *testing.T) {
	b := newBalancer(t, &fleet{}, nil, "a", "b")
	b.pause(b.machines[0], time.Now(), 1000*time.Hour)
	require.WithinDuration(t, time.Now().Add(b.o.EjectMost), b.Status()[0].Until, time.Minute)
}
