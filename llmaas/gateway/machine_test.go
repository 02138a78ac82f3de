package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// machine is all machines as one func.
type machine func(*http.Request) (*http.Response, error)

func (m machine) RoundTrip(r *http.Request) (*http.Response, error) { return m(r) }

// TestMachines has a row for each odd answer of a machine: what the caller gets of
// it, and what the audit has.
func TestMachines(t *testing.T) {
	const whole = `{"choices":[{"index":0,"message":{"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}`
	const stream = `data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}` + "\n\ndata: [DONE]\n\n"
	const shown = `data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	for _, row := range []struct {
		name     string
		status   int
		header   []string
		body     string
		cut      error // in place of the end
		more     string
		told     int
		holds    string // the whole body if it has no error
		tokens   int64  // billed; -1 means what is estimated
		recorded int    // 0 means told
	}{
		{name: "whole", status: 200, body: whole, told: 200, holds: whole, tokens: 9},
		{name: "a stream that was not asked for", status: 200, header: []string{"Content-Type", "Text/Event-Stream; charset=utf-8"}, body: stream, told: 200, holds: stream, tokens: 9},
		{name: "a stream", status: 200, header: []string{"Content-Type", "text/event-stream"}, body: stream, more: `,"stream":true`, told: 200, holds: shown, tokens: 9},
		{name: "no stream where one was asked for", status: 200, header: []string{"Content-Type", "application/json"}, body: whole, more: `,"stream":true`, told: 200, holds: whole, tokens: 9},
		{name: "an error in the shape of a stream", status: 500, header: []string{"Content-Type", "text/event-stream"}, body: "data: {}\n\n", told: 500, holds: `"upstream_error"`},
		{name: "an error in a stream", status: 200, header: []string{"Content-Type", "text/event-stream"}, body: `data: {"error":{"message":"CUDA"}}` + "\n\n", more: `,"stream":true`, told: 200, holds: `data: {"error":{"message":"CUDA"}}` + "\n\n", recorded: 502},
		{name: "no usage", status: 200, body: `{"choices":[{"message":{"tool_calls":[{"function":{"name":"mail","arguments":"{\"to\":\"the harbor\"}"}}]}}]}`, told: 200, holds: `{"choices":[{"message":{"tool_calls":[{"function":{"name":"mail","arguments":"{\"to\":\"the harbor\"}"}}]}}]}`, tokens: -1},
		{name: "compressed", status: 200, header: []string{"Content-Encoding", "gzip"}, body: "\x1f\x8b", told: 502, holds: `"upstream_encoding"`},
		{name: "identity", status: 200, header: []string{"Content-Encoding", "identity"}, body: whole, told: 200, holds: whole, tokens: 9},
		{name: "sent elsewhere", status: 302, header: []string{"Location", "http://evil.example/"}, told: 502, holds: `"upstream_error"`},
		{name: "an error of its own words", status: 400, body: `{"error":{"code":"context_length_exceeded"}}`, told: 400, holds: `{"error":{"code":"context_length_exceeded"}}`},
		{name: "an error in HTML", status: 500, header: []string{"Content-Type", "text/html", "Content-Disposition", "attachment"}, body: "<h1>Error in /srv/vllm</h1>", told: 500, holds: `"upstream_error"`},
		{name: "too many requests, in HTML", status: 429, header: []string{"Retry-After", "7"}, body: "<h1>slow down</h1>", told: 429, holds: `"upstream_error"`},
		{name: "nothing", status: 204, told: 204},
		{name: "cut", status: 200, body: whole[:40], cut: io.ErrUnexpectedEOF, told: 502, holds: `"upstream_broken_off"`},
		{name: "no JSON", status: 200, body: "Hello", told: 200, holds: "Hello"},
		{name: "headers of its own", status: 200, header: []string{"Set-Cookie", "a=b", "Connection", "X-Hop", "X-Hop", "1", "Server", "vllm", "Access-Control-Allow-Origin", "*", "Content-Length", "1"}, body: whole, told: 200, holds: whole, tokens: 9},
	} {
		t.Run(row.name, func(t *testing.T) {
			var sent *http.Request
			h := newHouse(t, func(_ *house, c *gateway.Config) {
				c.Backends = machine(func(r *http.Request) (*http.Response, error) {
					sent = r
					resp := &http.Response{StatusCode: row.status, Header: http.Header{}, ContentLength: -1}
					for i := 0; i < len(row.header); i += 2 {
						resp.Header.Add(row.header[i], row.header[i+1])
					}
					end := row.cut
					if end == nil {
						end = io.EOF
					}
					resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(row.body), broken{end}))
					return resp, nil
				})
			})
			got := h.send(t, h.key, "POST", "/v1/chat/completions?model=another", chat("llama3.3:70b", "Hello", row.more),
				"Cookie", "a=b", "X-Forwarded-For", "10.0.0.1", "Accept-Encoding", "gzip", "Connection", "X-Hop", "X-Hop", "1", "Idempotency-Key", "k")
			require.Equal(t, row.told, got.status, got.body)
			if strings.HasPrefix(row.holds, `"`) {
				require.Contains(t, got.body, row.holds)
			} else {
				require.Equal(t, row.holds, got.body)
			}
			for _, name := range []string{"Location", "Set-Cookie", "X-Hop", "Server", "Access-Control-Allow-Origin", "Content-Disposition"} {
				require.Empty(t, got.header.Get(name), name)
			}
			if row.status == 429 {
				require.Equal(t, "7", got.header.Get("Retry-After"))
			}
			for _, name := range []string{"Cookie", "Authorization", "X-Forwarded-For", "X-Hop", "Connection"} {
				require.Empty(t, sent.Header.Get(name), name)
			}
			require.Equal(t, "identity", sent.Header.Get("Accept-Encoding"))
			require.Empty(t, sent.URL.RawQuery)
			records := h.records(t)
			require.Len(t, records, 1)
			if row.tokens < 0 {
				require.True(t, records[0].Estimated)
				require.Positive(t, records[0].Output)
			} else {
				require.Equal(t, row.tokens, records[0].Output)
			}
			if row.recorded == 0 {
				row.recorded = row.told
			}
			require.Equal(t, row.recorded, records[0].Status)
		})
	}
}

// broken ends a body.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// TestPanic has a machine that brings the handler down: the request is settled
// and recorded all the same.
func TestPanic(t *testing.T) {
	h := newHouse(t, func(_ *house, c *gateway.Config) {
		c.Backends = machine(func(*http.Request) (*http.Response, error) { panic("a bug") })
	})
	h.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	req, err := http.NewRequestWithContext(t.Context(), "POST", h.URL+"/v1/chat/completions", strings.NewReader(chat("llama3.3:70b", "Hello", "")))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+h.key)
	_, err = h.Client().Do(req)
	require.ErrorIs(t, err, io.EOF)
	records := h.records(t)
	require.Len(t, records, 1)
	require.Equal(t, 500, records[0].Status)
}

// TestBudget says what a tenant is told whose budget does not reach.
func TestBudget(t *testing.T) {
	for _, row := range []struct {
		name, path, body string
		cap              cost.Amount
		status           int
		after            string
	}{
		{name: "enough", body: chat("llama3.3:70b", "Hello", ""), cap: 1 << 40, status: 200},
		{name: "used up", body: chat("llama3.3:70b", "Hello", ""), cap: 20_000_000, status: 429, after: "993600"},
		{name: "more than there ever is", body: chat("llama3.3:70b", "Hello", ""), cap: 1000, status: 429},
		{name: "more than can be counted", path: "/v1/completions", body: `{"model":"llama3.3:70b","n":128,"max_tokens":2147483647,"prompt":["a"` + strings.Repeat(`,"a"`, 2047) + `]}`, cap: 1 << 60, status: 429},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t, func(_ *house, c *gateway.Config) {
				budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return row.cap }})
				require.NoError(t, err)
				if row.name == "used up" {
					require.NoError(t, budget.Charge(t.Context(), "acme", row.cap-1, noon))
				}
				c.Limits, err = limit.New(limit.Options{
					Tier: func(string) limit.Tier {
						return limit.Tier{ID: "x", OutputPerHour: limit.Unlimited, OutputPerDay: limit.Unlimited, RequestsPerMinute: limit.Unlimited, Concurrent: limit.Unlimited}
					},
					Budget: func(ctx context.Context, tenant string, most int64, now time.Time) (func(context.Context, int64) error, error) {
						r, err := budget.Reserve(ctx, tenant, cost.Amount(most), now)
						if err != nil {
							return nil, err
						}
						return func(ctx context.Context, exact int64) error { return r.Settle(ctx, cost.Amount(exact)) }, nil
					},
				})
				require.NoError(t, err)
			})
			if row.path == "" {
				row.path = "/v1/chat/completions"
			}
			got := h.send(t, h.key, "POST", row.path, row.body)
			require.Equal(t, row.status, got.status, got.body)
			require.Equal(t, row.after, got.header.Get("Retry-After"))
			if row.status == 429 {
				require.Contains(t, got.body, "budget_exceeded")
				require.Empty(t, h.upstream())
			}
		})
	}
}
