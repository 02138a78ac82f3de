package host

import (
	"context"
	"log/slog"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
)

// prune removes records that have been kept long enough, now and every day.
func prune(ctx context.Context, log *audit.Log, keep time.Duration) {
	for {
		if _, err := log.Prune(time.Now().Add(-keep)); err != nil {
			slog.Error("gateway: audit", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(24 * time.Hour):
		}
	}
}
