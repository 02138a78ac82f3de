package llmaas_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// faulty is a service of which every fifth reply is a fault, each kind in turn.
type faulty struct {
	good     llmaastest.Backend
	requests atomic.Int64
	faults   atomic.Int64
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.requests.Add(1)%5 != 0 {
		f.good.ServeHTTP(w, r)
		return
	}
	write := func(status int, contentType, body string) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
	const plain, sse = "application/json", "text/event-stream"
	switch f.faults.Add(1) % 12 {
	case 0:
		w.Header().Set("Retry-After-Ms", "2")
		write(429, plain, `{"error":{"type":"rate_limit_error"}}`)
	case 1:
		write(500, plain, `{"error":"x"}`)
	case 2:
		write(503, "text/html", "<html>")
	case 3:
		panic(http.ErrAbortHandler) // the connection breaks
	case 4:
		write(200, sse, chunk("a")) // and no end
	case 5:
		write(200, sse, chunk("a"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case 6:
		write(200, sse, chunk("a")+"data: {\n\n")
	case 7:
		write(200, sse, `data: {"error":{"type":"server_error"}}`+"\n\n")
	case 8:
		write(200, plain, `{"error":{"type":"server_error"}}`)
	case 9:
		write(200, plain, `{"choices":[`)
	case 10:
		write(400, plain, `{"error":{"type":"invalid_request_error"}}`)
	case 11:
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server watch the connection
		<-r.Context().Done()               // it hangs
	}
}

// ends counts how calls ended, and what they cost.
type ends struct {
	calls atomic.Int64
	cost  atomic.Int64
}

func (e *ends) Observe(_ context.Context, v llmaas.Event) {
	if v.Kind == llmaas.Ended {
		e.calls.Add(1)
		e.cost.Add(int64(v.Bill.Total))
	}
}

// TestEveryCallEnds makes 10,000 calls at 256 goroutines of a service that fails
// in every way: each ends in an answer or an *Error, is billed once, and leaves
// nothing behind.
func TestEveryCallEnds(t *testing.T) {
	const calls, workers = 10_000, 256
	before := runtime.NumGoroutine()
	service := &faulty{}
	srv := httptest.NewServer(service)
	base := &http.Transport{MaxIdleConnsPerHost: workers}
	seen := &ends{}
	c, err := llmaas.New(llmaas.Config{
		Token: llmaas.Static(key), BaseURL: srv.URL + "/v1", Transport: base, Observer: seen,
		Retry:    llmaas.Retry{Attempts: 2},
		Timeouts: llmaas.Timeouts{FirstToken: time.Second, Idle: time.Second, Reply: time.Second},
		Limits:   llmaas.Limits{Concurrent: 200},
	})
	require.NoError(t, err)
	var next, good, bad, billed atomic.Int64
	var mu sync.Mutex
	kinds := map[error]int{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= calls; i = next.Add(1) {
				bill, err := oneCall(c, int(i))
				billed.Add(int64(bill))
				if err == nil {
					good.Add(1)
					continue
				}
				bad.Add(1)
				var e *llmaas.Error
				if !errors.As(err, &e) || e.Kind == nil {
					t.Errorf("call %d ended in %T, want an *Error", i, err)
					return
				}
				mu.Lock()
				kinds[e.Kind]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, calls, good.Load()+bad.Load())
	require.EqualValues(t, calls, seen.calls.Load(), "every call ends once")
	require.Equal(t, seen.cost.Load(), billed.Load(), "every call is billed once")
	// A fifth of what arrived: on a busy machine, calls run out of time before they are sent.
	require.Greater(t, service.faults.Load(), int64(calls/20))
	for _, kind := range []error{llmaas.ErrTruncated, llmaas.ErrProtocol, llmaas.ErrOverloaded, llmaas.ErrTimeout, llmaas.ErrInvalidRequest} {
		require.Positive(t, kinds[kind], "%v", kind)
	}
	base.CloseIdleConnections()
	srv.Close() // waits until no connection is open
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 10*time.Millisecond, "goroutines leak")
	t.Logf("%d answers, %d errors: %v", good.Load(), bad.Load(), kinds)
}

// oneCall makes a call, streamed or not, and now and then leaves in its middle.
func oneCall(c *llmaas.Client, i int) (cost.Amount, error) {
	req := ask(fmt.Sprintf("call %d", i))
	if i%2 == 0 {
		resp, err := c.Chat(context.Background(), req)
		if err != nil {
			return 0, err
		}
		if int64(resp.Usage.CompletionTokens) != resp.Billed.Output {
			return 0, fmt.Errorf("billed %d tokens of %d", resp.Billed.Output, resp.Usage.CompletionTokens)
		}
		return resp.Bill.Total, nil
	}
	s := c.Stream(context.Background(), req)
	for _, err := range s.All() {
		if err != nil || i%7 == 0 {
			break
		}
	}
	return s.Result().Bill.Total, s.Err()
}
