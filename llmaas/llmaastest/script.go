package llmaastest

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"time"
)

// Reply is one scripted answer. The zero value matches any request and answers
// it as the fake would by itself.
type Reply struct {
	// What it is for. Empty fields match anything.
	Path     string // endpoint without /v1, "/chat/completions"
	Model    string
	Contains string // text that the request body must hold
	Key      string // the bearer token

	// Times is how many requests it answers. 0 means one.
	Times int

	// Status, when it is not 0, answers at once with it, Header and Body.
	// A Body that is empty becomes an error object in the service's words.
	Status int
	Header http.Header
	Body   string

	// Frames, when it is not nil, streams these bytes with status 200, one
	// write each, and closes the connection without a word of its own.
	Frames []string

	// Text, when it is not empty, is what the model says. Tool is the tool that
	// it calls in place of that, with Text as the arguments.
	Text string
	Tool string

	// Delay is waited before anything is sent; Hang waits until the caller goes away.
	Delay time.Duration
	Hang  bool

	// TTFT and TokenDelay, when they are not 0, stand in for the Backend's own.
	// Between the Frames it is TokenDelay too: a slow loris is one byte a frame.
	TTFT, TokenDelay time.Duration

	// CutAfter, when it is not 0, aborts the connection of a stream after so many
	// chunks; NoUsage leaves the usage out of the answer, NoDone the [DONE].
	CutAfter int
	NoUsage  bool
	NoDone   bool
}

// Script appends replies to those that wait for a request. Each answers the
// first requests that it matches, one or as many as its Times.
func (b *Backend) Script(replies ...Reply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range replies {
		p.Times = max(p.Times, 1)
		b.scripts = append(b.scripts, p)
	}
}

// take returns the first reply that matches, if one does. The mutex is held.
func (b *Backend) take(r *Request) Reply {
	i := slices.IndexFunc(b.scripts, func(p Reply) bool { return p.matches(r) })
	if i < 0 {
		return Reply{}
	}
	reply := b.scripts[i]
	if b.scripts[i].Times--; b.scripts[i].Times == 0 {
		b.scripts = slices.Delete(b.scripts, i, i+1)
	}
	return reply
}

func (b *Backend) unused() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.scripts)
}

func (p Reply) matches(r *Request) bool {
	return (p.Path == "" || p.Path == r.Path) &&
		(p.Model == "" || p.Model == r.Model) &&
		(p.Contains == "" || bytes.Contains(r.Body, []byte(p.Contains))) &&
		(p.Key == "" || r.Header.Get("Authorization") == "Bearer "+p.Key)
}

// scripted plays what the scripted reply says about the wire, and reports
// whether that was all.
func (c *call) scripted() bool {
	p := c.reply
	for name, values := range p.Header {
		c.w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if !c.wait(p.Delay) {
		return true
	}
	switch {
	case p.Hang:
		<-c.r.Context().Done()
		c.left = true
	case p.Frames != nil:
		c.stream(p.Frames)
	case p.Status != 0 && p.Body == "":
		kind, code := errorWords(p.Status)
		c.fail(p.Status, kind, code, "A scripted failure.")
	case p.Status != 0:
		if c.w.Header().Get("Content-Type") == "" {
			c.w.Header().Set("Content-Type", "application/json")
		}
		c.w.WriteHeader(p.Status)
		_, _ = c.w.Write([]byte(p.Body))
	default:
		return false
	}
	return true
}

func (c *call) stream(frames []string) {
	if c.w.Header().Get("Content-Type") == "" {
		c.w.Header().Set("Content-Type", "text/event-stream")
	}
	c.w.WriteHeader(http.StatusOK)
	for i, frame := range frames {
		if i > 0 && !c.wait(c.reply.TokenDelay) {
			return
		}
		_, _ = c.w.Write([]byte(frame))
		c.flush()
	}
}

func (c *call) flush() {
	if err := http.NewResponseController(c.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		c.left = true
	}
}

// wait sleeps for d unless the caller goes away first.
func (c *call) wait(d time.Duration) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.r.Context().Done():
		}
	}
	if c.r.Context().Err() != nil {
		c.left = true
	}
	return !c.left
}

// errorWords are the type and code that the service gives with a status.
func errorWords(status int) (kind, code string) {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error", ""
	case http.StatusNotFound:
		return "invalid_request_error", "model_not_found"
	case http.StatusTooManyRequests:
		return "rate_limit_error", "rate_limit_exceeded"
	case http.StatusServiceUnavailable:
		return "service_unavailable_error", ""
	}
	if status >= 500 {
		return "server_error", ""
	}
	return "invalid_request_error", ""
}
