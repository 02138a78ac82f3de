package balance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Errors of [Balancer.RoundTrip], for errors.Is.
var (
	// ErrNoBackend says that no machine serves the model, or all that do are out.
	ErrNoBackend = errors.New("balance: no machine for the model")
	// ErrUnknownBackend says that a name is none of a machine.
	ErrUnknownBackend = errors.New("balance: no machine of that name")
)

// Balancer spreads requests over machines. It is safe for concurrent use.
type Balancer struct {
	o    Options
	seed maphash.Seed

	machines []*machine // the list never changes

	mu         sync.Mutex // guards what follows, and the state of every machine
	candidates []*machine // scratch of pick
	rng        *rand.Rand
}

// New makes a balancer. The error says which option is wrong.
func New(o Options) (*Balancer, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	b := &Balancer{o: o, seed: maphash.MakeSeed(), rng: rand.New(rand.NewPCG(o.Seed, 0))}
	names := make(map[string]bool, len(o.Backends))
	for _, backend := range o.Backends {
		root, err := backend.parse()
		if err != nil {
			return nil, err
		}
		if names[backend.Name] {
			return nil, fmt.Errorf("balance: backend %s: the name stands twice", backend.Name)
		}
		names[backend.Name] = true
		backend.Weight = max(backend.Weight, 1)
		b.machines = append(b.machines, &machine{Backend: backend, root: root, hash: maphash.String(b.seed, backend.Name)})
	}
	return b, nil
}

// Hint says what a request is for, and learns what became of it.
type Hint struct {
	Model    string // "" means any
	Affinity string // requests of one key go to one machine while it has room; "" means none
	Machine  string // the one that holds what is asked for: no other is tried; "" means any

	Backend  string // out: the machine that answered last
	Attempts int    // out: machines tried
}

type hintKey struct{}

// WithHint returns a context whose request is sent as h says. One request writes
// to h at a time.
func WithHint(ctx context.Context, h *Hint) context.Context {
	return context.WithValue(ctx, hintKey{}, h)
}

// maxErrorBody is how much of a 429 is read to tell whose it is, in bytes.
const maxErrorBody = 64 << 10

// RoundTrip sends req to a machine, and to others while they fail before the
// first byte of an answer. A request with a body is sent once only unless it has
// GetBody. With no machine to try it returns [ErrNoBackend].
func (b *Balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	hint, _ := req.Context().Value(hintKey{}).(*Hint)
	if hint == nil {
		hint = new(Hint)
	}
	if hint.Machine != "" {
		return b.pinned(req, hint)
	}
	var tried []*machine
	for {
		m := b.pick(b.o.Now(), hint.Model, hint.Affinity, tried)
		if m == nil {
			return nil, ErrNoBackend
		}
		hint.Backend = m.Name
		hint.Attempts++
		resp, err := b.try(req, m, len(tried) > 0)
		tried = append(tried, m)
		if !b.another(req, resp, err, hint.Model, tried) {
			return resp, err
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
	}
}

// pinned sends req to the machine of the hint, whatever it serves.
func (b *Balancer) pinned(req *http.Request, hint *Hint) (*http.Response, error) {
	m := b.take(b.o.Now(), hint.Machine)
	if m == nil {
		return nil, ErrNoBackend
	}
	hint.Backend = m.Name
	hint.Attempts++
	return b.try(req, m, false)
}

// another reports whether the request may go to one more machine, and there is one.
func (b *Balancer) another(req *http.Request, resp *http.Response, err error, model string, tried []*machine) bool {
	switch {
	case err == nil && !machines(resp), req.Context().Err() != nil, len(tried) >= b.o.Attempts:
		return false
	case req.Body != nil && req.Body != http.NoBody && req.GetBody == nil:
		return false
	}
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.machines {
		if m.serves(model) && !m.draining && !m.out(now) && !slices.Contains(tried, m) {
			return true
		}
	}
	return false
}

// try sends the request to one machine.
func (b *Balancer) try(req *http.Request, m *machine, again bool) (*http.Response, error) {
	once, err := m.request(req, again)
	if err != nil {
		b.done(m, b.o.Now(), neither)
		return nil, err
	}
	start := b.o.Now()
	resp, err := b.o.Transport.RoundTrip(once)
	now := b.o.Now()
	if err != nil {
		b.done(m, now, failed(req.Context()))
		return nil, err
	}
	b.answered(m, now.Sub(start))
	if resp.StatusCode == http.StatusServiceUnavailable {
		if seconds, err := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64); err == nil && seconds > 0 && seconds < 1e6 {
			b.pause(m, now, time.Duration(seconds*float64(time.Second)))
		}
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		peek(resp)
	}
	ill := resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout
	resp.Body = &body{ReadCloser: resp.Body, ctx: req.Context(), end: func(how outcome) {
		if ill {
			how = bad
		}
		b.done(m, b.o.Now(), how)
	}}
	return resp, nil
}

// request is req, addressed to the machine.
func (m *machine) request(req *http.Request, again bool) (*http.Request, error) {
	once := new(http.Request)
	*once = *req // a copy down to the headers: nobody changes more
	once.Header = maps.Clone(req.Header)
	if again && req.GetBody != nil {
		var err error
		if once.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("balance: replay the body: %w", err)
		}
	}
	u := *m.root
	u.Path = path.Join("/", m.root.Path, strings.TrimPrefix(req.URL.Path, "/v1"))
	u.RawPath, u.RawQuery = "", req.URL.RawQuery
	once.URL, once.Host = &u, ""
	for name, values := range m.Header {
		once.Header[http.CanonicalHeaderKey(name)] = values
	}
	return once, nil
}

// failed tells a machine that failed from a caller that went away.
func failed(ctx context.Context) outcome {
	if errors.Is(ctx.Err(), context.Canceled) {
		return neither
	}
	return bad
}

// machines reports whether the answer is the machine's fault, so that another
// one may do better.
func machines(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusTooManyRequests:
		b, ok := resp.Body.(*body)
		return ok && !b.callers()
	}
	return false
}

// peek reads the start of an error body, and puts it back.
func peek(resp *http.Response) {
	head, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what cannot be read is not the caller's
	resp.Body = &peeked{Reader: io.MultiReader(bytes.NewReader(head), resp.Body), Closer: resp.Body, head: head}
}

// Drain stops or resumes sending new requests to a machine; those under way go
// on. [Balancer.Status] tells when none is left.
func (b *Balancer) Drain(name string, on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.machines {
		if m.Name == name {
			m.draining = on
			return nil
		}
	}
	return ErrUnknownBackend
}
