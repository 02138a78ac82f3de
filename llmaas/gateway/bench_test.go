package gateway_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway"
)

// fastMachine answers at once, with as little work as can be: what is measured
// is what stands in front of it. Streams have 64 chunks of a token.
func fastMachine(pace time.Duration) http.HandlerFunc {
	whole := []byte(`{"id":"c","object":"chat.completion","created":1,"model":"llama3.3:70b","choices":[{"index":0,"message":{"role":"assistant","content":"The harbor was quiet that morning, and the boats lay still."},"finish_reason":"stop"}],"usage":{"prompt_tokens":70,"completion_tokens":14,"total_tokens":84}}`)
	chunk := []byte(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"llama3.3:70b","choices":[{"index":0,"delta":{"content":" harbor"},"finish_reason":null}]}` + "\n\n")
	end := []byte(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"llama3.3:70b","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"llama3.3:70b","choices":[],"usage":{"prompt_tokens":70,"completion_tokens":64,"total_tokens":134}}` + "\n\ndata: [DONE]\n\n")
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if !bytes.Contains(body, []byte(`"stream":true`)) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(whole)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		flusher := w.(http.Flusher)
		for range 64 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			flusher.Flush()
			time.Sleep(pace)
		}
		_, _ = w.Write(end)
	}
}

// prompt is of the length of an ordinary question, 360 bytes.
const prompt = "The harbor was quiet that morning. Could you summarize the three reports that the port office sent last week, and list for each ship " +
	"when it arrived, what it carried, and how long it stayed? Please keep it short, write it as a table, and tell me at the end which " +
	"of the ships will be back before the end of the month, as far as the reports say so."

// call is a request as it goes over the wire.
func call(key, more string) []byte {
	body := chat("llama3.3:70b", prompt, more)
	return fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body)
}

// wire is a connection that sends one call again and again: much cheaper than
// net/http's client, so that the machine's two halves are left to the others.
type wire struct {
	conn net.Conn
	r    *bufio.Reader
	buf  []byte
}

func dial(addr string) (*wire, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReaderSize(conn, 32<<10), make([]byte, 0, 64<<10)}, nil
}

// do sends a call, and reports whether its answer was whole.
func (w *wire) do(call []byte) (bool, error) {
	if _, err := w.conn.Write(call); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return false, err
	}
	b := bytes.NewBuffer(w.buf[:0])
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return false, err
	}
	return resp.StatusCode == 200 && (bytes.Contains(b.Bytes(), []byte(`"usage"`)) || bytes.HasSuffix(b.Bytes(), []byte("data: [DONE]\n\n"))), nil
}

// load sends n calls over so many connections, and returns how long it took,
// the median of their times, and how many answers were not whole.
func load(b testing.TB, addr string, connections, n int, call []byte) (took, median time.Duration, cut int64) {
	b.Helper()
	times := make([]time.Duration, n)
	var next, bad atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range connections {
		w, err := dial(addr)
		require.NoError(b, err)
		all.Go(func() {
			defer func() { _ = w.conn.Close() }()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				sent := time.Now()
				whole, err := w.do(call)
				times[i] = time.Since(sent)
				if err != nil || !whole {
					bad.Add(1)
				}
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	took = time.Since(begun)
	slices.Sort(times)
	return took, times[n/2], bad.Load()
}

// BenchmarkOverhead compares a gateway with everything on with a bare reverse
// proxy over the same machine, each in a process of its own, in turns:
//
//	go test -run '^$' -bench Overhead -benchtime 10x ./llmaas/gateway
//
// Ratios are medians of the rounds; rps and streams are better above, cpu and
// p50 better below 1. CPU is of a call, of a process; cut are the answers that
// were not whole.
func BenchmarkOverhead(b *testing.B) {
	for _, row := range []struct {
		name               string
		connections, calls int
		more               string
		pace               time.Duration
		flush              bool
	}{
		{"requests-64", 64, 4000, "", 0, false},
		{"requests-1", 1, 1000, "", 0, false},
		{"requests-64-flushing", 64, 4000, "", 0, true},
		{"requests-1-flushing", 1, 1000, "", 0, true},
		{"streams-64", 64, 500, `,"stream":true`, 0, false},
		{"streams-paced-64", 64, 500, `,"stream":true`, 10 * time.Millisecond, false},
	} {
		b.Run(row.name, func(b *testing.B) {
			machine := httptest.NewServer(fastMachine(row.pace))
			defer machine.Close()
			bare := start(b, job{Bare: true, Flush: row.flush, Upstream: machine.URL + "/v1"})
			full := start(b, job{Upstream: machine.URL + "/v1", Dir: b.TempDir(), Sync: time.Second})
			defer bare.stop()
			defer full.stop()
			request := call(full.key, row.more)
			var rate, cpu, median, bareUsed, used []float64
			var cut, bareCut int64
			round := func(c *child) (took, mid, used time.Duration) {
				before := c.self(b).CPU
				took, mid, bad := load(b, c.addr, row.connections, row.calls, request)
				if c == full {
					cut += bad
				} else {
					bareCut += bad
				}
				return took, mid, c.self(b).CPU - before
			}
			round(bare) // both warm up
			round(full)
			b.ResetTimer()
			for range b.N {
				took0, mid0, cpu0 := round(bare)
				took1, mid1, cpu1 := round(full)
				rate = append(rate, took0.Seconds()/took1.Seconds())
				cpu = append(cpu, float64(cpu1)/float64(cpu0))
				bareUsed = append(bareUsed, float64(cpu0.Microseconds())/float64(row.calls))
				used = append(used, float64(cpu1.Microseconds())/float64(row.calls))
				median = append(median, float64(mid1)/float64(mid0))
			}
			for _, m := range []struct {
				name string
				all  []float64
			}{{"x-rate", rate}, {"x-cpu", cpu}, {"x-p50", median}, {"bare-cpu-µs", bareUsed}, {"cpu-µs", used}} {
				slices.Sort(m.all)
				b.ReportMetric(m.all[len(m.all)/2], m.name)
			}
			b.ReportMetric(float64(cut), "cut")
			b.ReportMetric(float64(bareCut), "bare-cut")
			b.ReportMetric(float64(full.self(b).RSS)/(1<<20), "MB")
		})
	}
}

// canned answers without a machine.
type canned struct{ body []byte }

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(c.body)), Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}

// BenchmarkServe is the gateway's own work on a request, without any network.
func BenchmarkServe(b *testing.B) {
	w := httptest.NewRecorder()
	fastMachine(0)(w, httptest.NewRequest("POST", "/", nil))
	handler, mint, log, err := job{Upstream: "http://127.0.0.1:1/v1", Dir: b.TempDir(), Sync: time.Second}.everything()
	require.NoError(b, err)
	defer func() { _ = log.Close() }()
	key, err := mint()
	require.NoError(b, err)
	handler.(*gateway.Gateway).Backends = canned{w.Body.Bytes()}
	body := chat("llama3.3:70b", prompt, "")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/v1/chat/completions", bytes.NewReader([]byte(body)))
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
