package host

import (
	"context"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// resume takes up what the audit says was before a restart: whose files and
// batches are and, unless others share them, what was used this month, for limits
// and budgets are kept in memory.
func resume(ctx context.Context, c config, api *gateway.Gateway, limits *limit.Limiter, shared bool, now time.Time) error {
	y, m, _ := now.UTC().Date()
	month, since := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), now.Add(-gateway.Remembered)
	if month.Before(since) {
		since = month
	}
	for r, err := range audit.Records(c.Audit, audit.Filter{From: since}, c.auditKey) {
		if err != nil {
			return err
		}
		api.Restore(ctx, r, !shared)
		if shared || r.Time.Before(month) {
			continue
		}
		if r.Output > 0 {
			if err := limits.Charge(ctx, r.Tenant, r.Output, r.Time); err != nil {
				return err
			}
		}
		if r.Cost > 0 {
			if err := limits.ChargeCost(ctx, r.Tenant, r.Cost, r.Time); err != nil {
				return err
			}
		}
	}
	return nil
}
