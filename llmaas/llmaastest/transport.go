package llmaastest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Transport calls b without a network, as fits a testing/synctest bubble: every
// goroutine of a call is the bubble's own.
func (b *Backend) Transport() http.RoundTripper { return roundTripper{b} }

type roundTripper struct{ b *Backend }

// RoundTrip returns as soon as the fake has written its header; the body
// follows through a pipe, as it would from a network.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.WithContext(r.Context()) // a copy: the caller's own is not to change
		r.Body = http.NoBody
	}
	pr, pw := io.Pipe()
	w := &pipeWriter{
		pipe:   pw,
		out:    bufio.NewWriter(pw),
		header: http.Header{},
		ready:  make(chan struct{}),
		resp:   &http.Response{Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Body: pr},
	}
	go func() {
		defer func() {
			// http.ErrAbortHandler is how a handler breaks off its reply.
			if v := recover(); v != nil {
				w.WriteHeader(http.StatusOK)
				_ = w.out.Flush()
				_ = pw.CloseWithError(io.ErrUnexpectedEOF)
			}
			_ = r.Body.Close()
		}()
		t.b.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		_ = w.out.Flush()
		_ = pw.Close()
	}()
	stop := make(chan struct{})
	go func() {
		select {
		case <-r.Context().Done():
			_ = pr.CloseWithError(r.Context().Err())
		case <-stop:
		}
	}()
	w.resp.Body = &pipeBody{PipeReader: pr, stop: sync.OnceFunc(func() { close(stop) })}
	select {
	case <-w.ready:
		return w.resp, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// pipeBody ends the watch over the context when it is closed.
type pipeBody struct {
	*io.PipeReader
	stop func()
}

func (b *pipeBody) Close() error {
	b.stop()
	return b.PipeReader.Close()
}

func (b *pipeBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if err != nil {
		b.stop()
	}
	return n, err
}

// pipeWriter is the ResponseWriter of a call without a network.
type pipeWriter struct {
	pipe   *io.PipeWriter
	out    *bufio.Writer
	header http.Header
	once   sync.Once
	ready  chan struct{}
	resp   *http.Response
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.resp.StatusCode = status
		w.resp.Status = fmt.Sprintf("%d %s", status, http.StatusText(status))
		w.resp.Header = w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.out.Write(p)
}

// FlushError hands what was written to the reader.
func (w *pipeWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	if err := w.out.Flush(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}
