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
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway"
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

// TestNamesStayInTheirPlace puts into the name of a model what would end a
// header, a line, a label or a path elsewhere.
func TestNamesStayInTheirPlace(t *testing.T) {
	h := newHouse(t, nil)
	for _, model := range []string{
		"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\x00b", "../../admin", "\"} 1\nevil 1", "\u2028evil", "%0d%0aX-Evil:1", strings.Repeat("a", 257), "", " ",
	} {
		got := h.send(t, h.key, "POST", "/v1/chat/completions", strings.ReplaceAll(chat("MODEL", "Hello", ""), `"MODEL"`, quoted(model)))
		require.Contains(t, []int{400, 404}, got.status, "%q: %s", model, got.body)
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
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(6*len(row.body)+4<<20))
		})
	}
	require.Empty(t, h.upstream())
	// What is just small enough is read.
	got := h.send(t, h.key, "POST", "/v1/chat/completions", head+`],"x":[`+strings.Repeat(`"a",`, 200_000)+`1]}`)
	require.Equal(t, 200, got.status, got.body)
	// And a file of many small requests is kept from being run, not read to its end.
	file := h.upload(t, h.key, strings.Repeat(line("a", `{"model":"llama3.3:70b","messages":[]}`), 50_001))
	require.Contains(t, h.send(t, h.key, "POST", "/v1/batches", order(file)).body, "want fewer requests")
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

// TestIdleConnections holds ten thousand connections that say nothing; a caller
// beside them is answered.
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
	t.Logf("%d MB", c.self(t).RSS>>20)
}
