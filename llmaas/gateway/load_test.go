package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// faultyMachine answers, streams, breaks off, fails and refuses in turn, and
// can be killed or slowed.
type faultyMachine struct {
	calls  atomic.Int64
	killed atomic.Bool
	slow   atomic.Bool
}

func (m *faultyMachine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.killed.Load() {
		panic(http.ErrAbortHandler)
	}
	if m.slow.Load() {
		time.Sleep(20 * time.Millisecond)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	n := m.calls.Add(1)
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":7,"completion_tokens":%d,"total_tokens":%d}`, 1+n%9, 8+n%9)
	switch {
	case n%41 == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
	case n%43 == 0:
		panic(http.ErrAbortHandler)
	case n%47 == 0:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"type":"rate_limit_error","code":"rate_limit_exceeded"}}`)
	case n%53 == 0:
		w.WriteHeader(http.StatusInternalServerError)
	case strings.Contains(string(body), `"stream":true`):
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`+"\n\n")
			_ = http.NewResponseController(w).Flush()
		}
		if n%7 == 0 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: {\"choices\":[],"+usage+"}\n\ndata: [DONE]\n\n")
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"a word"},"finish_reason":"stop"}],`+usage+`}`)
	}
}

// TestBooksUnderLoad drives tenants at the edge of their limits through machines
// that fail, two of which are killed and one slowed in the middle. No request is
// lost without a typed error; limits are never passed; and at the end the
// limits, the budget, the audit and the metrics say the same to the token. With
// LLMAAS_LOAD=100000 it sends as many requests; by default 3,000.
func TestBooksUnderLoad(t *testing.T) {
	const tenants = 64
	total := 3000
	if s := os.Getenv("LLMAAS_LOAD"); s != "" {
		var err error
		total, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	allowance := int64(total/tenants) * 4 // about four fifths of what will be asked for

	machines := make([]*faultyMachine, 6)
	var backends []balance.Backend
	for i := range machines {
		machines[i] = &faultyMachine{}
		srv := httptest.NewUnstartedServer(machines[i])
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		srv.Start()
		t.Cleanup(srv.Close)
		backends = append(backends, balance.Backend{Name: fmt.Sprint("gpu-", i), URL: srv.URL + "/v1"})
	}
	balancer, err := balance.New(balance.Options{Backends: backends, EjectFor: 50 * time.Millisecond, Seed: 1})
	require.NoError(t, err)
	keys, err := access.New(t.Context(), access.Options{})
	require.NoError(t, err)
	var secrets []string
	for i := range tenants {
		id := fmt.Sprintf("tenant-%02d", i)
		require.NoError(t, keys.PutTenant(t.Context(), access.Tenant{ID: id, Tier: "x"}))
		_, secret, err := keys.Mint(t.Context(), access.NewKey{Tenant: id, Grant: access.Grant{Models: []string{"*"}, Endpoints: []string{"*"}}}, noon)
		require.NoError(t, err)
		secrets = append(secrets, secret.Reveal())
	}
	budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return 1 << 50 }})
	require.NoError(t, err)
	spent := make(map[string]int64)
	var mu sync.Mutex
	limiter, err := limit.New(limit.Options{
		Tier: func(string) limit.Tier {
			return limit.Tier{ID: "x", OutputPerHour: allowance, OutputPerDay: limit.Unlimited, RequestsPerMinute: limit.Unlimited, Concurrent: limit.Unlimited}
		},
		Budget: func(ctx context.Context, tenant string, most int64, now time.Time) (func(context.Context, int64) error, error) {
			r, err := budget.Reserve(ctx, tenant, cost.Amount(most), now)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context, exact int64) error {
				mu.Lock()
				spent[tenant] += exact
				mu.Unlock()
				return r.Settle(ctx, cost.Amount(exact))
			}, nil
		},
	})
	require.NoError(t, err)
	dir := t.TempDir()
	log, err := audit.Open(audit.Options{Dir: dir, Key: childKey, SyncEvery: 50 * time.Millisecond, MaxBytes: 1 << 20})
	require.NoError(t, err)
	meters, err := metrics.New(metrics.Options{History: total})
	require.NoError(t, err)
	prompts, err := shared()
	require.NoError(t, err)
	g, err := gateway.New(gateway.Config{
		Guard: prompts, Keys: keys, Backends: balancer, Limits: limiter, Audit: log, Metrics: meters,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
	})
	require.NoError(t, err)
	srv := httptest.NewServer(g)
	defer srv.Close()
	srv.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64

	var sent, answered, canceled, untyped atomic.Int64
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(func() {
			for i := sent.Add(1) - 1; i < int64(total); i = sent.Add(1) - 1 {
				switch i {
				case int64(total / 3):
					machines[0].killed.Store(true)
					machines[1].killed.Store(true)
				case int64(total / 2):
					machines[2].slow.Store(true)
				}
				whole, gone := loadCall(t, srv, secrets[i%tenants], i)
				switch {
				case gone:
					canceled.Add(1)
				case whole:
					answered.Add(1)
				default:
					untyped.Add(1)
				}
			}
		})
	}
	workers.Wait()
	srv.Close() // waits for what callers left behind
	require.NoError(t, log.Close())
	require.EqualValues(t, total, answered.Load()+canceled.Load())
	require.Zero(t, untyped.Load(), "requests without an answer or a typed error")
	require.Positive(t, canceled.Load())

	result, err := audit.Verify(dir, childKey)
	require.NoError(t, err)
	require.Empty(t, result.Problems)
	require.LessOrEqual(t, result.Records, total)
	require.GreaterOrEqual(t, int64(result.Records), int64(total)-canceled.Load(), "only who went away at once may not have come")
	tokensOf, costOf, statuses := make(map[string]int64), make(map[string]int64), make(map[int]int)
	for r, err := range audit.Records(dir, audit.Filter{}, childKey) {
		require.NoError(t, err)
		tokensOf[r.Tenant] += r.Output
		costOf[r.Tenant] += r.Cost
		statuses[r.Status]++
	}
	t.Logf("statuses: %v", statuses)
	for _, status := range []int{200, 429, 499, 500, 502} {
		require.Positive(t, statuses[status], "%d: %v", status, statuses)
	}
	var sum metrics.Usage
	for _, u := range meters.Usage() {
		sum.Requests += u.Requests
		sum.Output += u.Output
		sum.Cost += u.Cost
	}
	require.EqualValues(t, result.Records, sum.Requests)
	for i := range tenants {
		id := fmt.Sprintf("tenant-%02d", i)
		require.LessOrEqual(t, tokensOf[id], allowance, id)
		require.Equal(t, costOf[id], spent[id], id)
		// What is left of the hour is exactly what the audit has not used: one
		// token more is refused.
		left := allowance - tokensOf[id]
		var over *limit.ExceededError
		_, err := limiter.Reserve(t.Context(), limit.Request{Tenant: id, Output: left + 1}, noon)
		require.True(t, errors.As(err, &over), id)
		require.Equal(t, tokensOf[id], over.Used, id)
		sum.Output -= tokensOf[id]
		sum.Cost -= costOf[id]
	}
	require.Zero(t, sum.Output, "metrics and audit")
	require.Zero(t, sum.Cost, "metrics and audit")
	for _, m := range balancer.Status() {
		require.Zero(t, m.InFlight, m.Name)
	}
}

// loadCall makes one request. It reports whether it was answered whole, or
// with a typed error, and whether it went away by itself.
func loadCall(t *testing.T, srv *httptest.Server, key string, i int64) (whole, gone bool) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	more := fmt.Sprintf(`,"max_tokens":%d`, 10+i%5)
	if i%2 == 0 {
		more += `,"stream":true`
	}
	req, err := http.NewRequestWithContext(ctx, "POST", srv.URL+"/v1/chat/completions", strings.NewReader(chat("llama3.3:70b", "Hello", more)))
	if err != nil {
		return false, false
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if i%67 == 0 {
		time.AfterFunc(time.Millisecond, cancel)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		return false, ctx.Err() != nil
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, ctx.Err() != nil
	}
	var typed struct{ Error struct{ Type string } }
	switch {
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream"):
		text := string(body)
		return strings.HasSuffix(text, "data: [DONE]\n\n") || strings.Contains(text, `"error":{`), false
	case resp.StatusCode == 200:
		return strings.Contains(string(body), `"usage"`), false
	}
	return json.Unmarshal(body, &typed) == nil && typed.Error.Type != "", false
}
