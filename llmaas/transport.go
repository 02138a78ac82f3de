package llmaas

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"time"
)

// transport sends one call: it adds token and headers, and retries as long as
// nothing of an answer has been passed on.
type transport struct {
	base   http.RoundTripper
	token  *credentials
	retry  Retry
	now    func() time.Time
	jitter func() float64
}

// newBase is a pooled transport for TLS 1.3, as the service asks. http.DefaultTransport
// keeps two idle connections a host, which halves the throughput at 64 callers.
func newBase(connect time.Duration) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connect
	t.MaxIdleConnsPerHost = 128
	t.MaxIdleConns = 0
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS13}
	return t
}

// RoundTrip sends req, up to the number of attempts that the retry policy
// allows. Its body must be replayable through req.GetBody.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	known, _ := req.Context().Value(factsKey{}).(*facts)
	if known == nil {
		known = &facts{ctx: req.Context()}
	}
	source := t.token
	if known.token != nil {
		source = known.token
	}
	key := req.Header.Get("Idempotency-Key")
	if key == "" && req.Method == http.MethodPost {
		key = rand.Text()
	}
	for attempt := 0; ; attempt++ {
		resp, err := t.once(req, source, known, key)
		wait, again := t.again(req, known, resp, err, attempt)
		if !again {
			return resp, err
		}
		known.retried(resp, err, wait)
		if resp != nil {
			discard(resp.Body)
		}
		if err := sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// once makes one attempt. A token that is refused while tokens rotate gets one
// more try with the next that is at hand: the source's newer one, or the one that
// was accepted last.
func (t *transport) once(req *http.Request, source *credentials, known *facts, key string) (*http.Response, error) {
	token, err := source.token(req.Context())
	if err != nil {
		return nil, err
	}
	resp, err := t.sendWith(req, token, known, key)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !replayable(req) {
		source.keep(token, resp)
		return resp, err
	}
	next, ok := source.another(req.Context(), token)
	if !ok {
		return resp, nil
	}
	discard(resp.Body)
	resp, err = t.sendWith(req, next, known, key)
	source.keep(next, resp)
	return resp, err
}

func (t *transport) sendWith(req *http.Request, token Token, known *facts, key string) (*http.Response, error) {
	once := req.WithContext(req.Context()) // a shallow copy
	once.Header = req.Header.Clone()
	once.Header.Set("Authorization", "Bearer "+token.Reveal())
	if key != "" {
		once.Header.Set("Idempotency-Key", key)
	}
	if known.attempts > 0 && req.GetBody != nil {
		var err error
		if once.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("llmaas: replay the body: %w", err)
		}
	}
	known.attempts++
	resp, err := t.base.RoundTrip(once)
	if resp != nil {
		known.requestID = requestID(resp.Header)
	}
	return resp, err
}

func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// again decides whether there is another attempt, and after which wait.
func (t *transport) again(req *http.Request, known *facts, resp *http.Response, err error, attempt int) (time.Duration, bool) {
	ctx := req.Context()
	switch {
	case attempt+1 >= t.retry.attempts(), ctx.Err() != nil:
		return 0, false
	case err == nil && !retryable(resp):
		return 0, false
	case !replayable(req), errors.Is(err, errNoToken), known.once && taken(resp, err):
		return 0, false
	}
	wait := backoff(attempt, t.jitter())
	if err == nil {
		if asked, ok := retryAfter(resp.Header, t.now()); ok {
			wait = asked
		}
	}
	if wait > t.retry.maxWait() {
		return 0, false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return 0, false // the wait would outlive the call: report now
	}
	return wait, true
}

// taken reports whether a request that failed may have been carried out.
func taken(resp *http.Response, err error) bool {
	if err != nil {
		var failed *net.OpError
		return !errors.As(err, &failed) || failed.Op != "dial"
	}
	return resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// discard reads a little so that the connection can be used again, and closes.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}

// requestID is the service's id of a request: its own header "id", else the usual one.
func requestID(h http.Header) string {
	for _, name := range []string{"Id", "X-Request-Id"} {
		if id := h.Get(name); id != "" && len(id) <= 128 {
			return id
		}
	}
	return ""
}

func defaultJitter() float64 { return mathrand.Float64() }
