package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func limitsOf(t testing.TB, s *server, o redisstore.CountOptions) *redisstore.Limits {
	t.Helper()
	l, err := redisstore.NewLimits(open(t, redisstore.Options{URL: s.url(), Secret: []byte("shared")}), o)
	require.NoError(t, err)
	return l
}

// startDurable starts a server that has written what it answered.
func startDurable(t testing.TB, s *server) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	require.NoError(t, s.cmd.Start(), "install redis-server")
	store := open(t, redisstore.Options{URL: s.url()})
	require.Eventually(t, func() bool { return store.Ping(context.Background()) == nil }, 20*time.Second, 10*time.Millisecond)
}

// client looks at the server behind the store's back.
func client(t testing.TB, s *server) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: fmt.Sprint("127.0.0.1:", s.port)})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// limitStep is a call of limit.State. A tenant's name is that of the test.
type limitStep struct {
	give     bool
	counters []limit.Counter
	values   []int64 // of a Take
	refused  bool
	err      bool
}

const (
	largest = math.MaxInt64
	double  = 1 << 53 // the last number that a double counts to one by one
)

func n(add, most int64) []limit.Counter {
	return []limit.Counter{{Name: "n", Add: add, Max: most}}
}

// limitRows are what package limit promises of a State.
var limitRows = map[string][]limitStep{
	"fits exactly": {{counters: n(7, 10), values: []int64{7}}, {counters: n(3, 10), values: []int64{10}}, {counters: n(1, 10), values: []int64{10}, refused: true}},
	"all or none": {
		{counters: []limit.Counter{{Name: "a", Add: 5, Max: 10}, {Name: "b", Add: 5, Max: 5}}, values: []int64{5, 5}},
		{counters: []limit.Counter{{Name: "a", Add: 5, Max: 10}, {Name: "b", Add: 1, Max: 5}}, values: []int64{5, 5}, refused: true},
		{counters: []limit.Counter{{Name: "a", Add: 5, Max: 10}}, values: []int64{10}},
	},
	"windows are apart": {
		{counters: []limit.Counter{{Name: "n", Start: 60, End: 120, Add: 5, Max: 5}}, values: []int64{5}},
		{counters: []limit.Counter{{Name: "n", Start: 120, End: 180, Add: 5, Max: 5}}, values: []int64{5}},
		{counters: []limit.Counter{{Name: "n", Start: 60, End: 120, Add: 1, Max: 5}}, values: []int64{5}, refused: true},
	},
	"a limit that was lowered": {{counters: n(7, 10), values: []int64{7}}, {counters: n(0, 5), values: []int64{7}, refused: true}},
	"nothing allowed":          {{counters: n(1, 0), values: []int64{0}, refused: true}, {counters: n(0, 0), values: []int64{0}}, {counters: n(0, -1), values: []int64{0}, refused: true}},
	"negative":                 {{counters: n(-1, 10), err: true}},
	"none at all":              {{values: []int64{}}},
	"given back":               {{counters: n(7, 10), values: []int64{7}}, {give: true, counters: n(-4, 0)}, {counters: n(7, 10), values: []int64{10}}},
	"never below zero":         {{counters: n(7, 10), values: []int64{7}}, {give: true, counters: n(-100, 0)}, {counters: n(0, 10), values: []int64{0}}},
	"more than reserved":       {{counters: n(7, 10), values: []int64{7}}, {give: true, counters: n(100, 0)}, {counters: n(0, largest), values: []int64{107}}},
	"what is not there":        {{give: true, counters: n(5, 0)}, {counters: n(0, 10), values: []int64{0}}},
	"took nothing, used some":  {{counters: n(0, 10), values: []int64{0}}, {give: true, counters: n(5, 0)}, {counters: n(0, 10), values: []int64{5}}},
	"beyond doubles": {
		{counters: n(double, double+2), values: []int64{double}}, {counters: n(1, double+2), values: []int64{double + 1}},
		{counters: n(1, double+2), values: []int64{double + 2}}, {counters: n(1, double+2), values: []int64{double + 2}, refused: true},
		{give: true, counters: n(-1, 0)}, {counters: n(0, largest), values: []int64{double + 1}},
	},
	"around a billion": {
		{counters: n(999_999_999, largest), values: []int64{999_999_999}}, {counters: n(1, largest), values: []int64{1_000_000_000}},
		{give: true, counters: n(-1, 0)}, {counters: n(2, 1_000_000_001), values: []int64{1_000_000_001}}, {counters: n(1, 1_000_000_001), values: []int64{1_000_000_001}, refused: true},
	},
	"carried exactly": {
		{counters: n(1_000_000_999_999_999, largest), values: []int64{1_000_000_999_999_999}}, {counters: n(1, largest), values: []int64{1_000_001_000_000_000}},
		{give: true, counters: n(-1, 0)}, {counters: n(0, largest), values: []int64{1_000_000_999_999_999}},
	},
	"up to the largest": {
		{counters: n(largest-1, limit.Unlimited), values: []int64{largest - 1}}, {counters: n(2, limit.Unlimited), values: []int64{largest - 1}, refused: true},
		{counters: n(1, limit.Unlimited), values: []int64{largest}}, {counters: n(largest, limit.Unlimited), values: []int64{largest}, refused: true},
	},
	"never around":         {{counters: n(1, 10), values: []int64{1}}, {give: true, counters: n(largest, 0)}, {counters: n(0, largest), values: []int64{largest}}},
	"the smallest":         {{counters: n(1, 10), values: []int64{1}}, {give: true, counters: n(math.MinInt64, 0)}, {counters: n(0, largest), values: []int64{0}}},
	"the largest and back": {{counters: n(largest, largest), values: []int64{largest}}, {give: true, counters: n(-largest, 0)}, {counters: n(1, 1), values: []int64{1}}},
}

func TestLimits(t *testing.T) {
	s := startServer(t)
	for name, state := range map[string]limit.State{"memory": limit.NewMemory(0), "redis": limitsOf(t, s, redisstore.CountOptions{})} {
		for row, steps := range limitRows {
			t.Run(name+"/"+row, func(t *testing.T) {
				for i, step := range steps {
					if step.give {
						require.NoError(t, state.Give(t.Context(), row, step.counters, fmt.Sprint(row, i)), "step %d", i)
						continue
					}
					values, ok, err := state.Take(t.Context(), row, step.counters, time.Unix(60, 0))
					require.Equal(t, step.err, err != nil, "step %d: %v", i, err)
					require.Equal(t, step.values, values, "step %d", i)
					require.Equal(t, !step.refused && !step.err, ok, "step %d", i)
				}
			})
		}
	}
}

// anyNumber is small, or near a place where counting goes wrong.
func anyNumber(random *rand.Rand) int64 {
	near := [...]int64{0, 1_000_000_000, double, largest - 1000, 1_000_000_000_000_000_000}
	return near[random.IntN(len(near))] + random.Int64N(1000)
}

// TestLimitsAgainstMemory makes the same random calls of both.
func TestLimitsAgainstMemory(t *testing.T) {
	redis, memory := limitsOf(t, startServer(t), redisstore.CountOptions{}), limit.NewMemory(0)
	random := rand.New(rand.NewPCG(1, 2))
	let, refused := 0, 0
	for i := range 3000 {
		tenant := strconv.Itoa(i / 20) // a new one now and then: counts near the top stay there
		counters := make([]limit.Counter, 1+random.IntN(3))
		for c := range counters {
			counters[c] = limit.Counter{Name: string(rune('a' + c)), Start: 60, End: 120, Add: anyNumber(random), Max: anyNumber(random)}
			if random.IntN(3) == 0 {
				counters[c].Max = limit.Unlimited
			}
		}
		if random.IntN(3) == 0 {
			for c := range counters {
				counters[c].Add -= anyNumber(random)
			}
			require.NoError(t, memory.Give(t.Context(), tenant, counters, ""))
			require.NoError(t, redis.Give(t.Context(), tenant, counters, strconv.Itoa(i)))
			continue
		}
		want, wantOK, err := memory.Take(t.Context(), tenant, counters, time.Unix(60, 0))
		require.NoError(t, err)
		got, ok, err := redis.Take(t.Context(), tenant, counters, time.Unix(60, 0))
		require.NoError(t, err)
		require.Equal(t, want, got, "%+v", counters)
		require.Equal(t, wantOK, ok, "%+v", counters)
		if ok {
			let++
		} else {
			refused++
		}
	}
	require.Greater(t, let, 100)
	require.Greater(t, refused, 100)
}

func limiterOf(t testing.TB, tier limit.Tier, state limit.State) *limit.Limiter {
	t.Helper()
	l, err := limit.New(limit.Options{Tier: func(string) limit.Tier { return tier }, State: state})
	require.NoError(t, err)
	return l
}

// TestLimitsOfTwoGateways has 200 requests at once at the edge, half through each.
func TestLimitsOfTwoGateways(t *testing.T) {
	s := startServer(t)
	tier := limit.Tier{OutputPerHour: 150_000, OutputPerDay: limit.Unlimited, RequestsPerMinute: limit.Unlimited, Concurrent: 160}
	gateways := [...]*limit.Limiter{limiterOf(t, tier, limitsOf(t, s, redisstore.CountOptions{})), limiterOf(t, tier, limitsOf(t, s, redisstore.CountOptions{}))}
	storm := func() (leases []*limit.Lease) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for g := range 200 {
			wg.Go(func() {
				lease, err := gateways[g%2].Reserve(t.Context(), limit.Request{Tenant: "acme", Output: 1000}, noon)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					leases = append(leases, lease)
				} else if !errors.As(err, new(*limit.ExceededError)) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return leases
	}
	leases := storm()
	require.Len(t, leases, 150)
	var wg sync.WaitGroup
	for _, lease := range leases {
		wg.Go(func() {
			if err := lease.Settle(t.Context(), limit.Used{Output: 500}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Len(t, storm(), 75, "150 × 500 are used")
}

// TestLimitsStandThere looks at the server: no tenant's name, all keys expire,
// one round trip for each call, and a foreign value opens no limit.
func TestLimitsStandThere(t *testing.T) {
	s := startServer(t)
	c, state := client(t, s), limitsOf(t, s, redisstore.CountOptions{MaxCall: 5 * time.Minute})
	require.NoError(t, c.ConfigResetStat(t.Context()).Err())
	l := limiterOf(t, limit.Tier{OutputPerHour: 100, OutputPerDay: 100, RequestsPerMinute: 100, Concurrent: 100}, state)
	const calls = 10
	for range calls {
		lease, err := l.Reserve(t.Context(), limit.Request{Tenant: "acme", Output: 10}, noon)
		require.NoError(t, err)
		require.NoError(t, lease.Settle(t.Context(), limit.Used{Output: 1}))
	}
	stats, err := c.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	require.Contains(t, stats, fmt.Sprintf("cmdstat_evalsha:calls=%d,", 2*calls))
	require.Contains(t, stats, "cmdstat_eval:calls=2,", "to load two scripts")

	keys, err := c.Keys(t.Context(), "llmaas:guard:*:*:*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 4)
	requireMarks(t, c, 2*calls)
	for _, key := range keys {
		require.NotContains(t, key, "acme")
		ttl, err := c.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		most := map[string]time.Duration{limit.OutputPerHour: 61 * time.Minute, limit.OutputPerDay: 12*time.Hour + time.Minute, limit.RequestsPerMinute: 2 * time.Minute, limit.Concurrent: 5 * time.Minute}
		name := strings.Split(key, ":")[3]
		require.LessOrEqual(t, ttl, most[name], key)
		require.Greater(t, ttl, most[name]-time.Minute, key)
	}
	lease, err := l.Reserve(t.Context(), limit.Request{Tenant: "acme", Output: 5}, noon)
	require.NoError(t, err)
	counts, err := c.MGet(t.Context(), keys...).Result()
	require.NoError(t, err)
	hour := ""
	for i, key := range keys {
		switch strings.Split(key, ":")[3] {
		case limit.RequestsPerMinute: // a request that was made is not given back
		case limit.Concurrent:
			require.NoError(t, c.HSet(t.Context(), key, "other", "many 1").Err())
			require.ErrorContains(t, lease.Release(t.Context()), "no whole number")
			require.NoError(t, c.HDel(t.Context(), key, "other").Err())
		case limit.OutputPerHour:
			hour = key
			fallthrough
		default:
			require.NoError(t, c.Set(t.Context(), key, "many", 0).Err())
			require.ErrorContains(t, lease.Release(t.Context()), "no whole number")
			require.NoError(t, c.Set(t.Context(), key, counts[i], 0).Err())
		}
	}
	after, err := c.MGet(t.Context(), keys...).Result()
	require.NoError(t, err)
	require.Equal(t, counts, after, "all or nothing")

	for _, value := range []string{"", "-1", "1.5", "1e3", "many", "007", "99999999999999999999"} {
		require.NoError(t, c.Set(t.Context(), hour, value, 0).Err())
		_, err := l.Reserve(t.Context(), limit.Request{Tenant: "acme"}, noon)
		require.ErrorContains(t, err, "no whole number", value)
		require.False(t, errors.As(err, new(*limit.ExceededError)))
	}
	require.NoError(t, c.Set(t.Context(), hour, "9999999999999999999", 0).Err())
	_, err = l.Reserve(t.Context(), limit.Request{Tenant: "acme"}, noon)
	require.ErrorContains(t, err, "no count")
}

// requireMarks wants as many marks of what was done, which say nothing and
// expire soon.
func requireMarks(t *testing.T, c *redis.Client, want int) {
	t.Helper()
	marks, err := c.Keys(t.Context(), "llmaas:guard:done:*").Result()
	require.NoError(t, err)
	require.Len(t, marks, want)
	for _, mark := range marks {
		require.NotContains(t, mark, "acme")
		ttl, err := c.PTTL(t.Context(), mark).Result()
		require.NoError(t, err)
		require.LessOrEqual(t, ttl, time.Minute)
		require.Positive(t, ttl)
		bytes, err := c.MemoryUsage(t.Context(), mark).Result()
		require.NoError(t, err)
		require.LessOrEqual(t, bytes, int64(150))
	}
}

// TestLimitsOfTheDead: what a gateway that died left under way is freed, however
// busy another is with the same tenant.
func TestLimitsOfTheDead(t *testing.T) {
	s := startServer(t)
	tier := limit.Tier{OutputPerHour: 1_000_000, OutputPerDay: 1_000_000, RequestsPerMinute: 1_000_000, Concurrent: 3}
	o := redisstore.CountOptions{MaxCall: 300 * time.Millisecond}
	dead, alive := limiterOf(t, tier, limitsOf(t, s, o)), limiterOf(t, tier, limitsOf(t, s, o))
	reserve := func(l *limit.Limiter) (*limit.Lease, error) {
		return l.Reserve(t.Context(), limit.Request{Tenant: "acme", Output: 10}, noon)
	}
	var long *limit.Lease
	used := int64(0)
	for range 2 {
		_, err := reserve(dead)
		require.NoError(t, err)
		used += 10
	}
	begun := time.Now()
	require.Eventually(t, func() bool {
		one, err := reserve(alive)
		require.NoError(t, err)
		two, err := reserve(alive)
		if err == nil {
			require.NoError(t, two.Release(t.Context()))
			long = one
			return true
		}
		require.ErrorContains(t, err, limit.Concurrent)
		require.NoError(t, one.Release(t.Context()))
		return false
	}, 20*time.Second, 20*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(begun), 250*time.Millisecond)
	require.NoError(t, long.Release(t.Context()))
	values, _, err := limitsOf(t, s, redisstore.CountOptions{}).Take(t.Context(), "acme",
		[]limit.Counter{{Name: limit.OutputPerHour, Start: noon.Unix(), End: noon.Unix() + 3600, Max: limit.Unlimited}}, noon)
	require.NoError(t, err)
	require.Equal(t, []int64{used}, values, "what they had set aside of the hour stays")
}

// underKills runs what each of 16 goroutines gets from work again and again, on a
// server that writes before it answers and is killed three times. Work reports
// whether it succeeded; between the kills, and after the last one, it must, many
// times.
func underKills(t *testing.T, work func(s *server, goroutine int) func() bool) *server {
	t.Helper()
	s := startServer(t)
	s.kill()
	startDurable(t, s)
	var stop atomic.Bool
	var succeeded atomic.Int64
	var wg sync.WaitGroup
	for g := range 16 {
		one := work(s, g)
		wg.Go(func() {
			for !stop.Load() {
				if one() {
					succeeded.Add(1)
				} else {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for kill := range 4 {
		before := succeeded.Load()
		require.Eventually(t, func() bool { return succeeded.Load() > before+200 }, 30*time.Second, time.Millisecond)
		if kill < 3 {
			s.kill()
			startDurable(t, s)
		}
	}
	stop.Store(true)
	wg.Wait()
	return s
}

// TestLimitsSurviveKill: at the end all is counted that the server said it had
// counted, and nothing else but what it could not say any more.
func TestLimitsSurviveKill(t *testing.T) {
	var counted, unknown atomic.Int64
	s := underKills(t, func(s *server, g int) func() bool {
		state, add := limitsOf(t, s, redisstore.CountOptions{}), int64(g)
		return func() bool {
			add = add%97 + 1
			_, ok, err := state.Take(context.Background(), "acme", n(add, limit.Unlimited), noon)
			if err != nil {
				unknown.Add(add)
				return false
			}
			if !ok {
				t.Error("refused below the limit")
			}
			counted.Add(add)
			return true
		}
	})
	values, _, err := limitsOf(t, s, redisstore.CountOptions{}).Take(t.Context(), "acme", n(0, limit.Unlimited), noon)
	require.NoError(t, err)
	require.GreaterOrEqual(t, values[0], counted.Load())
	require.LessOrEqual(t, values[0], counted.Load()+unknown.Load())
	require.Positive(t, unknown.Load(), "the server was killed under load")
}

// TestLimitsWithoutServer: the tenant's policy says what becomes of requests.
func TestLimitsWithoutServer(t *testing.T) {
	s := startServer(t)
	var told error
	state := limitsOf(t, s, redisstore.CountOptions{FailOpen: func(tenant string, err error) bool {
		told = err
		return tenant == "open"
	}})
	tier := limit.Tier{OutputPerHour: 1000, OutputPerDay: 1000, RequestsPerMinute: 1000, Concurrent: 2}
	l := limiterOf(t, tier, state)
	reserve := func(tenant string, output int64) (*limit.Lease, error) {
		return l.Reserve(t.Context(), limit.Request{Tenant: tenant, Output: output}, noon)
	}
	before, err := reserve("open", 100)
	require.NoError(t, err)
	s.kill()

	_, err = reserve("closed", 1)
	require.ErrorContains(t, err, "limit: redisstore: take: ")
	require.ErrorAs(t, err, new(*net.OpError))
	require.ErrorContains(t, before.Settle(t.Context(), limit.Used{Output: 30}), "limit: redisstore: give: ")
	var blind []*limit.Lease
	for range 5 {
		lease, err := reserve("open", 100)
		require.NoError(t, err)
		require.Equal(t, int64(999), lease.Requests().Remaining)
		blind = append(blind, lease)
	}
	_, err = reserve("open", 1001)
	require.ErrorAs(t, err, new(*limit.ExceededError), "more than the limit alone")
	require.ErrorAs(t, told, new(*net.OpError))
	require.ErrorContains(t, l.Charge(t.Context(), "open", 7, noon), "take: ", "a charge is not lost in silence")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = l.Reserve(gone, limit.Request{Tenant: "open"}, noon)
	require.ErrorIs(t, err, context.Canceled)

	s.start() // with nothing in it
	_, err = reserve("open", 500)
	require.NoError(t, err)
	for _, lease := range blind {
		require.NoError(t, lease.Settle(t.Context(), limit.Used{Output: 1}))
	}
	_, err = reserve("open", 501)
	require.ErrorContains(t, err, limit.OutputPerDay, "what was not counted is not given back")
	_, err = reserve("open", 500)
	require.NoError(t, err)
	_, err = reserve("open", 0)
	require.ErrorContains(t, err, limit.Concurrent)
}

// TestCountsInTime: neither a silent server nor a caller's deadline is outlasted.
func TestCountsInTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	for _, row := range []struct{ timeout, deadline time.Duration }{{50 * time.Millisecond, time.Hour}, {time.Hour, 50 * time.Millisecond}} {
		store := open(t, redisstore.Options{URL: "redis://" + listener.Addr().String(), Timeout: row.timeout})
		state, err := redisstore.NewLimits(store, redisstore.CountOptions{})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), row.deadline)
		defer cancel()
		begin := time.Now()
		_, _, err = state.Take(ctx, "acme", n(1, 1), noon)
		require.Error(t, err)
		require.Error(t, state.Give(ctx, "acme", n(1, 1), "id"))
		require.Less(t, time.Since(begin), 10*time.Second)
	}
}

func TestCountOptions(t *testing.T) {
	_, err := redisstore.NewLimits(nil, redisstore.CountOptions{})
	require.ErrorContains(t, err, "no Store")
	store := open(t, redisstore.Options{URL: "redis://127.0.0.1:1/0"})
	_, err = redisstore.NewLimits(store, redisstore.CountOptions{MaxCall: time.Microsecond})
	require.ErrorContains(t, err, "CountOptions.MaxCall: got 1µs")
	_, err = redisstore.NewBudgets(store, redisstore.CountOptions{MaxCall: -1})
	require.ErrorContains(t, err, "CountOptions.MaxCall: got -1ns")
}
