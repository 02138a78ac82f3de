package host

import (
	"context"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// resume charges what the audit says was used this month before a restart: the
// limits and budgets themselves are kept in memory.
func resume(ctx context.Context, c config, limits *limit.Limiter, budget *cost.Budget, now time.Time) error {
	y, m, _ := now.UTC().Date()
	since := audit.Filter{From: time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)}
	for r, err := range audit.Records(c.Audit, since, c.auditKey) {
		if err != nil {
			return err
		}
		if r.Output > 0 {
			if err := limits.Charge(ctx, r.Tenant, r.Output, r.Time); err != nil {
				return err
			}
		}
		if r.Cost > 0 {
			if err := budget.Charge(ctx, r.Tenant, cost.Amount(r.Cost), r.Time); err != nil {
				return err
			}
		}
	}
	return nil
}
