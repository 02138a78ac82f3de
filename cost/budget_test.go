package cost

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func budgetOf(t *testing.T, cap Amount, state BudgetState) *Budget {
	t.Helper()
	b, err := NewBudget(BudgetOptions{Cap: func(string) Amount { return cap }, State: state})
	require.NoError(t, err)
	return b
}

func TestBudget(t *testing.T) {
	ctx, now := t.Context(), at(t, may)
	b := budgetOf(t, 100, nil)
	first, err := b.Reserve(ctx, "acme", 60, now)
	require.NoError(t, err)
	require.Equal(t, Amount(60), first.Most())
	second, err := b.Reserve(ctx, "acme", 40, now)
	require.NoError(t, err)

	_, err = b.Reserve(ctx, "acme", 1, now)
	var over *OverBudgetError
	require.ErrorAs(t, err, &over)
	require.Equal(t, OverBudgetError{Tenant: "acme", Most: 1, Cap: 100, Balance: Balance{Held: 100}, Resets: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}, *over)
	require.ErrorContains(t, err, "2026-06-01T00:00:00Z")
	_, err = b.Reserve(ctx, "other", 100, now)
	require.NoError(t, err, "tenants share nothing")

	require.NoError(t, first.Settle(ctx, 10))
	require.ErrorIs(t, first.Settle(ctx, 10), ErrSettled)
	require.NoError(t, first.Release(ctx), "a deferred Release after Settle")
	require.NoError(t, second.Release(ctx))
	require.ErrorIs(t, second.Settle(ctx, 1), ErrSettled)
	balance, err := b.Balance(ctx, "acme", now)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 10}, balance)
}

func TestBudgetEdges(t *testing.T) {
	ctx, now := t.Context(), at(t, may)
	_, err := NewBudget(BudgetOptions{})
	require.ErrorContains(t, err, "Cap")
	require.ErrorIs(t, new(Reservation).Settle(ctx, 1), ErrSettled)
	_, _, err = new(BudgetMemory).Hold(ctx, Account{"acme", "2026-05"}, 1, 100)
	require.ErrorIs(t, err, ErrFull)
	_, err = new(Budget).Reserve(ctx, "acme", 1, now)
	require.ErrorContains(t, err, "NewBudget")

	b := budgetOf(t, 100, nil)
	_, err = b.Reserve(ctx, "acme", -1, now)
	require.ErrorContains(t, err, "-0.000000001")
	_, err = b.Reserve(ctx, strings.Repeat("x", maxTenant+1), 1, now)
	require.ErrorContains(t, err, "257 bytes")
	_, err = b.Balance(ctx, strings.Repeat("x", maxTenant+1), now)
	require.ErrorContains(t, err, "257 bytes")
	require.ErrorContains(t, b.Charge(ctx, "\xff", 1, now), "not UTF-8")
	require.ErrorContains(t, b.Charge(ctx, "acme", -1, now), "-0.000000001")
	require.NoError(t, b.Charge(ctx, "acme", 0, now))

	free, err := b.Reserve(ctx, "acme", 0, now)
	require.NoError(t, err)
	require.Error(t, free.Settle(ctx, -1))
	require.NoError(t, free.Settle(ctx, 130), "booked in full, since it has been spent")
	balance, err := b.Balance(ctx, "acme", now)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 130}, balance)
	_, err = b.Reserve(ctx, "acme", 1, now)
	require.Error(t, err)
	_, err = b.Reserve(ctx, "acme", 100, at(t, "2026-06-01T00:00:00Z"))
	require.NoError(t, err, "a month later")

	nothing := budgetOf(t, 0, nil)
	_, err = nothing.Reserve(ctx, "acme", 1, now)
	require.Error(t, err)
	nothing = budgetOf(t, math.MinInt64, nil)
	_, err = nothing.Reserve(ctx, "acme", 1, now)
	require.Error(t, err)

	endless := budgetOf(t, Unlimited, nil)
	all, err := endless.Reserve(ctx, "acme", math.MaxInt64, now)
	require.NoError(t, err)
	_, err = endless.Reserve(ctx, "acme", 1, now)
	require.Error(t, err, "no sum wraps around")
	require.NoError(t, all.Settle(ctx, math.MaxInt64))
	late, err := endless.Reserve(ctx, "acme", 0, now)
	require.NoError(t, err)
	require.ErrorIs(t, late.Settle(ctx, 1), ErrOverflow)
}

func TestBudgetCharge(t *testing.T) {
	ctx, now := t.Context(), at(t, may)
	b := budgetOf(t, 100, NewBudgetMemory(1))
	require.NoError(t, b.Charge(ctx, "acme", 70, now))
	require.NoError(t, b.Charge(ctx, "acme", 50, now))
	balance, err := b.Balance(ctx, "acme", now)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 120}, balance)
	_, err = b.Reserve(ctx, "acme", 1, now)
	require.ErrorAs(t, err, new(*OverBudgetError))
	require.ErrorContains(t, b.Charge(ctx, "acme", -1, now), "want 0 or more")
	require.ErrorIs(t, b.Charge(ctx, "acme", Unlimited, now), ErrOverflow)
	require.ErrorIs(t, b.Charge(ctx, "other", 1, now), ErrFull)
	require.ErrorContains(t, b.Charge(ctx, strings.Repeat("x", maxTenant+1), 1, now), "257 bytes")
}

// The month is that of the zone, and a call is settled in the month it began.
func TestBudgetMonth(t *testing.T) {
	ctx := t.Context()
	zone := time.FixedZone("UTC+2", 2*60*60)
	b, err := NewBudget(BudgetOptions{Cap: func(string) Amount { return 100 }, Location: zone})
	require.NoError(t, err)
	last, first := at(t, "2026-05-31T21:59:59Z"), at(t, "2026-05-31T22:00:00Z")
	r, err := b.Reserve(ctx, "acme", 100, last)
	require.NoError(t, err)
	_, err = b.Reserve(ctx, "acme", 1, last)
	var over *OverBudgetError
	require.ErrorAs(t, err, &over)
	require.True(t, over.Resets.Equal(first))
	_, err = b.Reserve(ctx, "acme", 100, first)
	require.NoError(t, err)
	require.NoError(t, r.Settle(ctx, 70))
	balance, err := b.Balance(ctx, "acme", last)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 70}, balance)
	balance, err = b.Balance(ctx, "acme", first)
	require.NoError(t, err)
	require.Equal(t, Balance{Held: 100}, balance)
}

// checkedState looks at every balance that the state leaves behind.
type checkedState struct {
	*BudgetMemory
	t   *testing.T
	cap Amount
}

func (s checkedState) Hold(ctx context.Context, a Account, most, limit Amount) (Balance, bool, error) {
	balance, ok, err := s.BudgetMemory.Hold(ctx, a, most, limit)
	if balance.Spent < 0 || balance.Held < 0 || balance.Spent+balance.Held > s.cap {
		s.t.Errorf("balance %+v is beyond the cap of %v", balance, s.cap)
	}
	return balance, ok, err
}

// 256 goroutines make 10,000 reservations each, on four tenants, and settle,
// release and abandon-by-defer in every order. The end is exact, and at no
// moment is a tenant above its cap.
func TestBudgetUnderLoad(t *testing.T) {
	const goroutines, rounds, cap = 256, 10_000, 40 * Euro
	ctx, now := t.Context(), at(t, may)
	b := budgetOf(t, cap, checkedState{NewBudgetMemory(0), t, cap})
	tenants := [...]string{"a", "b", "c", "d"}
	var spent [goroutines][len(tenants)]Amount
	var refused [goroutines]int
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(g)))
			for range rounds {
				who := random.IntN(len(tenants))
				most := Amount(random.Int64N(1_000_000))
				r, err := b.Reserve(ctx, tenants[who], most, now)
				if err != nil {
					if !errors.As(err, new(*OverBudgetError)) {
						t.Error(err)
					}
					refused[g]++
					continue
				}
				exact := Amount(random.Int64N(int64(most) + 1))
				if random.IntN(4) == 0 {
					exact, err = 0, r.Release(ctx)
				} else {
					err = r.Settle(ctx, exact)
				}
				if err != nil {
					t.Error(err)
				}
				spent[g][who] += exact
			}
		})
	}
	group.Wait()
	refusals := 0
	for who, tenant := range tenants {
		var want Amount
		for g := range goroutines {
			want += spent[g][who]
		}
		balance, err := b.Balance(ctx, tenant, now)
		require.NoError(t, err)
		require.Equal(t, Balance{Spent: want}, balance)
		require.Greater(t, want, cap-1_000_000, "the cap was reached")
	}
	for _, n := range refused {
		refusals += n
	}
	require.Positive(t, refusals)
}

// One reservation settled from many goroutines takes effect once.
func TestSettleOnce(t *testing.T) {
	ctx, now := t.Context(), at(t, may)
	b := budgetOf(t, 1000, nil)
	for range 200 {
		r, err := b.Reserve(ctx, "acme", 1, now)
		require.NoError(t, err)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { _ = r.Settle(ctx, 1) })
		}
		group.Wait()
	}
	balance, err := b.Balance(ctx, "acme", now)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 200}, balance)
}

// brokenState is shared state out of reach.
type brokenState struct {
	BudgetState
	err error
	ids []string // of what was to settle
}

func (s *brokenState) Settle(ctx context.Context, a Account, held, spent Amount, id string) error {
	s.ids = append(s.ids, id)
	if s.err != nil {
		return s.err
	}
	return s.BudgetState.Settle(ctx, a, held, spent, id)
}

func (s *brokenState) Hold(ctx context.Context, a Account, most, limit Amount) (Balance, bool, error) {
	if s.err != nil {
		return Balance{}, false, s.err
	}
	return s.BudgetState.Hold(ctx, a, most, limit)
}

func TestBudgetStateOutOfReach(t *testing.T) {
	ctx, now := t.Context(), at(t, may)
	down := errors.New("connection refused")
	state := &brokenState{BudgetState: NewBudgetMemory(0)}
	b := budgetOf(t, 100, state)
	r, err := b.Reserve(ctx, "acme", 50, now)
	require.NoError(t, err)
	state.err = down
	_, err = b.Reserve(ctx, "acme", 50, now)
	require.ErrorIs(t, err, down, "no answer is no leave to spend")
	_, err = b.Balance(ctx, "acme", now)
	require.ErrorIs(t, err, down)
	require.ErrorIs(t, r.Settle(ctx, 20), down)
	require.ErrorIs(t, r.Release(ctx), down)
	state.err = nil
	require.NoError(t, r.Release(ctx), "tries again with what was spent")
	require.NoError(t, b.Charge(ctx, "other", 1, now))
	other, err := b.Reserve(ctx, "acme", 1, now)
	require.NoError(t, err)
	require.NoError(t, other.Release(ctx))
	require.Len(t, state.ids, 5)
	require.Equal(t, state.ids[:2], state.ids[1:3], "one name for all tries")
	slices.Sort(state.ids)
	require.Len(t, slices.Compact(state.ids), 3, "and for nothing else")
	balance, err := b.Balance(ctx, "acme", now)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 20}, balance)
}

func TestBudgetMemoryIsBounded(t *testing.T) {
	ctx := t.Context()
	hold := func(m *BudgetMemory, tenant, month string) error {
		_, _, err := m.Hold(ctx, Account{tenant, month}, 10, 100)
		return err
	}
	m := NewBudgetMemory(2)
	require.NoError(t, hold(m, "a", "2026-05"))
	require.NoError(t, hold(m, "b", "2026-05"))
	require.ErrorIs(t, hold(m, "c", "2026-05"), ErrFull, "this month is never forgotten")
	require.NoError(t, hold(m, "a", "2026-05"), "a known account still works")
	require.ErrorIs(t, hold(m, "a", "2026-06"), ErrFull, "nor is what is on hold")
	require.NoError(t, m.Settle(ctx, Account{"b", "2026-05"}, 10, 10, ""))
	require.NoError(t, hold(m, "a", "2026-06"))
	require.ErrorIs(t, hold(m, "b", "2026-05"), ErrFull)
	require.Equal(t, 2, m.count)
	require.NoError(t, m.Settle(ctx, Account{"a", "2026-05"}, 20, 1, ""))
	require.NoError(t, hold(m, "b", "2026-06"))
	require.Len(t, m.months, 1, "an empty month goes too")

	require.Error(t, m.Settle(ctx, Account{"a", "2026-06"}, 11, 0, ""), "more than is held")
	require.Error(t, m.Settle(ctx, Account{"x", "2026-06"}, 1, 1, ""))
	require.Error(t, m.Settle(ctx, Account{"a", "2026-06"}, -1, 1, ""))
	require.ErrorIs(t, m.Settle(ctx, Account{"x", "2026-06"}, 0, 1, ""), ErrFull)
	_, _, err := m.Hold(ctx, Account{"a", "2026-06"}, -1, 100)
	require.ErrorContains(t, err, "want 0 or more")
}

func TestBudgetSnapshot(t *testing.T) {
	ctx := t.Context()
	m := NewBudgetMemory(0)
	_, _, err := m.Hold(ctx, Account{"b", "2026-05"}, 70, 100)
	require.NoError(t, err)
	require.NoError(t, m.Settle(ctx, Account{"b", "2026-05"}, 30, 25, ""))
	_, _, err = m.Hold(ctx, Account{"a\"\n<", "2026-05"}, 1, 100)
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, m.Snapshot(&file))
	require.JSONEq(t, `{"accounts":[
		{"tenant":"a\"\n<","month":"2026-05","spent":"0","held":"0.000000001"},
		{"tenant":"b","month":"2026-05","spent":"0.000000025","held":"0.00000004"}]}`, file.String())

	restored := NewBudgetMemory(0)
	require.NoError(t, restored.Restore(bytes.NewReader(file.Bytes())))
	balance, _, err := restored.Hold(ctx, Account{"b", "2026-05"}, 0, 0)
	require.NoError(t, err)
	require.Equal(t, Balance{Spent: 65}, balance, "what was on hold counts as spent")
	var again bytes.Buffer
	require.NoError(t, restored.Snapshot(&again))
	require.NoError(t, restored.Restore(bytes.NewReader(again.Bytes())))
	var third bytes.Buffer
	require.NoError(t, restored.Snapshot(&third))
	require.Equal(t, again.String(), third.String())

	require.ErrorContains(t, m.Restore(bytes.NewReader(file.Bytes())), "under way")
	require.Error(t, restored.Snapshot(failingWriter{}))
	rows := []struct{ file, err string }{
		{`{`, "EOF"},
		{`{"accounts":[{"tenant":"a","month":"May","spent":"0","held":"0"}]}`, `month "May"`},
		{`{"accounts":[{"tenant":"a","month":"2026-05","spent":"-1","held":"0"}]}`, "negative"},
		{`{"accounts":[{"tenant":"a","month":"2026-05","spent":"9223372036","held":"1"}]}`, "overflow"},
		{`{"accounts":[{"tenant":"a","month":"2026-05"},{"tenant":"a","month":"2026-05"}]}`, "twice"},
		{`{"accounts":[{"tenant":"a","month":"2026-05","paid":"1"}]}`, "paid"},
		{`{"accounts":[{"tenant":"` + strings.Repeat("x", 300) + `","month":"2026-05"}]}`, "300 bytes"},
	}
	for _, row := range rows {
		require.ErrorContains(t, restored.Restore(strings.NewReader(row.file)), row.err)
	}
	var unchanged bytes.Buffer
	require.NoError(t, restored.Snapshot(&unchanged))
	require.Equal(t, third.String(), unchanged.String())
	require.ErrorIs(t, NewBudgetMemory(1).Restore(bytes.NewReader(file.Bytes())), ErrFull)
	months := `{"accounts":[{"tenant":"a","month":"2026-04","spent":"1"},{"tenant":"a","month":"2026-05","spent":"1"}]}`
	require.ErrorIs(t, NewBudgetMemory(1).Restore(strings.NewReader(months)), ErrFull, "nothing is forgotten to fit")
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"accounts":[{"tenant":"a","month":"2026-04","spent":"1","held":"0.5"},{"tenant":"a","month":"2026-05","spent":"1","held":"0"}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		m := NewBudgetMemory(10)
		if m.Restore(bytes.NewReader(file)) != nil {
			require.Zero(t, m.count)
			return
		}
		var once, twice bytes.Buffer
		require.NoError(t, m.Snapshot(&once))
		require.NoError(t, m.Restore(bytes.NewReader(once.Bytes())))
		require.NoError(t, m.Snapshot(&twice))
		require.Equal(t, once.String(), twice.String())
	})
}
