package balance

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A request stays below the root of its machine, and keeps what is escaped.
func TestAddress(t *testing.T) {
	for _, row := range []struct{ root, path, want string }{
		{"http://a/v1", "http://gateway/v1/models?x=%2F", "http://a/v1/models?x=%2F"},
		{"http://a", "http://gateway/v1/models", "http://a/models"},
		{"http://a/api/v1/", "http://gateway/v1/models", "http://a/api/v1/models"},
		{"http://a/v1", "http://gateway/v1", "http://a/v1"},
		{"http://a/v1", "http://gateway/", "http://a/v1"},
		{"http://a/v1", "http://gateway/v10/models", "http://a/v1/v10/models"},
		{"http://a/v1", "http://gateway/v1/../../admin", "http://a/v1/admin"},
		{"http://a/v1", "http://gateway/v1/%2e%2e/%2e%2e/admin", "http://a/v1/admin"},
		{"http://a/v1", "http://gateway/v1/files/a%2Fb", "http://a/v1/files/a%2Fb"},
		{"http://a/v1", "http://gateway/v1/files/..%2F..%2Fadmin", "http://a/v1/admin"},
		{"http://a/v%201", "http://gateway/v1/files/a%2Fb", "http://a/v%201/files/a%2Fb"},
		{"http://a/v1", "http://gateway/v1//x//y", "http://a/v1/x/y"},
	} {
		root, err := url.Parse(row.root)
		require.NoError(t, err)
		u, err := url.Parse(row.path)
		require.NoError(t, err)
		require.Equal(t, row.want, (&machine{root: root}).address(u).String(), row.path)
	}
}

// closed is a body that tells whether it was closed.
type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error { c.closed = true; return nil }

// What no machine gets is an error, and its body is closed all the same.
func TestRequestsThatGoNowhere(t *testing.T) {
	b := newBalancer(t, &fleet{}, nil, "a")
	require.NoError(t, b.Drain("a", true))
	for _, u := range []*url.URL{nil, {Path: "/v1/models"}} {
		body := &closed{Reader: strings.NewReader("body")}
		_, err := b.RoundTrip(&http.Request{Method: "POST", URL: u, Body: body})
		require.Error(t, err)
		require.True(t, body.closed)
	}
}

// A request without headers gets those of the machine.
func TestRequestWithoutHeaders(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": func(r *http.Request) (*http.Response, error) {
		return says(200, r.Header.Get("Authorization"))(r)
	}}}
	b := newBalancer(t, f, func(o *Options) { o.Backends[0].Header = http.Header{"authorization": {"Bearer inner"}} }, "a")
	resp, err := b.RoundTrip(&http.Request{Method: "GET", URL: &url.URL{Path: "/v1/models"}})
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	require.Equal(t, "Bearer inner", string(text))
}

// However an exchange ends, the machine gets its place back.
func TestPlaceComesBack(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){}}
	b := newBalancer(t, f, nil, "a")
	get := func() (*http.Response, error) {
		return b.RoundTrip(&http.Request{Method: "GET", URL: &url.URL{Path: "/v1/models"}})
	}
	for name, end := range map[string]func(t *testing.T, resp *http.Response){
		"not read":     func(*testing.T, *http.Response) {},
		"read":         func(t *testing.T, resp *http.Response) { _, _ = io.ReadAll(resp.Body) },
		"read halfway": func(t *testing.T, resp *http.Response) { _, _ = resp.Body.Read(make([]byte, 1)) },
		"closed twice": func(t *testing.T, resp *http.Response) { _ = resp.Body.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := get()
			require.NoError(t, err)
			end(t, resp)
			require.NoError(t, resp.Body.Close())
			idle(t, b, f)
		})
	}
	f.answer["a"] = func(*http.Request) (*http.Response, error) { panic("a transport of the host") }
	require.Panics(t, func() { _, _ = get() })
	idle(t, b, f)
	require.False(t, b.Status()[0].Out)
}

// A body that cannot be sent again is not.
func TestBodyThatCannotBeSentAgain(t *testing.T) {
	f := &fleet{answer: map[string]func(*http.Request) (*http.Response, error){"a": dead, "b": dead}}
	b := newBalancer(t, f, nil, "a", "b")
	req := httptest.NewRequest("POST", "http://gateway/v1/files", struct{ io.Reader }{strings.NewReader("body")})
	_, err := b.RoundTrip(req)
	require.ErrorIs(t, err, errDead)
	require.Len(t, f.asked, 1)
}

// Connections are used again, and not one a request.
func TestConnectionsAreReused(t *testing.T) {
	var made atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	b, err := New(Options{Backends: []Backend{{Name: "a", URL: srv.URL}}})
	require.NoError(t, err)
	for range 50 {
		status, text, err := send(b, &Hint{})
		require.NoError(t, err)
		require.Equal(t, 200, status)
		require.Equal(t, "body", text)
	}
	require.EqualValues(t, 1, made.Load())
}
