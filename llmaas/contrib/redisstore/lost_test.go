package redisstore_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/stretchr/testify/require"
)

// cutter stands between a store and its server. While it is on, it takes every
// second answer to a script from the server, and cuts the connection instead of
// passing it on: the script has run, and nobody hears of it.
type cutter struct {
	url  string
	on   atomic.Bool
	runs atomic.Int64 // scripts that were answered while it was on
	cuts atomic.Int64
}

func startCutter(t *testing.T, s *server) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{url: fmt.Sprintf("redis://%s/0", listener.Addr())}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.pass(conn, fmt.Sprint("127.0.0.1:", s.port)) })
		}
	})
	return c
}

// pass takes turns: a client of the store waits for its answer before it asks on.
func (c *cutter) pass(conn net.Conn, server string) {
	defer conn.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	from, to := conn, upstream
	script := false
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if from == conn {
			script = bytes.Contains(buffer[:n], []byte("evalsha"))
		} else if script && c.on.Load() && c.runs.Add(1)%2 == 0 {
			c.cuts.Add(1)
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
		from, to = to, from
	}
}

// TestLostAnswers reserves and settles while answers of the server get lost, and
// wants the counts to be exact in the end. The second try of one goroutine comes
// through, so nothing is refused; of many, some lose both.
func TestLostAnswers(t *testing.T) {
	const calls, cost1, output = 300, 7, 5
	s := startServer(t)
	c := startCutter(t, s)
	store := open(t, redisstore.Options{URL: c.url, Secret: []byte("shared")})
	budgets, err := redisstore.NewBudgets(store, redisstore.CountOptions{})
	require.NoError(t, err)
	limits, err := redisstore.NewLimits(store, redisstore.CountOptions{})
	require.NoError(t, err)
	budget := budgetOf(t, cost.Unlimited, budgets)
	unlimited := limit.Tier{OutputPerHour: limit.Unlimited, OutputPerDay: limit.Unlimited, RequestsPerMinute: limit.Unlimited, Concurrent: limit.Unlimited, MonthlyBudget: limit.Unlimited}
	limiter, err := limit.New(limit.Options{Tier: func(string) limit.Tier { return unlimited }, State: limits, MonthlyBudget: true})
	require.NoError(t, err)

	c.on.Store(true)
	var settles []func() error
	for i := range calls {
		lease, err := limiter.Reserve(t.Context(), limit.Request{Tenant: "acme", Output: 100, Cost: 100}, noon)
		require.NoError(t, err)
		detached := i%3 > 0
		r, err := budget.Reserve(t.Context(), "acme", 100, noon)
		require.NoError(t, err)
		settles = append(settles, func() error {
			if !detached {
				if err := lease.Detach(t.Context()); err != nil {
					return err
				}
				detached = true
			}
			return lease.Settle(t.Context(), limit.Used{Output: output, Cost: cost1})
		}, func() error { return r.Settle(t.Context(), cost1) })
	}
	require.Greater(t, c.cuts.Load(), int64(calls))
	c.cuts.Store(0)
	var wg sync.WaitGroup
	var failed atomic.Int64
	work := make(chan func() error)
	for range 16 {
		wg.Go(func() {
			for settle := range work {
				for tries := 1; ; tries++ { // as a host may
					err := settle()
					if err == nil {
						break
					}
					failed.Add(1)
					if tries == 100 {
						t.Errorf("never settled: %v", err)
						break
					}
				}
			}
		})
	}
	for _, settle := range settles {
		work <- settle
	}
	close(work)
	wg.Wait()
	c.on.Store(false)
	require.Greater(t, c.cuts.Load(), int64(calls))
	require.Positive(t, failed.Load(), "some were lost twice")

	balance, err := budget.Balance(t.Context(), "acme", noon)
	require.NoError(t, err)
	require.Equal(t, cost.Balance{Spent: calls * cost1}, balance)
	for _, count := range []struct {
		name       string
		start, end int64
		want       int64
	}{
		{limit.OutputPerHour, noon.Unix(), noon.Unix() + 3600, calls * output},
		{limit.OutputPerDay, noon.Unix() - 12*3600, noon.Unix() + 12*3600, calls * output},
		{limit.RequestsPerMinute, noon.Unix(), noon.Unix() + 60, calls},
		{limit.Concurrent, 0, 0, 0},
		{limit.MonthlyBudget, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Unix(), calls * cost1},
	} {
		values, _, err := limits.Take(t.Context(), "acme", []limit.Counter{{Name: count.name, Start: count.start, End: count.end, Max: limit.Unlimited}}, noon)
		require.NoError(t, err)
		require.Equal(t, []int64{count.want}, values, count.name)
	}
}
