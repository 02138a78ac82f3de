package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const goroutines = 64

// parallel runs b.N calls of what each goroutine gets from work.
func parallel(b *testing.B, work func() func(i int64) error) {
	b.Helper()
	var i, failed atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		wg.Go(func() {
			one := work()
			for n := i.Add(1); n <= int64(b.N); n = i.Add(1) {
				if one(n) != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	require.Zero(b, failed.Load())
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "prompts/s")
}

// BenchmarkAppend is a checked prompt of 500 characters in 1,000 sessions with
// full windows; BenchmarkRoundTrip is what the same client can do with a PING.
func BenchmarkAppend(b *testing.B) {
	s := startServer(b)
	store := open(b, redisstore.Options{URL: s.url()})
	layer := layer(b, store, behavior.Policy{})
	prompts := make([]string, 16)
	for i := range prompts {
		prompts[i] = fmt.Sprint("Number ", i, ": ", strings.Repeat("We walked along the river until the rain came. ", 10))
	}
	worker := func() func(i int64) error {
		var folded fold.Text
		var found []check.Finding
		return func(i int64) error {
			text := prompts[i/1000%16]
			folded.Reset(text)
			p := &check.Prompt{Input: check.Input{Tenant: "acme", Session: fmt.Sprint(i % 1000), Text: text}, Folded: &folded}
			if found = layer.Inspect(context.Background(), p, found[:0]); len(found) > 0 && found[0].Rule == behavior.Unavailable {
				return errors.New(found[0].Why)
			}
			return nil
		}
	}
	one := worker()
	for i := range int64(10_000) {
		require.NoError(b, one(i))
	}
	parallel(b, worker)

	client := redis.NewClient(&redis.Options{Addr: fmt.Sprint("127.0.0.1:", s.port)})
	defer client.Close()
	keys, err := client.Keys(context.Background(), "*").Result()
	require.NoError(b, err)
	var bytes int64
	for _, key := range keys {
		n, err := client.MemoryUsage(context.Background(), key).Result()
		require.NoError(b, err)
		bytes += n
	}
	b.ReportMetric(float64(bytes)/float64(len(keys)), "bytes/session")
}

func BenchmarkRoundTrip(b *testing.B) {
	s := startServer(b)
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprint("127.0.0.1:", s.port), ReadTimeout: 10 * time.Second})
	defer client.Close()
	require.NoError(b, client.Ping(context.Background()).Err())
	parallel(b, func() func(int64) error {
		return func(int64) error { return client.Ping(context.Background()).Err() }
	})
}
