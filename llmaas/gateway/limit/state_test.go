package limit

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory(2)
	l := limiterOf(t, unlimited, Options{State: m})
	reserve := func(tenant string, now time.Time) (*Lease, error) {
		return l.Reserve(t.Context(), Request{tenant, 1, 0}, now)
	}
	a, err := reserve("a", noon)
	require.NoError(t, err)
	b, err := reserve("b", noon)
	require.NoError(t, err)
	_, err = reserve("c", noon)
	require.ErrorIs(t, err, ErrFull)
	_, err = reserve("b", noon)
	require.NoError(t, err, "a known tenant still works")
	require.NoError(t, a.Settle(t.Context(), Used{Output: 1}))
	require.NoError(t, b.Settle(t.Context(), Used{Output: 1}))

	// a is done, but its day is not: what it used may not be forgotten.
	_, err = reserve("c", noon.Add(11*time.Hour))
	require.ErrorIs(t, err, ErrFull)
	// Its day is over; b has a request under way still.
	tomorrow := noon.Add(12*time.Hour + grace*time.Second)
	_, err = reserve("c", tomorrow.Add(-time.Second))
	require.ErrorIs(t, err, ErrFull)
	_, err = reserve("c", tomorrow)
	require.NoError(t, err)
	_, err = reserve("d", tomorrow)
	require.ErrorIs(t, err, ErrFull, "looked for once in a second")
	_, err = reserve("d", tomorrow.Add(time.Second))
	require.ErrorIs(t, err, ErrFull)

	// The counts of a busy tenant stay few.
	for minutes := range 3000 {
		_, err = reserve("b", tomorrow.Add(time.Duration(minutes)*time.Minute))
		require.NoError(t, err)
		require.LessOrEqual(t, len(m.tenants["b"]), 7)
	}
	require.Len(t, m.tenants, 2)
}

func TestMemoryEdges(t *testing.T) {
	m := NewMemory(0)
	take := func(add, most int64) ([]int64, bool, error) {
		return m.Take(t.Context(), "a", []Counter{{Name: "n", Add: add, Max: most}}, noon)
	}
	_, _, err := take(-1, 10)
	require.Error(t, err)
	got, ok, err := take(7, 10)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []int64{7}, got)
	got, ok, err = take(1, 5)
	require.NoError(t, err)
	require.False(t, ok, "a limit that was lowered")
	require.Equal(t, []int64{7}, got)

	give := func(name string, add int64) {
		require.NoError(t, m.Give(t.Context(), "a", []Counter{{Name: name, Add: add}}, ""))
	}
	give("other", 5)
	give("n", -100)
	got, _, _ = take(0, 10)
	require.Equal(t, []int64{0}, got, "never below zero")
	_, _, err = take(1, 10)
	require.NoError(t, err)
	give("n", Unlimited)
	got, _, _ = take(0, Unlimited)
	require.Equal(t, []int64{Unlimited}, got, "never around")
	require.NoError(t, m.Give(t.Context(), "nobody", []Counter{{Name: "n", Add: 1}}, ""))
}

// The limiter against a plain account of everything that ever happened.
func TestAgainstPlainCounts(t *testing.T) {
	type call struct {
		at     time.Time
		output int64
		lease  *Lease
	}
	random := rand.New(rand.NewPCG(21, 22))
	for range 20 {
		tier := Tier{OutputPerHour: 500, OutputPerDay: 4000, RequestsPerMinute: 5, Concurrent: 4}
		l := limiterOf(t, tier, Options{})
		now := noon.Add(time.Duration(random.Int64N(int64(24 * time.Hour))))
		var done, running []call
		sum := func(since time.Time) (output, requests int64) {
			for _, calls := range [][]call{done, running} {
				for _, c := range calls {
					if !c.at.Before(since) {
						output += c.output
						requests++
					}
				}
			}
			return output, requests
		}
		let, refused := 0, 0
		for range 3000 {
			now = now.Add(time.Duration(random.Int64N(int64(40 * time.Second))))
			if len(running) > 0 && random.IntN(2) == 0 {
				i := random.IntN(len(running))
				c := running[i]
				c.output = random.Int64N(c.output + 1)
				require.NoError(t, c.lease.Settle(t.Context(), Used{Output: c.output}))
				running = append(running[:i], running[i+1:]...)
				done = append(done, c)
				continue
			}
			output := random.Int64N(200)
			inHour, _ := sum(now.Truncate(time.Hour))
			inDay, _ := sum(now.Truncate(24 * time.Hour))
			_, inMinute := sum(now.Truncate(time.Minute))
			fits := inHour+output <= tier.OutputPerHour && inDay+output <= tier.OutputPerDay &&
				inMinute < tier.RequestsPerMinute && int64(len(running)) < tier.Concurrent
			lease, err := l.Reserve(t.Context(), Request{"acme", output, 0}, now)
			require.Equal(t, fits, err == nil, "%v", err)
			if err == nil {
				running = append(running, call{now, output, lease})
				let++
			} else {
				refused++
			}
		}
		require.Positive(t, let)
		require.Positive(t, refused)
	}
}

// Many tenants, goroutines and ways out at once: in the end every count is what
// was used.
func TestMemoryConcurrent(t *testing.T) {
	const goroutines, rounds, tenants = 64, 1000, 8
	m := NewMemory(0)
	l := limiterOf(t, Tier{OutputPerHour: 40_000, OutputPerDay: Unlimited, RequestsPerMinute: Unlimited, Concurrent: 6}, Options{State: m})
	var used [goroutines][tenants]int64
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(g)))
			for range rounds {
				who := random.IntN(tenants)
				lease, err := l.Reserve(t.Context(), Request{strconv.Itoa(who), 100, 0}, noon)
				if err != nil {
					continue
				}
				if random.IntN(3) == 0 {
					err = lease.Release(t.Context())
				} else {
					output := random.Int64N(101)
					err = lease.Settle(t.Context(), Used{Output: output})
					used[g][who] += output
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for who := range tenants {
		var want int64
		for g := range goroutines {
			want += used[g][who]
		}
		counters := unlimited.counters(0, 0, noon)
		got, _, err := m.Take(t.Context(), strconv.Itoa(who), counters[:hour+1], noon)
		require.NoError(t, err)
		require.Equal(t, want, got[0])
		require.LessOrEqual(t, want, int64(40_000))
		require.Positive(t, want)
	}
}
