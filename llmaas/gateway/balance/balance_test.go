package balance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fleet plays the machines: what each answers, by host, and who was asked.
type fleet struct {
	mu     sync.Mutex
	answer map[string]func(*http.Request) (*http.Response, error)
	asked  []string
	open   int // bodies of answers that nobody has closed
}

func (f *fleet) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.Hostname())
	answer := f.answer[r.URL.Hostname()]
	f.mu.Unlock()
	if answer == nil {
		answer = says(200, "ok")
	}
	resp, err := answer(r)
	if err == nil {
		f.mu.Lock()
		f.open++
		f.mu.Unlock()
		resp.Body = &watched{ReadCloser: resp.Body, f: f}
	}
	return resp, err
}

// watched tells the fleet when it is closed.
type watched struct {
	io.ReadCloser
	f    *fleet
	once sync.Once
}

func (w *watched) Close() error {
	w.once.Do(func() {
		w.f.mu.Lock()
		w.f.open--
		w.f.mu.Unlock()
	})
	return w.ReadCloser.Close()
}

// idle checks that nothing is left over.
func idle(t *testing.T, b *Balancer, f *fleet) {
	t.Helper()
	for _, s := range b.Status() {
		require.Zero(t, s.InFlight, "%s", s.Name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Zero(t, f.open, "bodies that are open")
}

func says(status int, text string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
}

var errDead error = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}

func dead(*http.Request) (*http.Response, error) { return nil, errDead }

func slow(d time.Duration) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		time.Sleep(d)
		return says(200, "ok")(r)
	}
}

func machinesNamed(names ...string) []Backend {
	var all []Backend
	for _, name := range names {
		all = append(all, Backend{Name: name, URL: "http://" + name + "/v1"})
	}
	return all
}

func newBalancer(t testing.TB, f *fleet, change func(*Options), names ...string) *Balancer {
	o := Options{Backends: machinesNamed(names...), Transport: f, Seed: 1}
	if change != nil {
		change(&o)
	}
	b, err := New(o)
	require.NoError(t, err)
	return b
}

// send makes one request and reads its answer.
func send(b *Balancer, hint *Hint) (int, string, error) {
	ctx := WithHint(context.Background(), hint)
	req, err := http.NewRequestWithContext(ctx, "POST", "http://gateway/v1/chat/completions?x=1", strings.NewReader("body"))
	if err != nil {
		return 0, "", err
	}
	resp, err := b.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), errors.Join(err, resp.Body.Close())
}

func TestNewRefusesBadOptions(t *testing.T) {
	good := machinesNamed("a")
	for want, o := range map[string]Options{
		"Options.Backends":    {},
		"Backend.Name":        {Backends: []Backend{{URL: "http://a"}}},
		"URL":                 {Backends: []Backend{{Name: "a", URL: "a:80"}}},
		"Weight":              {Backends: []Backend{{Name: "a", URL: "http://a", Weight: -1}}},
		"twice":               {Backends: machinesNamed("a", "a")},
		"attempts":            {Backends: good, Attempts: -1},
		"a floor of -1":       {Backends: good, LoadFloor: -1},
		"Options.EjectShare":  {Backends: good, EjectShare: 2},
		"Options.LoadCap":     {Backends: good, LoadCap: 0.5},
		"Options.EjectFor":    {Backends: good, EjectFor: -1},
		"Options.EjectMost":   {Backends: good, EjectMost: -1},
		"want a plain http":   {Backends: []Backend{{Name: "a", URL: "ftp://a"}}},
		"such as http://10.0": {Backends: []Backend{{Name: "a", URL: "http://a?x"}}},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, want)
	}
}

func TestOneRequest(t *testing.T) {
	own := says(429, `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After", "7")
	full := says(429, `{"error":{"code":"queue_full"}}`)
	refused := func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	for _, row := range []struct {
		name     string
		once     bool
		a, b     func(*http.Request) (*http.Response, error)
		status   int
		text     string
		attempts int
		err      error
	}{
		{name: "both well", status: 200, text: "ok", attempts: 1},
		{name: "a refuses connections", a: dead, status: 200, text: "ok", attempts: 2},
		{name: "a is out of order", a: says(503, "no"), status: 200, text: "ok", attempts: 2},
		{name: "a is behind a bad gateway", a: says(502, "no"), status: 200, text: "ok", attempts: 2},
		{name: "both out of order", a: says(503, "a"), b: says(503, "b"), status: 503, text: "b", attempts: 2},
		{name: "a has a bug: it is not tried again", a: says(500, "a"), status: 500, text: "a", attempts: 1},
		{name: "the caller's mistake", a: says(400, "a"), status: 400, text: "a", attempts: 1},
		{name: "the caller's own limit", a: own, status: 429, text: `{"error":{"code":"rate_limit_exceeded"}}`, attempts: 1},
		{name: "a is full", a: full, status: 200, text: "ok", attempts: 2},
		{name: "a is too slow for what is before it", a: says(504, "no"), status: 200, text: "ok", attempts: 2},
		{name: "once: a breaks off", once: true, a: dead, err: errDead, attempts: 1},
		{name: "once: a was never reached", once: true, a: refused, status: 200, text: "ok", attempts: 2},
		{name: "once: a does not take it", once: true, a: says(503, "no"), status: 200, text: "ok", attempts: 2},
		{name: "once: a is full", once: true, a: full, status: 200, text: "ok", attempts: 2},
		{name: "once: a may have done it", once: true, a: says(502, "a"), status: 502, text: "a", attempts: 1},
		{name: "once: a may still do it", once: true, a: says(504, "a"), status: 504, text: "a", attempts: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": row.a, "b": row.b}}
			b := newBalancer(t, f, nil, "a", "b")
			require.NoError(t, b.Drain("b", true))
			hint := &Hint{Once: row.once, Attempts: 7, Backend: "from before"}
			// b is let in once a has been asked, so that a is always the first.
			f.answer["a"] = func(r *http.Request) (*http.Response, error) {
				require.Equal(t, "/v1/chat/completions", r.URL.Path)
				require.Equal(t, "x=1", r.URL.RawQuery)
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				require.Equal(t, "body", string(body))
				require.NoError(t, b.Drain("b", false))
				if row.a == nil {
					return says(200, "ok")(r)
				}
				return row.a(r)
			}
			status, text, err := send(b, hint)
			require.ErrorIs(t, err, row.err)
			require.Equal(t, row.status, status)
			require.Equal(t, row.text, text)
			require.Equal(t, row.attempts, hint.Attempts)
			require.Equal(t, f.asked[len(f.asked)-1], hint.Backend)
			idle(t, b, f)
		})
	}
}

func TestRouting(t *testing.T) {
	f := &fleet{}
	b := newBalancer(t, f, func(o *Options) {
		o.Backends = []Backend{
			{Name: "small", URL: "http://small/v1", Models: []string{"gemma3:1b"}},
			{Name: "large", URL: "http://large/api/v1", Models: []string{"llama3.3:70b"}, Header: http.Header{"authorization": {"Bearer inner"}}},
		}
	})
	f.answer = map[string]func(*http.Request) (*http.Response, error){"large": func(r *http.Request) (*http.Response, error) {
		require.Equal(t, "/api/v1/chat/completions", r.URL.Path)
		require.Equal(t, "Bearer inner", r.Header.Get("Authorization"))
		return says(200, "large")(r)
	}}
	for range 20 {
		_, text, err := send(b, &Hint{Model: "llama3.3:70b"})
		require.NoError(t, err)
		require.Equal(t, "large", text)
	}
	_, _, err := send(b, &Hint{Model: "nonesuch"})
	require.ErrorIs(t, err, ErrNoBackend)
	require.ErrorIs(t, b.Drain("nonesuch", true), ErrUnknownBackend)
}

func TestAffinity(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){}}
	b := newBalancer(t, f, nil, "a", "b", "c", "d")
	home := map[string]string{}
	for round := range 3 {
		for i := range 100 {
			hint := &Hint{Affinity: fmt.Sprint("session-", i)}
			_, _, err := send(b, hint)
			require.NoError(t, err)
			if round == 0 {
				home[hint.Affinity] = hint.Backend
			}
			require.Equal(t, home[hint.Affinity], hint.Backend)
		}
	}
	// Without one machine, only its own sessions move.
	require.NoError(t, b.Drain("a", true))
	moved := 0
	for key, was := range home {
		hint := &Hint{Affinity: key}
		_, _, err := send(b, hint)
		require.NoError(t, err)
		if was == "a" {
			require.NotEqual(t, "a", hint.Backend)
			moved++
			continue
		}
		require.Equal(t, was, hint.Backend)
	}
	require.InDelta(t, 25, moved, 15)
	// Another gateway, and this one after a restart, send them to the same machines.
	second := newBalancer(t, f, func(o *Options) { o.Seed = 2 }, "a", "b", "c", "d")
	for key, was := range home {
		hint := &Hint{Affinity: key}
		_, _, err := send(second, hint)
		require.NoError(t, err)
		require.Equal(t, was, hint.Backend)
	}
}

// TestPinned asks for what lies on one machine: it answers, or nobody does.
func TestPinned(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){}}
	b := newBalancer(t, f, func(o *Options) { o.Failures = 2 }, "a", "b", "c")
	for range 20 {
		hint := &Hint{Machine: "b", Model: "nonesuch", Affinity: "key"}
		status, _, err := send(b, hint)
		require.NoError(t, err)
		require.Equal(t, 200, status)
		require.Equal(t, Hint{Machine: "b", Model: "nonesuch", Affinity: "key", Backend: "b", Attempts: 1}, *hint)
	}
	require.NoError(t, b.Drain("b", true))
	_, _, err := send(b, &Hint{Machine: "b"})
	require.ErrorIs(t, err, ErrNoBackend)
	require.NoError(t, b.Drain("b", false))
	_, _, err = send(b, &Hint{Machine: "nonesuch"})
	require.ErrorIs(t, err, ErrNoBackend)
	f.asked, f.answer["b"] = nil, dead
	for range 3 {
		_, _, err = send(b, &Hint{Machine: "b"})
		require.Error(t, err)
	}
	require.ErrorIs(t, err, ErrNoBackend, "it is out after two failures")
	require.Equal(t, []string{"b", "b"}, f.asked, "no other was tried")
	require.Zero(t, b.Status()[1].InFlight)
}

// TestAffinityHasRoom holds many requests of one key open: they spill over.
func TestAffinityHasRoom(t *testing.T) {
	b := newBalancer(t, &fleet{}, nil, "a", "b", "c", "d")
	now := time.Now()
	seen := map[string]int{}
	for range 4 {
		seen[b.pick(now, &Hint{Affinity: "one key"}, nil).Name]++
	}
	require.Len(t, seen, 1, "so many a machine may always have")
	for range 96 {
		seen[b.pick(now, &Hint{Affinity: "one key"}, nil).Name]++
	}
	require.Len(t, seen, 4)
	for name, n := range seen {
		require.LessOrEqual(t, n, 33, "%s holds more than 1.25 times its share", name)
	}
}

func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){
			"a": slow(30 * time.Millisecond), "b": dead, "c": slow(3 * time.Millisecond), "d": says(503, ""),
		}}
		b := newBalancer(t, f, nil, "a", "b", "c", "d", "e")
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() {
				hint := &Hint{}
				if i%2 == 0 {
					hint.Affinity = fmt.Sprint(i % 10)
				}
				status, _, err := send(b, hint)
				if err == nil {
					require.Contains(t, []int{200, 503}, status)
				}
			})
		}
		all.Wait()
		idle(t, b, f)
	})
}

func count(all []string, name string) int {
	n := 0
	for _, s := range all {
		if s == name {
			n++
		}
	}
	return n
}
