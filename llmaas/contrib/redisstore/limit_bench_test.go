package redisstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// BenchmarkReserveSettle is what a request adds for 1,000 tenants: limits and the
// budget of the tier in two round trips, or with a budget of package cost in four.
// Compare BenchmarkRoundTrip, which is one.
func BenchmarkReserveSettle(b *testing.B) {
	for _, name := range []string{"MonthlyBudget", "Budget"} {
		b.Run(name, func(b *testing.B) { benchmarkReserveSettle(b, name == "MonthlyBudget") })
	}
}

func benchmarkReserveSettle(b *testing.B, monthly bool) {
	s := startServer(b)
	tier := limit.Tier{OutputPerHour: limit.Unlimited, OutputPerDay: limit.Unlimited, RequestsPerMinute: limit.Unlimited, Concurrent: limit.Unlimited, MonthlyBudget: limit.Unlimited}
	o := limit.Options{Tier: func(string) limit.Tier { return tier }, State: limitsOf(b, s, redisstore.CountOptions{}), MonthlyBudget: monthly}
	if !monthly {
		budget := budgetOf(b, cost.Unlimited, budgetsOf(b, s, redisstore.CountOptions{}))
		o.Budget = func(ctx context.Context, tenant string, most int64, now time.Time) (func(context.Context, int64) error, error) {
			r, err := budget.Reserve(ctx, tenant, cost.Amount(most), now)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context, exact int64) error { return r.Settle(ctx, cost.Amount(exact)) }, nil
		}
	}
	l, err := limit.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	parallel(b, func() func(int64) error {
		return func(i int64) error {
			lease, err := l.Reserve(b.Context(), limit.Request{Tenant: fmt.Sprint(i % 1000), Output: 1000, Cost: 900_000}, noon)
			if err != nil {
				return err
			}
			return lease.Settle(b.Context(), limit.Used{Output: 10, Cost: 9000})
		}
	})
}
