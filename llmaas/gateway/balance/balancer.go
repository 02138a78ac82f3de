package balance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
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

	errNoURL = errors.New("balance: the request has no URL")
)

// Balancer spreads requests over machines. It is safe for concurrent use.
type Balancer struct {
	o Options

	machines []*machine // the list never changes
	models   []string   // that they name, and ""

	mu         sync.Mutex // guards what follows, and the state of every machine
	usual      float64    // latency of all machines together, as theirs
	candidates []*machine // scratch of pick
	rng        *rand.Rand
}

// New makes a balancer. The error says which option is wrong.
func New(o Options) (*Balancer, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	b := &Balancer{o: o, models: []string{""}, rng: rand.New(rand.NewPCG(o.Seed, 0))}
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
		b.machines = append(b.machines, &machine{Backend: backend, root: root, hash: mix(hash(backend.Name))})
		b.models = append(b.models, backend.Models...)
	}
	slices.Sort(b.models)
	b.models = slices.Compact(b.models)
	return b, nil
}

// Hint says what a request is for, and learns what became of it.
type Hint struct {
	Model    string // "" means any
	Affinity string // requests of one key go to one machine while it has room; "" means none
	Machine  string // the one that holds what is asked for, whatever it serves: no other is tried; "" means any

	// Once says that the request has an effect and must not be done twice: another
	// machine is tried only when it is sure that none took it. That is so after a
	// connection that was never made, a 503 and a machine's 429. False means that
	// it may be sent again after any failure of a machine, as a prompt may.
	Once bool

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
// GetBody. When no machine is left to try it returns what the last one answered,
// and [ErrNoBackend] when there was none at all.
func (b *Balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	hint, _ := req.Context().Value(hintKey{}).(*Hint)
	if hint == nil {
		hint = new(Hint)
	}
	hint.Backend, hint.Attempts = "", 0
	var m *machine
	err := errNoURL
	if req.URL != nil {
		err = ErrNoBackend
		m = b.pick(b.o.Now(), hint, nil)
	}
	if m == nil {
		if req.Body != nil {
			_ = req.Body.Close() // as every RoundTripper does
		}
		return nil, err
	}
	var tried []*machine
	for {
		hint.Backend = m.Name
		hint.Attempts++
		resp, err := b.try(req, m, len(tried) > 0)
		if hint.Attempts >= b.o.Attempts || !again(req, resp, err, hint.Once) {
			return resp, err
		}
		tried = append(tried, m)
		if m = b.pick(b.o.Now(), hint, tried); m == nil {
			return resp, err
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
	}
}

// again reports whether another machine may be tried.
func again(req *http.Request, resp *http.Response, err error, once bool) bool {
	switch {
	case req.Context().Err() != nil, req.Body != nil && req.Body != http.NoBody && req.GetBody == nil:
		return false
	case err != nil:
		var dial *net.OpError
		return !once || errors.As(err, &dial) && dial.Op == "dial"
	case resp.StatusCode == http.StatusServiceUnavailable:
		return true
	case resp.StatusCode == http.StatusTooManyRequests:
		b, ok := resp.Body.(*body)
		return ok && !b.callers
	}
	return ill(resp) && !once
}

// try sends the request to one machine.
func (b *Balancer) try(req *http.Request, m *machine, again bool) (*http.Response, error) {
	how, why, held := neither, "", true
	defer func() {
		if held { // whatever happened, even a transport that panicked
			b.done(m, b.o.Now(), how, why)
		}
	}()
	once, err := m.request(req, again)
	if err != nil {
		return nil, err
	}
	start := b.o.Now()
	resp, err := b.o.Transport.RoundTrip(once)
	if err != nil {
		err = quiet(err)
		how, why = failed(req.Context()), err.Error()
		return nil, err
	}
	now := b.o.Now()
	if resp.StatusCode < 400 {
		b.answered(m, now, now.Sub(start))
	}
	status, sick := resp.StatusCode, ill(resp)
	callers := status == http.StatusTooManyRequests && peek(resp)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests && !callers {
		b.pause(m, now, retryAfter(resp.Header, now))
	}
	held = false
	resp.Body = &body{ReadCloser: resp.Body, ctx: req.Context(), callers: callers, end: func(how outcome, why string) {
		switch {
		case sick:
			how, why = bad, "status "+strconv.Itoa(status)
		case status >= 500 && how == good:
			how = faulty
		}
		b.done(m, b.o.Now(), how, why)
	}}
	return resp, nil
}

// retryAfter is how long the answer asks to wait, 0 if it does not (RFC 9110 §10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds > 0 && seconds < 1e6 {
			return time.Duration(seconds * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now)
	}
	return 0
}

// request is req, addressed to the machine.
func (m *machine) request(req *http.Request, again bool) (*http.Request, error) {
	once := new(http.Request)
	*once = *req // a copy down to the headers: nobody changes more
	if once.Header = maps.Clone(req.Header); once.Header == nil {
		once.Header = make(http.Header)
	}
	if again && req.GetBody != nil {
		var err error
		if once.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("balance: replay the body: %w", err)
		}
	}
	once.URL, once.Host = m.address(req.URL), ""
	m.sign(once.Header)
	return once, nil
}

// address is where the machine has what is at u, below its own root whatever the
// path says.
func (m *machine) address(u *url.URL) *url.URL {
	below := func(root, p string) string {
		if rest, ok := strings.CutPrefix(p, "/v1"); ok && (rest == "" || rest[0] == '/') {
			p = rest
		}
		return path.Join("/", root, path.Clean("/"+p))
	}
	to := *m.root
	to.Path, to.RawQuery = below(m.root.Path, u.Path), u.RawQuery
	if u.RawPath != "" { // such as %2F; what does not fit the path is not used
		to.RawPath = below(m.root.EscapedPath(), u.RawPath)
	}
	return &to
}

// sign sets the machine's own headers.
func (m *machine) sign(h http.Header) {
	for name, values := range m.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
}

// failed tells a machine that failed from a caller that went away.
func failed(ctx context.Context) outcome {
	if errors.Is(ctx.Err(), context.Canceled) {
		return neither
	}
	return bad
}

// ill reports whether a machine answered that it, or what is behind it, is out of
// order.
func ill(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// peek reads the start of a 429, puts it back, and reports whether it speaks of
// the caller's own limit.
func peek(resp *http.Response) bool {
	head, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what cannot be read is not the caller's
	resp.Body = &peeked{Reader: io.MultiReader(bytes.NewReader(head), resp.Body), Closer: resp.Body}
	return bytes.Contains(head, []byte("rate_limit_exceeded"))
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
