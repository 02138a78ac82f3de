package redisstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// No server listens there: the tenant's policy says what becomes of calls.
func ExampleNewLimits() {
	store, err := redisstore.New(redisstore.Options{URL: "redis://127.0.0.1:1/0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	state, err := redisstore.NewLimits(store, redisstore.CountOptions{
		FailOpen: func(tenant string, err error) bool { return tenant == "museum" },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	limiter, err := limit.New(limit.Options{Tier: func(string) limit.Tier { return limit.Tiers()[0] }, State: state})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, tenant := range []string{"bank", "museum"} {
		_, err := limiter.Reserve(context.Background(), limit.Request{Tenant: tenant, Output: 1000}, time.Now())
		fmt.Println(tenant, err == nil)
	}
	// Output:
	// bank false
	// museum true
}

// Without FailOpen nothing is spent that cannot be counted.
func ExampleNewBudgets() {
	store, err := redisstore.New(redisstore.Options{URL: "redis://127.0.0.1:1/0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	state, err := redisstore.NewBudgets(store, redisstore.CountOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return 1000 * cost.Euro }, State: state})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = budget.Reserve(context.Background(), "acme", cost.Euro, time.Now())
	fmt.Println(err == nil)
	// Output:
	// false
}
