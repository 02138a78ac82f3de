package limit

import (
	"context"
	"errors"
	"math"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// noon is the beginning of a minute and an hour.
var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

var unlimited = Tier{OutputPerHour: Unlimited, OutputPerDay: Unlimited, RequestsPerMinute: Unlimited, Concurrent: Unlimited, MonthlyBudget: Unlimited}

func tierOf(edit func(*Tier)) Tier {
	t := unlimited
	edit(&t)
	return t
}

func limiterOf(t *testing.T, tier Tier, o Options) *Limiter {
	t.Helper()
	o.Tier = func(string) Tier { return tier }
	l, err := New(o)
	require.NoError(t, err)
	return l
}

// values reads the counts of acme at an instant, in the order of the counters.
func values(t *testing.T, l *Limiter, now time.Time) [counterCount]int64 {
	t.Helper()
	counters := unlimited.counters(0, 0, now)
	counters[minute].Add, counters[open].Add = 0, 0
	got, ok, err := l.state.Take(t.Context(), "acme", counters[:], now)
	require.NoError(t, err)
	require.True(t, ok)
	return [counterCount]int64(got)
}

func TestLimits(t *testing.T) {
	at := noon.Add(59*time.Minute + 30*time.Second + time.Nanosecond)
	rows := []struct {
		name   string
		tier   Tier
		before []int64 // output of requests still under way
		output int64
		limit  string // "" for let in
		retry  time.Duration
	}{
		{"fits exactly", tierOf(func(t *Tier) { t.OutputPerHour = 100 }), []int64{60}, 40, "", 0},
		{"one over the hour", tierOf(func(t *Tier) { t.OutputPerHour = 100 }), []int64{60}, 41, OutputPerHour, 30*time.Second - 1},
		{"one over the day", tierOf(func(t *Tier) { t.OutputPerDay = 100 }), []int64{60}, 41, OutputPerDay, 11*time.Hour + 30*time.Second - 1},
		{"over both: the longer", tierOf(func(t *Tier) { t.OutputPerHour, t.OutputPerDay = 100, 100 }), []int64{60}, 41, OutputPerDay, 11*time.Hour + 30*time.Second - 1},
		{"too large for ever", tierOf(func(t *Tier) { t.OutputPerHour = 100 }), nil, 101, OutputPerHour, 0},
		{"too large for the hour, over the day", tierOf(func(t *Tier) { t.OutputPerHour, t.OutputPerDay = 100, 120 }), []int64{60}, 101, OutputPerHour, 0},
		{"requests", tierOf(func(t *Tier) { t.RequestsPerMinute = 2 }), []int64{0, 0}, 0, RequestsPerMinute, 30*time.Second - 1},
		{"at once", tierOf(func(t *Tier) { t.Concurrent = 2 }), []int64{0, 0}, 0, Concurrent, time.Second},
		{"requests, with a spent hour that nothing is asked of", tierOf(func(t *Tier) { t.OutputPerHour, t.RequestsPerMinute = 60, 1 }), []int64{60}, 0, RequestsPerMinute, 30*time.Second - 1},
		{"at once and requests", tierOf(func(t *Tier) { t.Concurrent, t.RequestsPerMinute = 2, 2 }), []int64{0, 0}, 0, RequestsPerMinute, 30*time.Second - 1},
		{"unlimited", unlimited, []int64{math.MaxInt64}, 0, "", 0},
		{"no sum wraps around", unlimited, []int64{math.MaxInt64}, 1, OutputPerDay, 11*time.Hour + 30*time.Second - 1},
		{"the zero tier", Tier{}, nil, 0, RequestsPerMinute, 0},
		{"a call without answer under a spent limit", tierOf(func(t *Tier) { t.OutputPerHour = 60 }), []int64{60}, 0, "", 0},
	}
	for _, row := range rows {
		l := limiterOf(t, row.tier, Options{})
		for _, output := range row.before {
			_, err := l.Reserve(t.Context(), Request{"acme", output, 0}, at)
			require.NoError(t, err, row.name)
		}
		was := values(t, l, at)
		lease, err := l.Reserve(t.Context(), Request{"acme", row.output, 0}, at)
		if row.limit == "" {
			require.NoError(t, err, row.name)
			require.NotNil(t, lease)
			continue
		}
		var exceeded *ExceededError
		require.ErrorAs(t, err, &exceeded, row.name)
		require.Equal(t, row.limit, exceeded.Limit, row.name)
		require.Equal(t, row.retry, exceeded.RetryAfter, row.name)
		require.Equal(t, was, values(t, l, at), "%s: what was refused does not count", row.name)
		_, err = l.Reserve(t.Context(), Request{"other", 0, 0}, at)
		require.Equal(t, row.tier == Tier{}, err != nil, "%s: tenants share nothing", row.name)
	}
}

// The budget of a tier is a limit in nano-euro.
func TestMonthlyBudget(t *testing.T) {
	o := Options{MonthlyBudget: true}
	l := limiterOf(t, tierOf(func(t *Tier) { t.MonthlyBudget = 2_500_000_000 }), o)
	lease, err := l.Reserve(t.Context(), Request{"acme", 0, 2_000_000_000}, noon)
	require.NoError(t, err)
	_, err = l.Reserve(t.Context(), Request{"acme", 0, 500_000_001}, noon)
	var exceeded *ExceededError
	require.ErrorAs(t, err, &exceeded)
	answer := httptest.NewRecorder()
	exceeded.Respond(answer)
	require.Contains(t, answer.Body.String(), "Rate limit monthly_budget reached: 2 of 2.5 € used or reserved, and this request asks for up to 0.500000001 € more.")
	_, err = l.Reserve(t.Context(), Request{"acme", 0, 2_500_000_001}, noon)
	require.ErrorAs(t, err, &exceeded)
	require.Zero(t, exceeded.RetryAfter, "never")
	require.NoError(t, lease.Settle(t.Context(), Used{Cost: 7}))
	require.NoError(t, l.ChargeCost(t.Context(), "acme", 2_600_000_000, noon.AddDate(0, -1, 0)))
	_, err = l.Reserve(t.Context(), Request{"acme", 0, 1}, noon.AddDate(0, -1, 0))
	require.ErrorContains(t, err, MonthlyBudget, "whatever was charged")
	require.NoError(t, l.ChargeCost(t.Context(), "acme", 3, noon))
	require.Equal(t, int64(10), values(t, l, noon)[month])
	_, err = l.Reserve(t.Context(), Request{"acme", 0, 2_499_999_990}, noon)
	require.NoError(t, err)

	require.ErrorContains(t, l.ChargeCost(t.Context(), "acme", -1, noon), "-1")
	require.ErrorContains(t, l.ChargeCost(t.Context(), "acme", Unlimited, noon), "more output tokens or money")
	require.ErrorContains(t, new(Limiter).ChargeCost(t.Context(), "acme", 1, noon), "New")
	l = limiterOf(t, Tier{OutputPerHour: 1, OutputPerDay: 1, RequestsPerMinute: 1, Concurrent: 1}, Options{})
	_, err = l.Reserve(t.Context(), Request{"acme", 0, 1}, noon)
	require.NoError(t, err, "not asked for")
	require.ErrorContains(t, l.ChargeCost(t.Context(), "acme", 1, noon), "want a Limiter with MonthlyBudget")
	o.Tier = func(string) Tier { return unlimited }
	o.Budget = func(context.Context, string, int64, time.Time) (func(context.Context, int64) error, error) {
		return nil, nil
	}
	_, err = New(o)
	require.ErrorContains(t, err, "one of them")
}

// 200 requests at once at the edge of a limit: exactly as many are let in as
// fit, and after they have settled exactly as many as fit then.
func TestExactAtTheEdge(t *testing.T) {
	const goroutines = 200
	for _, row := range []struct {
		name          string
		tier          Tier
		first, second int
	}{
		{"output", tierOf(func(t *Tier) { t.OutputPerHour = 150_000 }), 150, 75},
		{"day", tierOf(func(t *Tier) { t.OutputPerDay = 199_999 }), 199, 100},
		{"requests", tierOf(func(t *Tier) { t.RequestsPerMinute = 210 }), 200, 10},
		{"at once", tierOf(func(t *Tier) { t.Concurrent = 17 }), 17, 17},
		{"money", tierOf(func(t *Tier) { t.MonthlyBudget = 100_000 }), 100, 50},
	} {
		l := limiterOf(t, row.tier, Options{MonthlyBudget: true})
		storm := func() (leases []*Lease) {
			all := make([]*Lease, goroutines)
			var group sync.WaitGroup
			for g := range goroutines {
				group.Go(func() {
					lease, err := l.Reserve(t.Context(), Request{"acme", 1000, 1000}, noon)
					if err != nil && !errors.As(err, new(*ExceededError)) {
						t.Error(err)
					}
					all[g] = lease
				})
			}
			group.Wait()
			for _, lease := range all {
				if lease != nil {
					leases = append(leases, lease)
				}
			}
			return leases
		}
		leases := storm()
		require.Len(t, leases, row.first, row.name)
		var group sync.WaitGroup
		for _, lease := range leases {
			group.Go(func() {
				defer lease.Release(t.Context())
				if err := lease.Settle(t.Context(), Used{500, 500}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		first := int64(row.first)
		require.Equal(t, [...]int64{hour: first * 500, day: first * 500, minute: first, open: 0, month: first * 500}, values(t, l, noon), row.name)
		require.Len(t, storm(), row.second, row.name)
	}
}

// Every way out of a request frees what it did not use.
func TestEveryExit(t *testing.T) {
	ctx, gone := context.WithCancel(t.Context())
	defer gone()
	var spent atomic.Int64
	l := limiterOf(t, unlimited, Options{Budget: func(_ context.Context, _ string, most int64, _ time.Time) (func(context.Context, int64) error, error) {
		return func(ctx context.Context, exact int64) error {
			spent.Add(exact)
			return ctx.Err()
		}, nil
	}})
	exits := []struct {
		name string
		call func(*Lease)
		used Used
	}{
		{"success", func(l *Lease) { require.NoError(t, l.Settle(ctx, Used{30, 7})) }, Used{30, 7}},
		{"error", func(*Lease) {}, Used{}},
		{"client gone", func(l *Lease) { gone(); require.NoError(t, l.Settle(ctx, Used{10, 3})) }, Used{10, 3}},
		{"upstream cut", func(l *Lease) { require.NoError(t, l.Settle(ctx, Used{Output: 5})) }, Used{Output: 5}},
		{"panic", func(*Lease) { panic("upstream") }, Used{}},
		{"more than was reserved", func(l *Lease) { require.NoError(t, l.Settle(ctx, Used{300, 70})) }, Used{300, 70}},
		{"settled twice", func(l *Lease) {
			require.NoError(t, l.Settle(ctx, Used{1, 1}))
			require.ErrorIs(t, l.Settle(ctx, Used{1, 1}), ErrSettled)
		}, Used{1, 1}},
		{"nonsense first", func(l *Lease) {
			require.Error(t, l.Settle(ctx, Used{Output: -1}))
			require.Error(t, l.Settle(ctx, Used{Cost: -1}))
		}, Used{}},
	}
	var want Used
	for i, exit := range exits {
		func() {
			lease, err := l.Reserve(ctx, Request{"acme", 100, 50}, noon)
			require.NoError(t, err)
			defer func() { _ = recover() }()
			defer func() { require.NoError(t, lease.Release(ctx)) }()
			exit.call(lease)
		}()
		want.Output += exit.used.Output
		want.Cost += exit.used.Cost
		require.Equal(t, [...]int64{hour: want.Output, day: want.Output, minute: int64(i + 1), open: 0, month: 0}, values(t, l, noon), exit.name)
		require.Equal(t, want.Cost, spent.Load(), exit.name)
	}
}

// A request that ends in the next hour counts for the hour it came in.
func TestWindows(t *testing.T) {
	l := limiterOf(t, Tier{OutputPerHour: 100, OutputPerDay: Unlimited, RequestsPerMinute: 1, Concurrent: Unlimited}, Options{})
	last := noon.Add(-1)
	lease, err := l.Reserve(t.Context(), Request{"acme", 100, 0}, last)
	require.NoError(t, err)
	_, err = l.Reserve(t.Context(), Request{"acme", 1, 0}, last)
	require.Error(t, err)
	next, err := l.Reserve(t.Context(), Request{"acme", 100, 0}, noon)
	require.NoError(t, err)
	_, err = l.Reserve(t.Context(), Request{"acme", 1, 0}, last)
	require.Error(t, err, "a late clock does not open the last hour again")
	require.NoError(t, lease.Settle(t.Context(), Used{Output: 40}))
	require.Equal(t, int64(40), values(t, l, last)[hour])
	require.Equal(t, int64(100), values(t, l, noon)[hour])
	require.Equal(t, int64(140), values(t, l, noon)[day])
	require.NoError(t, next.Settle(t.Context(), Used{}))
	require.Equal(t, int64(40), values(t, l, noon)[day])

	counters := unlimited.counters(0, 0, time.Unix(-1, 0))
	require.Equal(t, int64(-60), counters[minute].Start, "before 1970 too")
}

// What came before a restart counts on.
func TestCharge(t *testing.T) {
	l := limiterOf(t, Tier{OutputPerHour: 100, OutputPerDay: 200, RequestsPerMinute: 3, Concurrent: 1}, Options{})
	require.NoError(t, l.Charge(t.Context(), "acme", 150, noon.Add(-time.Second)))
	require.NoError(t, l.Charge(t.Context(), "acme", 30, noon))
	require.Equal(t, [...]int64{hour: 30, day: 180, minute: 1, open: 0, month: 0}, values(t, l, noon))
	_, err := l.Reserve(t.Context(), Request{"acme", 21, 0}, noon)
	require.ErrorContains(t, err, OutputPerDay)
	_, err = l.Reserve(t.Context(), Request{"acme", 20, 0}, noon)
	require.NoError(t, err)

	require.ErrorContains(t, l.Charge(t.Context(), "acme", -1, noon), "-1")
	require.ErrorContains(t, l.Charge(t.Context(), "acme", math.MaxInt64, noon), "more output tokens")
	require.ErrorContains(t, l.Charge(t.Context(), strings.Repeat("x", maxTenant+1), 0, noon), "257 bytes")
	require.ErrorContains(t, new(Limiter).Charge(t.Context(), "acme", 0, noon), "New")
	l = limiterOf(t, unlimited, Options{State: new(Memory)})
	require.ErrorIs(t, l.Charge(t.Context(), "acme", 0, noon), ErrFull)
}

// A batch that runs on holds its tokens, and no place among the requests at once.
func TestDetach(t *testing.T) {
	l := limiterOf(t, Tier{OutputPerHour: 100, OutputPerDay: 100, RequestsPerMinute: 9, Concurrent: 1}, Options{})
	batch, err := l.Reserve(t.Context(), Request{"acme", 60, 0}, noon)
	require.NoError(t, err)
	_, err = l.Reserve(t.Context(), Request{"acme", 10, 0}, noon)
	require.ErrorContains(t, err, Concurrent)
	for range 2 { // the second time changes nothing
		require.NoError(t, batch.Detach(t.Context()))
		require.Equal(t, [...]int64{hour: 60, day: 60, minute: 1, open: 0, month: 0}, values(t, l, noon))
	}
	_, err = l.Reserve(t.Context(), Request{"acme", 41, 0}, noon)
	require.ErrorContains(t, err, OutputPerDay)
	_, err = l.Reserve(t.Context(), Request{"acme", 40, 0}, noon)
	require.NoError(t, err)
	require.NoError(t, batch.Settle(t.Context(), Used{Output: 5}))
	require.Equal(t, [...]int64{hour: 45, day: 45, minute: 2, open: 1, month: 0}, values(t, l, noon), "the other is under way")
	require.ErrorIs(t, batch.Detach(t.Context()), ErrSettled)
	require.ErrorIs(t, new(Lease).Detach(t.Context()), ErrSettled)
}

func TestBudgetHook(t *testing.T) {
	full := errors.New("no money left")
	var held, spent int64
	settleErr := error(nil)
	l := limiterOf(t, unlimited, Options{Budget: func(_ context.Context, tenant string, most int64, now time.Time) (func(context.Context, int64) error, error) {
		require.Equal(t, "acme", tenant)
		require.Equal(t, noon, now)
		if held+most > 100 {
			return nil, full
		}
		held += most
		return func(_ context.Context, exact int64) error {
			if settleErr == nil {
				held, spent = held-most, spent+exact
			}
			return settleErr
		}, nil
	}})
	lease, err := l.Reserve(t.Context(), Request{"acme", 10, 100}, noon)
	require.NoError(t, err)
	was := values(t, l, noon)
	_, err = l.Reserve(t.Context(), Request{"acme", 10, 1}, noon)
	require.Equal(t, full, err, "as it is")
	require.Equal(t, was, values(t, l, noon), "nothing is left of it")

	settleErr = errors.New("connection refused")
	require.ErrorIs(t, lease.Settle(t.Context(), Used{Output: 3, Cost: 30}), settleErr)
	require.Equal(t, int64(3), values(t, l, noon)[hour])
	settleErr = nil
	require.NoError(t, lease.Release(t.Context()), "tries again with what was used")
	require.ErrorIs(t, lease.Settle(t.Context(), Used{}), ErrSettled)
	require.Equal(t, []int64{0, 30, 3}, []int64{held, spent, values(t, l, noon)[hour]})
}

// brokenState is shared state out of reach.
type brokenState struct {
	State
	take, give error
	ids        []string // of what was given back
	short      bool
}

func (s *brokenState) Take(ctx context.Context, tenant string, c []Counter, now time.Time) ([]int64, bool, error) {
	if s.take != nil || s.short {
		return nil, true, s.take
	}
	return s.State.Take(ctx, tenant, c, now)
}

func (s *brokenState) Give(ctx context.Context, tenant string, c []Counter, id string) error {
	s.ids = append(s.ids, id)
	if s.give != nil {
		return s.give
	}
	return s.State.Give(ctx, tenant, c, id)
}

func TestStateOutOfReach(t *testing.T) {
	down, full := errors.New("connection refused"), errors.New("no money left")
	state := &brokenState{State: NewMemory(0)}
	l := limiterOf(t, unlimited, Options{State: state, Budget: func(_ context.Context, _ string, most int64, _ time.Time) (func(context.Context, int64) error, error) {
		if most > 0 {
			return nil, full
		}
		return func(context.Context, int64) error { return nil }, nil
	}})
	lease, err := l.Reserve(t.Context(), Request{"acme", 10, 0}, noon)
	require.NoError(t, err)
	state.give = down
	require.ErrorIs(t, lease.Settle(t.Context(), Used{Output: 4}), down)
	require.ErrorIs(t, lease.Release(t.Context()), down)
	_, err = l.Reserve(t.Context(), Request{"acme", 10, 1}, noon)
	require.ErrorIs(t, err, down)
	require.ErrorIs(t, err, full)
	state.give = nil
	require.NoError(t, lease.Release(t.Context()))
	require.Equal(t, int64(4+10), values(t, l, noon)[hour], "the one it could not give back stays reserved")
	a, b := state.ids[0], state.ids[2]
	require.Equal(t, []string{a, a, b, a}, state.ids, "one name for all tries")
	require.NotEqual(t, a, b)
	lease, err = l.Reserve(t.Context(), Request{"acme", 0, 0}, noon)
	require.NoError(t, err)
	require.NoError(t, lease.Detach(t.Context()))
	require.NoError(t, lease.Release(t.Context()))
	require.NotEqual(t, state.ids[4], state.ids[5], "two things are given back")

	state.take = down
	_, err = l.Reserve(t.Context(), Request{"acme", 10, 0}, noon)
	require.ErrorIs(t, err, down, "no answer is no leave")
	state.take, state.short = nil, true
	_, err = l.Reserve(t.Context(), Request{"acme", 10, 0}, noon)
	require.ErrorContains(t, err, "0 values of 4")
}

// contextState does nothing for a caller that went away, as a store across the
// network does.
type contextState struct{ State }

func (s contextState) Take(ctx context.Context, tenant string, c []Counter, now time.Time) ([]int64, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	return s.State.Take(ctx, tenant, c, now)
}

func (s contextState) Give(ctx context.Context, tenant string, c []Counter, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.State.Give(ctx, tenant, c, id)
}

// A client that goes away while its budget is asked leaves nothing reserved.
func TestGoneWhileTheBudgetIsAsked(t *testing.T) {
	ctx, gone := context.WithCancel(t.Context())
	l := limiterOf(t, unlimited, Options{
		State: contextState{NewMemory(0)},
		Budget: func(ctx context.Context, _ string, _ int64, _ time.Time) (func(context.Context, int64) error, error) {
			gone()
			return nil, ctx.Err()
		},
	})
	_, err := l.Reserve(ctx, Request{"acme", 10, 1}, noon)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, values(t, l, noon))
}

func TestBadRequests(t *testing.T) {
	_, err := New(Options{})
	require.ErrorContains(t, err, "Tier")
	_, err = new(Limiter).Reserve(t.Context(), Request{}, noon)
	require.ErrorContains(t, err, "New")
	require.ErrorIs(t, new(Lease).Settle(t.Context(), Used{}), ErrSettled)
	l := limiterOf(t, unlimited, Options{State: new(Memory)})
	_, err = l.Reserve(t.Context(), Request{"acme", 0, 0}, noon)
	require.ErrorIs(t, err, ErrFull)
	for _, bad := range []Request{{"acme", -1, 0}, {"acme", 0, -1}, {strings.Repeat("x", maxTenant+1), 0, 0}} {
		_, err := l.Reserve(t.Context(), bad, noon)
		require.ErrorContains(t, err, "limit: got")
		require.Less(t, len(err.Error()), 200)
	}
}
