package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway/console"
)

const secret = "Bearer the-admin-key"

// stage is a console whose key can be revoked and whose usage can change.
type stage struct {
	*httptest.Server
	revoked atomic.Bool
	usage   atomic.Int64
	asked   atomic.Pointer[console.Query]
}

func newStage(t *testing.T, change func(*console.Options)) *stage {
	t.Helper()
	s := &stage{}
	o := console.Options{
		Allow:   func(r *http.Request) bool { return r.Header.Get("Authorization") == secret && !s.revoked.Load() },
		Usage:   func() any { return []map[string]any{{"model": "line\nbreak </script>", "requests": s.usage.Load()}} },
		Alerts:  func() any { return func() {} }, // does not marshal
		History: func(q console.Query) any { s.asked.Store(&q); return []string{"found"} },
		Every:   time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	page, err := console.New(o)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/console/", http.StripPrefix("/console", page))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *stage) get(t *testing.T, method, path, authorization string) (*http.Response, *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, nil)
	require.NoError(t, err)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp, bufio.NewReader(resp.Body)
}

func TestConsole(t *testing.T) {
	for _, row := range []struct {
		method, path, key string
		status            int
		kind, holds       string
	}{
		{"GET", "/console/", "", 200, "text/html", `<script src="app.js" defer></script>`},
		{"GET", "/console", "", 200, "text/html", "<main"}, // by a redirect
		{"GET", "/console/app.js", "", 200, "text/javascript", "'use strict'"},
		{"GET", "/console/app.css", "", 200, "text/css", "prefers-color-scheme: dark"},
		{"GET", "/console/history", "", 401, "text/plain", "admin key"},
		{"GET", "/console/events", "", 401, "text/plain", "admin key"},
		{"GET", "/console/history", "Bearer wrong", 401, "text/plain", "admin key"},
		{"GET", "/console/history?key=the-admin-key&authorization=" + "Bearer+the-admin-key", "", 401, "text/plain", "admin key"},
		{"GET", "/console/history", secret, 200, "application/json", `["found"]`},
		{"GET", "/console/history?status=x", secret, 400, "text/plain", "status: want"},
		{"GET", "/console/history?status=99999999999999999999", secret, 400, "text/plain", "status: want"},
		{"POST", "/console/history", secret, 405, "text/plain", "Method"},
		{"GET", "/console/index.html/..%2f..%2fconsole.go", secret, 404, "text/plain", "not found"},
		{"GET", "/console/page/app.js", secret, 404, "text/plain", "not found"},
	} {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			resp, body := newStage(t, nil).get(t, row.method, row.path, row.key)
			require.Equal(t, row.status, resp.StatusCode)
			require.True(t, strings.HasPrefix(resp.Header.Get("Content-Type"), row.kind), resp.Header.Get("Content-Type"))
			text := new(strings.Builder)
			_, err := body.WriteTo(text)
			require.NoError(t, err)
			require.Contains(t, text.String(), row.holds)
			require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'")
			require.NotContains(t, resp.Header.Get("Content-Security-Policy"), "unsafe")
			require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
		})
	}
}

// The page has no script, style or handler of its own: the policy would stop them.
func TestPageNeedsNoException(t *testing.T) {
	_, body := newStage(t, nil).get(t, "GET", "/console/", "")
	page := new(strings.Builder)
	_, err := body.WriteTo(page)
	require.NoError(t, err)
	for _, never := range []string{"<style", " style=", " onclick", " onload", "javascript:", "http://", "https://", "<script>"} {
		require.NotContains(t, page.String(), never)
	}
}

func TestHistoryIsSearched(t *testing.T) {
	s := newStage(t, nil)
	resp, _ := s.get(t, "GET", "/console/history?tenant=a%26b&model=gpt-oss:120b&status=429", secret)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, console.Query{Tenant: "a&b", Model: "gpt-oss:120b", Status: 429}, *s.asked.Load())
}

// line reads the next line that begins with prefix.
func line(t *testing.T, r *bufio.Reader, prefix string) string {
	t.Helper()
	for {
		text, err := r.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(text, prefix) {
			return text
		}
	}
}

func TestEventsTellWhatChanged(t *testing.T) {
	s := newStage(t, nil)
	resp, r := s.get(t, "GET", "/console/events", secret)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	require.Equal(t, "event: usage\n", line(t, r, "event"))
	require.Equal(t, `data: [{"model":"line\nbreak \u003c/script\u003e","requests":0}]`+"\n", line(t, r, "data"))
	line(t, r, ": 1\n") // a comment: something comes every millisecond
	line(t, r, ": 1\n")
	s.usage.Store(7)
	require.Contains(t, line(t, r, "data"), `"requests":7`)
	s.revoked.Store(true)
	_, err := r.WriteTo(new(strings.Builder))
	require.NoError(t, err, "a revoked key ends the stream")
}

func TestStreamsAreBoundedAndEnd(t *testing.T) {
	done := make(chan struct{})
	s := newStage(t, func(o *console.Options) { o.MaxStreams, o.Done = 1, done })
	_, first := s.get(t, "GET", "/console/events", secret)
	line(t, first, "data")
	resp, _ := s.get(t, "GET", "/console/events", secret)
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "10", resp.Header.Get("Retry-After"))
	close(done)
	_, err := first.WriteTo(new(strings.Builder))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		resp, _ := s.get(t, "GET", "/console/events", secret)
		return resp.StatusCode == 200
	}, 5*time.Second, time.Millisecond, "the place is free again")
}

func TestNewRefuses(t *testing.T) {
	_, err := console.New(console.Options{})
	require.ErrorContains(t, err, "Options.Allow")
	_, err = console.New(console.Options{Allow: func(*http.Request) bool { return true }, Every: -1})
	require.ErrorContains(t, err, "Every")
}

// A source that is missing leaves its part empty.
func TestZeroSources(t *testing.T) {
	page, err := console.New(console.Options{Allow: func(*http.Request) bool { return true }})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest("GET", "/history", nil))
	require.Equal(t, "[]", w.Body.String())
}
