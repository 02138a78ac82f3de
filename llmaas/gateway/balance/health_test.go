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
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}}}
	b := newBalancer(t, f, nil, "a")
	for range 10 {
		ctx, cancel := context.WithCancel(context.Background())
		req, err := http.NewRequestWithContext(ctx, "GET", "http://gateway/v1/models", nil)
		require.NoError(t, err)
		time.AfterFunc(time.Millisecond, cancel)
		_, err = b.RoundTrip(req)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.False(t, b.Status()[0].Out)
	require.Zero(t, b.Status()[0].InFlight)
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": dead}}
		b := newBalancer(t, f, nil, "a", "b")
		ctx, cancel := context.WithCancel(t.Context())
		go b.Probe(ctx, ProbeOptions{Interval: time.Second})
		time.Sleep(3500 * time.Millisecond)
		require.True(t, b.Status()[0].Out, "three probes found a dead")
		f.mu.Lock()
		f.answer["a"] = nil
		f.mu.Unlock()
		time.Sleep(time.Second)
		require.False(t, b.Status()[0].Out, "a probe found a well, long before its time was over")
		cancel()
		synctest.Wait()
	})
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
	for range 20 {
		_, _, err := send(b, &Hint{Model: "x"})
		require.Error(t, err)
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
