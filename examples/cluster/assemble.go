package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// tenants, and what they want when Redis does not answer: that calls go on
// uncounted, and prompts without what came before them; or that they are refused.
var tenants = []struct {
	name                  string
	openLimits, openGuard bool
}{
	{"bank", false, false},
	{"clinic", true, false},
	{"museum", true, true},
}

// requestsPerMinute is what each tenant may make, through all gateways.
const requestsPerMinute = 20

// node is one gateway of the cluster.
type node struct {
	api    http.Handler
	budget *cost.Budget
}

// assemble puts a gateway together whose sessions, limits and budgets stand on
// the server of store.
func assemble(store *redisstore.Store, keys *access.Keys, machine string, now func() time.Time) (*node, error) {
	openLimits, policies := make(map[string]bool), make(map[string]guard.Policy)
	for _, t := range tenants {
		openLimits[t.name] = t.openLimits
		policies[t.name] = guard.Policy{Behavior: guard.BehaviorPolicy{FailClosed: !t.openGuard}}
	}
	counts := redisstore.CountOptions{FailOpen: func(tenant string, err error) bool {
		slog.Warn("redis did not answer", "tenant", tenant, "open", openLimits[tenant], "err", err)
		return openLimits[tenant]
	}}
	balances, err := redisstore.NewBudgets(store, counts)
	if err != nil {
		return nil, err
	}
	windows, err := redisstore.NewLimits(store, counts)
	if err != nil {
		return nil, err
	}
	budget, err := cost.NewBudget(cost.BudgetOptions{State: balances, Cap: func(string) cost.Amount { return 100 * cost.Euro }})
	if err != nil {
		return nil, err
	}
	tier := limit.Tiers()[0]
	tier.RequestsPerMinute = requestsPerMinute
	limits, err := limit.New(limit.Options{State: windows, Tier: func(string) limit.Tier { return tier }, Budget: reserveFrom(budget)})
	if err != nil {
		return nil, err
	}
	prompts, err := guard.New(guard.Options{History: store, Tenants: policies})
	if err != nil {
		return nil, err
	}
	machines, err := balance.New(balance.Options{Backends: []balance.Backend{
		{Name: "gpu-01", URL: machine, Header: http.Header{"Authorization": {"Bearer machine"}}},
	}})
	if err != nil {
		return nil, err
	}
	api, err := gateway.New(gateway.Config{Keys: keys, Limits: limits, Guard: prompts, Backends: machines, Now: now})
	if err != nil {
		return nil, err
	}
	return &node{api, budget}, nil
}

// reserveFrom fits a budget into the limits.
func reserveFrom(b *cost.Budget) func(context.Context, string, int64, time.Time) (func(context.Context, int64) error, error) {
	return func(ctx context.Context, tenant string, most int64, now time.Time) (func(context.Context, int64) error, error) {
		r, err := b.Reserve(ctx, tenant, cost.Amount(most), now)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, exact int64) error { return r.Settle(ctx, cost.Amount(exact)) }, nil
	}
}
