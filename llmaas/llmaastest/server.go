package llmaastest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// Server is a [Backend] that listens on a loopback port.
// It is safe for concurrent use.
type Server struct {
	*Backend

	// URL is the base URL to give to a client, "http://127.0.0.1:PORT/v1".
	URL string

	http   *http.Server
	client *http.Client
	done   chan error
}

// NewServer starts a server of a zero [Backend] that closes when the test ends.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	return Serve(tb, &Backend{})
}

// Serve starts a server of b that closes when the test ends. The test fails
// then when a reply given to [Backend.Script] was never used.
func Serve(tb testing.TB, b *Backend) *Server {
	tb.Helper()
	srv, err := b.Start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := srv.Close(); err != nil {
			tb.Error(err)
		}
		if n := b.unused(); n > 0 && !tb.Failed() {
			tb.Errorf("llmaastest: %d scripted replies were never used", n)
		}
	})
	return srv
}

// Start listens on a free loopback port and serves b on it, for programs that
// are no tests. The caller closes the server.
func (b *Backend) Start() (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("llmaastest: listen: %w", err)
	}
	srv := &Server{
		Backend: b,
		URL:     "http://" + ln.Addr().String() + "/v1",
		http:    &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second},
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		done:    make(chan error, 1),
	}
	go func() {
		defer close(srv.done)
		srv.done <- srv.http.Serve(ln)
	}()
	return srv, nil
}

// Client returns an HTTP client whose connections close with the server.
func (s *Server) Client() *http.Client { return s.client }

// Close stops the server and cuts the connections that are still open. Further
// calls do nothing.
func (s *Server) Close() error {
	s.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if s.http.Shutdown(ctx) == nil {
		return s.served()
	}
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("llmaastest: close: %w", err)
	}
	return s.served()
}

// served waits for the serving goroutine, once.
func (s *Server) served() error {
	err, ok := <-s.done
	if !ok || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
