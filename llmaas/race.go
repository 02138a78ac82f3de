package llmaas

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// leg is one request of a race, and how it ended.
type leg struct {
	cancel context.CancelFunc
	resp   *http.Response
	err    error
	failed bool // another leg may do better
}

// race sends req, and again when it has not begun to answer after a while, if
// that may be. The first answer wins; one that failed does not as long as the
// other may still answer.
func (h *hedger) race(req *http.Request, known *facts, after time.Duration, ready bool) (*http.Response, error) {
	answers, done := make(chan *leg), make(chan struct{})
	defer close(done)
	var late <-chan time.Time
	if ready {
		timer := time.NewTimer(after)
		defer timer.Stop()
		late = timer.C
	}
	legs := []*leg{h.start(req, answers, done)}
	for running := 1; ; {
		select {
		case <-late:
			second := h.second(req)
			if second == nil {
				continue
			}
			known.hedge(after)
			legs = append(legs, h.start(second, answers, done))
			running++
		case l := <-answers:
			if running--; running > 0 && l.failed {
				l.drop()
				continue
			}
			for _, other := range legs {
				if other != l {
					other.cancel()
				}
			}
			return l.take()
		}
	}
}

// second is req with a body of its own; nil when it must not be sent.
func (h *hedger) second(req *http.Request) *http.Request {
	body, err := req.GetBody()
	if err != nil || req.Context().Err() != nil || !h.take() {
		return nil
	}
	second := req.WithContext(req.Context()) // a shallow copy
	second.Body = body
	return second
}

// start sends req. The leg goes to answers, or is dropped when the race is done.
func (h *hedger) start(req *http.Request, answers chan<- *leg, done <-chan struct{}) *leg {
	ctx, cancel := context.WithCancel(req.Context())
	l := &leg{cancel: cancel}
	go func() {
		l.resp, l.err = h.base.RoundTrip(req.Clone(ctx))
		l.begin()
		select {
		case answers <- l:
		case <-done:
			l.drop()
		}
	}()
	return l
}

// begin waits for the first byte of the body: of a stream, servers send the
// header long before the model has begun.
func (l *leg) begin() {
	if l.err != nil {
		l.failed = true
		return
	}
	// 16 bytes are the smallest buffer that bufio has. The error that ends a body
	// stays, so the reader sees it too.
	r := bufio.NewReaderSize(l.resp.Body, 16)
	if l.failed = retryable(l.resp); !l.failed {
		_, err := r.Peek(1)
		l.failed = err != nil && !errors.Is(err, io.EOF)
	}
	l.resp.Body = &legBody{Reader: r, body: l.resp.Body, cancel: l.cancel}
}

// take is what the leg ended in. Its context lives as long as the body.
func (l *leg) take() (*http.Response, error) {
	if l.err != nil {
		l.cancel()
		return nil, l.err
	}
	return l.resp, nil
}

// drop ends a leg that lost.
func (l *leg) drop() {
	l.cancel()
	if l.err == nil {
		_ = l.resp.Body.Close()
	}
}

// legBody is the body of an answer. Closing it ends the context of its leg.
type legBody struct {
	io.Reader
	body   io.Closer
	cancel context.CancelFunc
}

// Close closes the body.
func (b *legBody) Close() error {
	defer b.cancel()
	return b.body.Close()
}
