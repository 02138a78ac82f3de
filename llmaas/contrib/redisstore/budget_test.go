package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/stretchr/testify/require"
)

func budgetsOf(t testing.TB, s *server, o redisstore.CountOptions) *redisstore.Budgets {
	t.Helper()
	b, err := redisstore.NewBudgets(open(t, redisstore.Options{URL: s.url(), Secret: []byte("shared")}), o)
	require.NoError(t, err)
	return b
}

func budgetOf(t testing.TB, most cost.Amount, state cost.BudgetState) *cost.Budget {
	t.Helper()
	b, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return most }, State: state})
	require.NoError(t, err)
	return b
}

// budgetStep is a call of cost.BudgetState, of Hold where hold is set.
type budgetStep struct {
	month        string // "" is 2026-05
	hold         bool
	most, limit  cost.Amount
	held, spent  cost.Amount
	balance      cost.Balance // of a Hold
	refused, err bool
	overflow     bool // what the error is
}

// budgetRows are what package cost promises of a BudgetState.
var budgetRows = map[string][]budgetStep{
	"fits exactly": {
		{hold: true, most: 60, limit: 100, balance: cost.Balance{Held: 60}}, {hold: true, most: 40, limit: 100, balance: cost.Balance{Held: 100}},
		{hold: true, most: 1, limit: 100, balance: cost.Balance{Held: 100}, refused: true},
		{held: 60, spent: 10}, {held: 40}, {hold: true, limit: 100, balance: cost.Balance{Spent: 10}},
		{hold: true, most: 90, limit: 100, balance: cost.Balance{Spent: 10, Held: 90}},
	},
	"months are apart": {
		{hold: true, most: 100, limit: 100, balance: cost.Balance{Held: 100}}, {month: "2026-06", hold: true, most: 100, limit: 100, balance: cost.Balance{Held: 100}},
		{held: 100, spent: 70}, {hold: true, limit: 100, balance: cost.Balance{Spent: 70}}, {month: "2026-06", hold: true, limit: 100, balance: cost.Balance{Held: 100}},
	},
	"a hold of zero reads":     {{hold: true, limit: 0}, {hold: true, limit: -1}, {spent: 130}, {hold: true, limit: 100, balance: cost.Balance{Spent: 130}}},
	"booked in full":           {{hold: true, most: 50, limit: 100, balance: cost.Balance{Held: 50}}, {held: 50, spent: 130}, {hold: true, most: 1, limit: 100, balance: cost.Balance{Spent: 130}, refused: true}},
	"nothing allowed":          {{hold: true, most: 1, limit: 0, refused: true}, {hold: true, most: 1, limit: -largest - 1, refused: true}},
	"nothing to settle":        {{}, {hold: true, limit: 0}},
	"what is not held":         {{held: 1, spent: 1, err: true}, {hold: true, most: 5, limit: 9, balance: cost.Balance{Held: 5}}, {held: 6, err: true}, {hold: true, balance: cost.Balance{Held: 5}}},
	"negative":                 {{held: -1, spent: 1, err: true}, {spent: -1, err: true}, {hold: true, limit: 0}},
	"a limit that was lowered": {{hold: true, most: 50, limit: 100, balance: cost.Balance{Held: 50}}, {hold: true, most: 1, limit: 40, balance: cost.Balance{Held: 50}, refused: true}},
	"beyond doubles": {
		{hold: true, most: double, limit: double + 2, balance: cost.Balance{Held: double}}, {hold: true, most: 1, limit: double + 2, balance: cost.Balance{Held: double + 1}},
		{held: double, spent: double - 1}, {hold: true, most: 3, limit: double + 2, balance: cost.Balance{Spent: double - 1, Held: 1}, refused: true},
		{hold: true, most: 2, limit: double + 2, balance: cost.Balance{Spent: double - 1, Held: 3}},
	},
	"around a euro":  {{spent: cost.Euro - 1}, {hold: true, most: 2, limit: cost.Euro, balance: cost.Balance{Spent: cost.Euro - 1}, refused: true}, {spent: 1}, {hold: true, balance: cost.Balance{Spent: cost.Euro}}},
	"no sum wraps":   {{hold: true, most: largest, limit: cost.Unlimited, balance: cost.Balance{Held: largest}}, {hold: true, most: 1, limit: cost.Unlimited, balance: cost.Balance{Held: largest}, refused: true}},
	"overflow":       {{spent: largest}, {spent: 1, err: true, overflow: true}, {hold: true, balance: cost.Balance{Spent: largest}}, {hold: true, most: largest, limit: largest, balance: cost.Balance{Spent: largest}, refused: true}},
	"both are large": {{hold: true, most: largest, limit: largest, balance: cost.Balance{Held: largest}}, {spent: largest}, {hold: true, balance: cost.Balance{Spent: largest, Held: largest}}, {held: largest}, {hold: true, balance: cost.Balance{Spent: largest}}},
}

func TestBudgets(t *testing.T) {
	s := startServer(t)
	for name, state := range map[string]cost.BudgetState{"memory": cost.NewBudgetMemory(0), "redis": budgetsOf(t, s, redisstore.CountOptions{})} {
		for row, steps := range budgetRows {
			t.Run(name+"/"+row, func(t *testing.T) {
				for i, step := range steps {
					account := cost.Account{Tenant: row, Month: "2026-05"}
					if step.month != "" {
						account.Month = step.month
					}
					if step.hold {
						balance, ok, err := state.Hold(t.Context(), account, step.most, step.limit)
						require.NoError(t, err, "step %d", i)
						require.Equal(t, step.balance, balance, "step %d", i)
						require.Equal(t, !step.refused, ok, "step %d", i)
						continue
					}
					err := state.Settle(t.Context(), account, step.held, step.spent, fmt.Sprint(row, i))
					require.Equal(t, step.err, err != nil, "step %d: %v", i, err)
					require.Equal(t, step.overflow, errors.Is(err, cost.ErrOverflow), "step %d: %v", i, err)
				}
			})
		}
	}
}

// TestBudgetsAgainstMemory makes the same random calls of both.
func TestBudgetsAgainstMemory(t *testing.T) {
	redis, memory := budgetsOf(t, startServer(t), redisstore.CountOptions{}), cost.NewBudgetMemory(0)
	random := rand.New(rand.NewPCG(3, 4))
	amount := func() cost.Amount { return cost.Amount(anyNumber(random)) }
	let, refused, settled, failed := 0, 0, 0, 0
	for account := range 150 {
		a := cost.Account{Tenant: strconv.Itoa(account), Month: "2026-05"}
		var held []cost.Amount
		for range 20 {
			if random.IntN(2) == 0 {
				most, limit := amount(), amount()
				if random.IntN(2) == 0 {
					limit = cost.Unlimited
				}
				want, wantOK, err := memory.Hold(t.Context(), a, most, limit)
				require.NoError(t, err)
				got, ok, err := redis.Hold(t.Context(), a, most, limit)
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.Equal(t, wantOK, ok)
				if ok {
					held = append(held, most)
					let++
				} else {
					refused++
				}
				continue
			}
			back, spent := amount(), amount()
			if len(held) > 0 {
				back, held = held[0], held[1:]
			}
			id := strconv.Itoa(settled + failed)
			want, got := memory.Settle(t.Context(), a, back, spent, id), redis.Settle(t.Context(), a, back, spent, id)
			require.Equal(t, want != nil, got != nil, "%v, %v", want, got)
			require.Equal(t, errors.Is(want, cost.ErrOverflow), errors.Is(got, cost.ErrOverflow))
			if want == nil {
				settled++
			} else {
				failed++
			}
		}
	}
	for _, count := range []int{let, refused, settled, failed} {
		require.Greater(t, count, 100)
	}
}

// TestBudgetsOfTwoGateways spends one budget from 64 goroutines through two
// gateways: the end is exact, and the cap was reached and never passed.
func TestBudgetsOfTwoGateways(t *testing.T) {
	const limit = cost.Amount(double + 2_000_000)
	s := startServer(t)
	gateways := [...]*cost.Budget{budgetOf(t, limit, budgetsOf(t, s, redisstore.CountOptions{})), budgetOf(t, limit, budgetsOf(t, s, redisstore.CountOptions{}))}
	require.NoError(t, gateways[0].Charge(t.Context(), "acme", double-1, noon))
	var spent, refused atomic.Int64
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(g)))
			for range 60 {
				r, err := gateways[g%2].Reserve(t.Context(), "acme", cost.Amount(random.Int64N(50_000)), noon)
				if err != nil {
					if !errors.As(err, new(*cost.OverBudgetError)) {
						t.Error(err)
					}
					refused.Add(1)
					continue
				}
				exact := cost.Amount(random.Int64N(int64(r.Most()) + 1))
				if err := r.Settle(t.Context(), exact); err != nil {
					t.Error(err)
				}
				spent.Add(int64(exact))
				balance, err := gateways[g%2].Balance(t.Context(), "acme", noon)
				if err != nil || balance.Spent+balance.Held > limit {
					t.Errorf("balance %+v, %v is beyond the cap of %v", balance, err, limit)
				}
			}
		})
	}
	wg.Wait()
	balance, err := gateways[1].Balance(t.Context(), "acme", noon)
	require.NoError(t, err)
	require.Equal(t, cost.Balance{Spent: double - 1 + cost.Amount(spent.Load())}, balance)
	require.Positive(t, refused.Load())
}

// TestBudgetsStandThere looks at the server, as TestLimitsStandThere does.
func TestBudgetsStandThere(t *testing.T) {
	s := startServer(t)
	c, b := client(t, s), budgetOf(t, 100, budgetsOf(t, s, redisstore.CountOptions{}))
	require.NoError(t, c.ConfigResetStat(t.Context()).Err())
	const calls = 10
	for range calls {
		r, err := b.Reserve(t.Context(), "acme", 10, noon)
		require.NoError(t, err)
		require.NoError(t, r.Settle(t.Context(), 1))
	}
	stats, err := c.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	require.Contains(t, stats, fmt.Sprintf("cmdstat_evalsha:calls=%d,", 2*calls))
	require.Contains(t, stats, "cmdstat_eval:calls=1,", "to load the script")

	keys, err := c.Keys(t.Context(), "*:budget:*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	requireMarks(t, c, 2*calls)
	require.True(t, strings.HasSuffix(keys[0], ":budget:2026-05"))
	require.NotContains(t, keys[0], "acme")
	ttl, err := c.PTTL(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	require.Greater(t, ttl, 61*24*time.Hour)
	for _, value := range []string{"", "1", "1 2", "-1 0 0", "1 2 3 4", "1.5 0 0", "999999999999999999999 0 0"} {
		require.NoError(t, c.Set(t.Context(), keys[0], value, 0).Err())
		_, err := b.Reserve(t.Context(), "acme", 1, noon)
		require.Error(t, err, "%q", value)
		require.False(t, errors.As(err, new(*cost.OverBudgetError)))
		require.Error(t, b.Charge(t.Context(), "acme", 1, noon), "%q", value)
	}
	require.NoError(t, c.Set(t.Context(), keys[0], "9999999999999999999 0 9999999999999", 0).Err())
	_, err = b.Balance(t.Context(), "acme", noon)
	require.ErrorContains(t, err, "out of range")
}

// TestBudgetsOfTheDead: what a gateway that died held counts as spent.
func TestBudgetsOfTheDead(t *testing.T) {
	s := startServer(t)
	b := budgetOf(t, cost.Unlimited, budgetsOf(t, s, redisstore.CountOptions{MaxCall: 300 * time.Millisecond}))
	_, err := b.Reserve(t.Context(), "acme", 30, noon)
	require.NoError(t, err)
	late, err := b.Reserve(t.Context(), "acme", 40, noon)
	require.NoError(t, err)
	balance := func() cost.Balance {
		balance, err := b.Balance(t.Context(), "acme", noon)
		require.NoError(t, err)
		return balance
	}
	require.Eventually(t, func() bool { return balance() == cost.Balance{Spent: 70} }, 20*time.Second, 20*time.Millisecond)
	require.ErrorContains(t, late.Settle(t.Context(), 1), "not there", "spent already")
	_, err = b.Reserve(t.Context(), "acme", cost.Unlimited-70, noon)
	require.NoError(t, err)
	require.NoError(t, b.Charge(t.Context(), "acme", 100, noon))
	require.Eventually(t, func() bool { return balance() == cost.Balance{Spent: cost.Unlimited} }, 20*time.Second, 20*time.Millisecond, "full is what it is")
}

// TestBudgetsSurviveKill: what is settled until the server says so is booked
// exactly once.
func TestBudgetsSurviveKill(t *testing.T) {
	var names, booked, again, held atomic.Int64
	s := underKills(t, func(s *server, _ int) func() bool {
		state, account := budgetsOf(t, s, redisstore.CountOptions{}), cost.Account{Tenant: "acme", Month: "2026-05"}
		return func() bool {
			_, ok, err := state.Hold(context.Background(), account, 10, cost.Unlimited)
			if err != nil {
				held.Add(10) // at most
				return false
			}
			if !ok {
				t.Error("refused below the cap")
			}
			id := strconv.FormatInt(names.Add(1), 10)
			for state.Settle(context.Background(), account, 10, 7, id) != nil {
				again.Add(1)
				time.Sleep(time.Millisecond)
			}
			booked.Add(7)
			return true
		}
	})
	balance, err := budgetOf(t, cost.Unlimited, budgetsOf(t, s, redisstore.CountOptions{})).Balance(t.Context(), "acme", noon)
	require.NoError(t, err)
	require.Equal(t, booked.Load(), int64(balance.Spent))
	require.LessOrEqual(t, int64(balance.Held), held.Load())
	require.Positive(t, held.Load()+again.Load(), "the server was killed under load")
}

// TestBudgetsWithoutServer: the tenant's policy says what becomes of calls.
func TestBudgetsWithoutServer(t *testing.T) {
	s := startServer(t)
	told := 0
	b := budgetOf(t, 100, budgetsOf(t, s, redisstore.CountOptions{FailOpen: func(tenant string, err error) bool {
		told++
		return tenant == "open"
	}}))
	s.kill()
	_, err := b.Reserve(t.Context(), "closed", 1, noon)
	require.ErrorContains(t, err, "cost: budget: redisstore: hold: ")
	require.ErrorAs(t, err, new(*net.OpError))
	_, err = b.Reserve(t.Context(), "open", 101, noon)
	require.ErrorAs(t, err, new(*cost.OverBudgetError), "more than the cap alone")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Reserve(gone, "open", 1, noon)
	require.ErrorIs(t, err, context.Canceled)
	reserve := func() *cost.Reservation {
		r, err := b.Reserve(t.Context(), "open", 90, noon)
		require.NoError(t, err)
		return r
	}
	lost, late, free, nothing := reserve(), reserve(), reserve(), reserve()
	before := told
	require.NoError(t, lost.Settle(t.Context(), 50))
	require.Equal(t, before+1, told, "not in silence")
	require.ErrorContains(t, b.Charge(t.Context(), "open", 1, noon), "cost: budget: redisstore: settle: ")
	require.NoError(t, nothing.Release(t.Context()), "nothing was counted, and nothing is to be")

	s.start() // with nothing in it
	counted := reserve()
	require.NoError(t, free.Release(t.Context()))
	require.NoError(t, late.Settle(t.Context(), 20))
	balance, err := b.Balance(t.Context(), "open", noon)
	require.NoError(t, err)
	require.Equal(t, cost.Balance{Spent: 20, Held: 90}, balance, "booked, and the hold of another left alone")
	require.NoError(t, counted.Settle(t.Context(), 1))
	balance, err = b.Balance(t.Context(), "open", noon)
	require.NoError(t, err)
	require.Equal(t, cost.Balance{Spent: 21}, balance)
}
