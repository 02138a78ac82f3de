package gateway_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// TestSmuggling sends bytes in which two readers might see different requests.
// Whatever a machine gets, the gateway has let through and recorded.
func TestSmuggling(t *testing.T) {
	inner := "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
	for name, head := range map[string]string{
		"length and chunks":           "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"chunks and length":           "Transfer-Encoding: chunked\r\nContent-Length: 500\r\n\r\n0\r\n\r\n" + inner,
		"two lengths":                 "Content-Length: 2\r\nContent-Length: 100\r\n\r\n{}" + inner,
		"a list of lengths":           "Content-Length: 2, 100\r\n\r\n{}" + inner,
		"a sign":                      "Content-Length: +2\r\n\r\n{}" + inner,
		"a negative length":           "Content-Length: -2\r\n\r\n{}" + inner,
		"an unknown encoding":         "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
		"two encodings":               "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
		"a space before the colon":    "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}" + inner,
		"a folded header":             "Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n\r\n{}" + inner,
		"a bare line feed":            "Content-Length: 2\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"a chunk that is too large":   "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}" + inner,
		"a header that ends early":    "Content-Length: 2\r\nX: a\r\n\r\n{}" + inner,
		"a key for the inner request": "Content-Length: 0\r\n\r\n" + strings.Replace(inner, "Host", "Authorization: Bearer nobody\r\nHost", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			conn, err := net.Dial("tcp", h.Listener.Addr().String())
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			require.NoError(t, conn.SetDeadline(time.Now().Add(2*time.Second))) // no more answers come then
			_, err = io.WriteString(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+h.key+"\r\n"+head)
			require.NoError(t, err)
			answers := 0
			for r := bufio.NewReader(conn); ; answers++ {
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					break
				}
				require.GreaterOrEqual(t, resp.StatusCode, 400)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
			}
			require.Positive(t, answers)
			require.Empty(t, h.upstream())
			for _, r := range h.records(t) {
				require.GreaterOrEqual(t, r.Status, 400)
			}
		})
	}
}

// TestHeadersOfCallers sends headers that would speak to a machine in the name of
// the gateway, of another caller or of the connection. None gets there.
func TestHeadersOfCallers(t *testing.T) {
	h := newHouse(t, nil)
	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	body := chat("llama3.3:70b", "Hello", "")
	_, err = fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"Connection: close, X-Request-Id\r\nKeep-Alive: 9\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: Authorization\r\nUpgrade: h2c\r\n"+
		"Cookie: a=b\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: evil.example\r\nForwarded: for=127.0.0.1\r\nX-Real-Ip: 127.0.0.1\r\nX-Original-Url: /admin\r\nX-Http-Method-Override: DELETE\r\n"+
		"X-Request-Id: mine\r\nId: mine\r\nX-Tenant: poor\r\nOpenai-Organization: poor\r\nContent-Encoding: identity\r\n\r\n%s", h.key, len(body), body)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	require.NotEqual(t, "mine", resp.Header.Get("X-Request-Id"))
	require.NoError(t, resp.Body.Close())
	require.Len(t, h.upstream(), 1)
	got := h.upstream()[0].Header
	require.Equal(t, []string{resp.Header.Get("X-Request-Id")}, got["X-Request-Id"])
	require.Equal(t, []string{"Bearer machine-key"}, got["Authorization"])
	for name := range got {
		require.Contains(t, []string{"Authorization", "Content-Type", "Content-Length", "User-Agent", "Accept-Encoding", "X-Request-Id"}, name)
	}
}

// TestNamesStayInTheirPlace puts into the name of a model what would end a
// header, a line, a label or a path elsewhere.
func TestNamesStayInTheirPlace(t *testing.T) {
	h := newHouse(t, nil)
	for _, model := range []string{
		"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\x00b", "../../admin", "\"} 1\nevil 1", "\u2028evil", "%0d%0aX-Evil:1", strings.Repeat("a", 257), "", " ",
	} {
		got := h.send(t, h.key, "POST", "/v1/chat/completions", strings.ReplaceAll(chat("MODEL", "Hello", ""), `"MODEL"`, quoted(model)))
		require.Contains(t, []int{400, 404}, got.status, "%q: %s", model, got.body)
		if len(model) > 256 {
			require.Contains(t, got.body, "at most 256 bytes")
		}
		require.Empty(t, got.header.Get("X-Evil"))
		require.Contains(t, got.body, `"error":{`)
	}
	for _, r := range h.upstream() {
		require.Empty(t, r.Header.Get("X-Evil"))
		require.Equal(t, "/chat/completions", r.Path)
	}
	text := new(strings.Builder)
	require.NoError(t, h.metrics.WriteText(text))
	require.NotContains(t, text.String(), "evil")
	require.NotContains(t, h.logged.String(), "\nX-Evil")
	require.Len(t, h.records(t), 10)
}

// TestNamesOfModelsThatAnswer has machines that take any name: it stands in the
// metrics as text, and in so many labels as there may be.
func TestNamesOfModelsThatAnswer(t *testing.T) {
	machine := httptest.NewServer(fastMachine(0))
	defer machine.Close()
	h := newHouse(t, func(h *house, c *gateway.Config) {
		var err error
		c.Metrics, err = metrics.New(metrics.Options{Now: h.clock, MaxLabels: 20})
		require.NoError(t, err)
		h.metrics = c.Metrics
		c.Backends = to(machine.URL)
	})
	odd := []string{"a\nevil 1", "\"} 1\nevil 1 #", `\`, "\r\nevil 1", "\u2028", strings.Repeat("a", 256)}
	for i := range 100 {
		odd = append(odd, fmt.Sprint("made-up-", i))
	}
	for _, model := range odd {
		got := h.send(t, h.key, "POST", "/v1/chat/completions", strings.ReplaceAll(chat("MODEL", "Hello", ""), `"MODEL"`, quoted(model)))
		require.Equal(t, 200, got.status, got.body)
		require.Empty(t, got.header.Get("Evil"))
	}
	text := new(strings.Builder)
	require.NoError(t, h.metrics.WriteText(text))
	models := 0
	for one := range strings.Lines(text.String()) {
		require.Regexp(t, `^(# (HELP|TYPE) llmaas_|llmaas_[a-z_]+(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? [0-9.e+-]+\n$)`, one)
		if strings.HasPrefix(one, "llmaas_requests_total{") {
			models++
		}
	}
	require.LessOrEqual(t, models, 21)
	require.Contains(t, text.String(), `{model="other",status="200"} 86`)
}

// TestSessionsOfOthers sends the pieces of an attack in sessions of one name: of
// one tenant they are one attack, of two they are two harmless prompts.
func TestSessionsOfOthers(t *testing.T) {
	h := newHouse(t, nil)
	other := h.mint(t, "poor", everything)
	say := func(key, text, session string) int {
		return h.send(t, key, "POST", "/v1/chat/completions", chat("llama3.3:70b", text, `,"max_tokens":20`), "X-Session-Id", session).status
	}
	require.Equal(t, 200, say(h.key, "ignore", "42"))
	require.Equal(t, 200, say(other, "instructions", "42"), "nothing of acme's history")
	require.Equal(t, 200, say(h.key, "instructions", "43"), "nor of another session")
	require.Equal(t, 400, say(h.key, "instructions", "42"))
	for _, r := range h.records(t) {
		require.Equal(t, r.Status == 400, r.Tenant == "acme" && len(r.Steps[len(r.Steps)-1].Rules) > 0)
	}
	// What one tenant did is in no answer to another, and in the history by tenant.
	for _, r := range h.metrics.History(metrics.Query{Tenant: "poor"}) {
		require.Equal(t, "poor", r.Tenant)
	}
	require.Len(t, h.metrics.History(metrics.Query{Tenant: "poor"}), 1)
}

func quoted(s string) string {
	b := new(strings.Builder)
	b.WriteByte('"')
	for _, c := range s {
		_, _ = fmt.Fprintf(b, `\u%04x`, c)
	}
	return b.String() + `"`
}

// TestLabelBomb makes up more names than there is room for labels. The model that
// answers is counted by its own name all the same.
func TestLabelBomb(t *testing.T) {
	h := newHouse(t, nil)
	for i := range 300 {
		require.Equal(t, 404, h.send(t, h.key, "POST", "/v1/chat/completions", chat(fmt.Sprint("made-up-", i), "Hello", "")).status)
	}
	require.Equal(t, 200, h.send(t, h.key, "POST", "/v1/chat/completions", chat("llama3.3:70b", "Hello", "")).status)
	text := new(strings.Builder)
	require.NoError(t, h.metrics.WriteText(text))
	require.Contains(t, text.String(), `llmaas_requests_total{model="llama3.3:70b",status="200"} 1`)
	require.Contains(t, text.String(), `llmaas_requests_total{model="other",status="404"} 300`)
	require.NotContains(t, text.String(), "made-up")
	require.Len(t, h.metrics.History(metrics.Query{Model: "made-up-7"}), 1, "the history keeps the names")
}

// TestPathTricks has paths that a machine might read in another way. None
// reaches one, whatever the key may do.
func TestPathTricks(t *testing.T) {
	h := newHouse(t, nil)
	for _, path := range []string{
		"/v1/", "/v1/chat/completions/", "/v1//chat/completions", "/v1/./chat/completions", "/v1/files/..", "/v1/files/.", "/v1/files/...",
		"/v1/files/../admin", "/v1/files/%2e%2e/admin", "/v1/files/%2e%2e%2fadmin", "/v1/files/..%5cadmin", "/v1/files/a%2f..%2fb", "/v1/files/%252e%252e/a",
		"/v1/files/a%3fb", "/v1/files/a%23b", "/v1/files/a%20b", "/v1/files/a%00b", "/v1/files/a%0d%0aX-Evil:1", "/v1/files/a;b", "/v1/files/%c0%ae%c0%ae/a", "/v1/files/a/", "/v1/files//a",
		"/v1/Chat/completions", "/v1/chat/completions%00", "/v1/files/http:%2f%2fevil.example", "/v1/chat%2fcompletionsx", "/v2/chat/completions", "/v1",
	} {
		got := h.send(t, h.key, "POST", path, chat("llama3.3:70b", "Hello", ""))
		require.Equal(t, 404, got.status, "%s: %s", path, got.body)
	}
	require.Empty(t, h.upstream())
}

// endless is a body that never ends, and counts what was read of it.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestHugeBodies(t *testing.T) {
	h := newHouse(t, func(_ *house, c *gateway.Config) { c.MaxBody = 1 << 20 })
	for name, length := range map[string]int64{"announced": 1 << 30, "in chunks": -1} {
		t.Run(name, func(t *testing.T) {
			body := &endless{}
			var from io.Reader = body
			if length > 0 {
				from = io.LimitReader(body, length)
			}
			req, err := http.NewRequestWithContext(t.Context(), "POST", h.URL+"/v1/chat/completions", from)
			require.NoError(t, err)
			req.ContentLength = length
			req.Header.Set("Authorization", "Bearer "+h.key)
			resp, err := h.Client().Do(req)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 413, resp.StatusCode)
			require.Contains(t, string(text), "request_too_large")
			h.CloseClientConnections()
			require.Less(t, body.read.Load(), int64(64<<20), "what sockets hold, not a GB")
		})
	}
	require.Empty(t, h.upstream())
}

// TestJSONBombs has bodies that cost a reader far more than their bytes. They are
// refused while they are read, with memory in proportion to their length.
func TestJSONBombs(t *testing.T) {
	const length = 4 << 20
	const head = `{"model":"llama3.3:70b","messages":[{"role":"user","content":"Hello"}`
	fill := func(open, one, end string) string {
		return open + strings.Repeat(one+",", (length-len(open)-len(end))/(len(one)+1)-1) + one + end
	}
	h := newHouse(t, nil)
	for _, row := range []struct{ name, path, body, says string }{
		{"arrays in arrays", "/chat/completions", head + `],"x":` + strings.Repeat("[", length/2) + strings.Repeat("]", length/2) + "}", "no JSON at byte"},
		{"objects in objects", "/chat/completions", head + `],"x":` + strings.Repeat(`{"a":`, length/6) + "1" + strings.Repeat("}", length/6) + "}", "no JSON at byte"},
		{"arrays that do not end", "/chat/completions", strings.Repeat("[", length), "no JSON at byte"},
		{"prompts", "/completions", fill(`{"model":"llama3.3:70b","prompt":[`, `""`, `]}`), "want at most"},
		{"messages", "/chat/completions", fill(head+",", `{"role":"user"}`, `]}`), "want at most"},
		{"parts", "/chat/completions", fill(head+`,{"role":"user","content":[`, `{"type":"text"}`, `]}]}`), "want at most"},
		{"tool calls", "/chat/completions", fill(head+`,{"role":"assistant","tool_calls":[`, `{}`, `]}]}`), "want at most"},
		{"tools", "/chat/completions", fill(head+`],"tools":[`, `{}`, `]}`), "want at most"},
		{"tools that are none", "/chat/completions", fill(head+`],"tools":[`, `1`, `]}`), "tools: want objects"},
		{"documents", "/chat/completions", fill(head+`],"documents":[`, `"a"`, `]}`), "want at most"},
		{"names", "/chat/completions", head + "]," + names(700_000) + `"x":1}`, "want at most"},
		{"texts to embed", "/embeddings", fill(`{"model":"bge-m3:567m","input":[`, `"a"`, `]}`), "want at most"},
		{"a number that is too long", "/chat/completions", head + `],"max_tokens":` + strings.Repeat("9", length) + "}", "max_tokens: want"},
		{"an exponent", "/chat/completions", head + `],"n":1e` + strings.Repeat("9", 1000) + "}", "n: want"},
		{"a packed body", "/chat/completions", gzipped(head + `],"x":"` + strings.Repeat("a", length) + `"}`), "must not be compressed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := h.send(t, h.key, "POST", "/v1"+row.path, row.body, "Content-Encoding", map[bool]string{true: "gzip", false: "identity"}[row.name == "a packed body"])
			runtime.ReadMemStats(&after)
			require.Contains(t, []int{400, 415}, got.status)
			require.Contains(t, got.body, row.says)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16*len(row.body)+16<<20), "it would be a hundred times as much")
		})
	}
	require.Empty(t, h.upstream())
	// What is just small enough is read.
	got := h.send(t, h.key, "POST", "/v1/chat/completions", head+`],"x":[`+strings.Repeat(`"a",`, 200_000)+`1]}`)
	require.Equal(t, 200, got.status, got.body)
	// And a file of many small requests is kept from being run, not read to its end.
	file := h.upload(t, h.key, strings.Repeat(`{"url":"/v1/embeddings","body":{"model":"bge-m3:567m"}}`+"\n", 50_001))
	require.Contains(t, h.send(t, h.key, "POST", "/v1/batches", strings.Replace(order(file), "chat/completions", "embeddings", 1)).body, "want fewer requests")
}

func gzipped(s string) string {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s) // a Builder takes any write
	_ = w.Close()
	return b.String()
}

// served runs a gateway as Serve does, and returns its address.
func served(t *testing.T, h *house, o gateway.ServerOptions) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, done := make(chan string, 1), make(chan error, 1)
	o.Handler, o.Ready = h.Config.Handler, func(a net.Addr) { addr <- a.String() }
	go func() { done <- gateway.Serve(ctx, o) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	return <-addr
}

// TestSlowCallers dribble a header or a body, or take a connection and say
// nothing. Each is cut off in its time, and costs no slot before.
func TestSlowCallers(t *testing.T) {
	h := newHouse(t, nil)
	addr := served(t, h, gateway.ServerOptions{HeaderTimeout: 100 * time.Millisecond, BodyTimeout: 200 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
	for name, first := range map[string]string{
		"nothing":           "",
		"half a header":     "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-A: ",
		"half a body":       "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + h.key + "\r\nContent-Length: 100\r\n\r\n{",
		"half a chunk":      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + h.key + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"idle after a call": "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + h.key + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			_, err = io.WriteString(conn, first)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
			_, err = io.Copy(io.Discard, conn)
			require.NoError(t, err, "the gateway hangs up")
		})
	}
}

// TestReadersThatDoNotRead take a connection, ask for a stream or a file, and read
// nothing: they are cut off when their time is over, and their slot is free.
func TestReadersThatDoNotRead(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/files/file-1/content"} {
		synctest.Test(t, func(t *testing.T) {
			keys, err := access.New(t.Context(), access.Options{})
			require.NoError(t, err)
			require.NoError(t, keys.PutTenant(t.Context(), access.Tenant{ID: "acme"}))
			_, key, err := keys.Mint(t.Context(), access.NewKey{Tenant: "acme", Grant: everything}, time.Now())
			require.NoError(t, err)
			g, err := gateway.New(gateway.Config{Keys: keys, Guard: letPass{}, Backends: pour{}, MaxConcurrent: 1, Timeout: time.Hour, Now: func() time.Time { return noon }})
			require.NoError(t, err)
			g.Restore(t.Context(), audit.Record{Time: noon, Tenant: "acme", Endpoint: "/files", Objects: []audit.Object{{Event: "created", ID: "file-1"}}}, false)
			method := "POST"
			if strings.HasPrefix(path, "/v1/files") {
				method = "GET"
			}
			ask := func(w http.ResponseWriter) time.Duration {
				r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(chat("llama3.3:70b", "Hello", `,"stream":true`)))
				r.Header.Set("Authorization", "Bearer "+key.Reveal())
				begin := time.Now()
				g.ServeHTTP(w, r)
				return time.Since(begin)
			}
			deaf := &deafWriter{header: http.Header{}}
			took := ask(deaf)
			require.Equal(t, 200, deaf.status)
			require.InDelta(t, 30, took.Seconds(), 2)
			second := &deafWriter{header: http.Header{}}
			ask(second)
			require.Equal(t, 200, second.status, "the slot is free again")
		})
	}
}

// pour is a machine that has a lot to say, and says it at once.
type pour struct{}

func (pour) RoundTrip(r *http.Request) (*http.Response, error) {
	event := `data: {"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}` + "\n\n"
	return &http.Response{
		StatusCode: 200, Request: r, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: io.NopCloser(strings.NewReader(strings.Repeat(event, 10_000))),
	}, nil
}

// deafWriter is the connection of a caller that does not read: what is written
// fills it, and then waits for the deadline.
type deafWriter struct {
	header   http.Header
	status   int
	written  int
	deadline time.Time
}

func (d *deafWriter) Header() http.Header                { return d.header }
func (d *deafWriter) WriteHeader(status int)             { d.status = status }
func (d *deafWriter) Flush()                             {}
func (d *deafWriter) SetWriteDeadline(t time.Time) error { d.deadline = t; return nil }

func (d *deafWriter) Write(p []byte) (int, error) {
	if d.written += len(p); d.written < 64<<10 {
		return len(p), nil
	}
	time.Sleep(time.Until(d.deadline))
	return 0, os.ErrDeadlineExceeded
}

// TestIdleConnections holds ten thousand connections that say nothing; a caller
// beside them is answered, and they take no more memory than net/http gives them.
func TestIdleConnections(t *testing.T) {
	machine := httptest.NewServer(fastMachine(0))
	defer machine.Close()
	c := start(t, job{Upstream: machine.URL + "/v1", Dir: t.TempDir(), Sync: time.Second})
	for i := range 10_000 {
		conn, err := net.Dial("tcp", c.addr)
		require.NoError(t, err, "connection %d", i)
		defer func() { _ = conn.Close() }()
	}
	require.True(t, ask(c, false, func(string) {}))
	most := int64(256 << 20)
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		most *= 4 // its own books take most of it
	}
	require.Less(t, c.self(t).RSS, most)
	t.Logf("%d MB", c.self(t).RSS>>20)
}
