package host

import (
	"context"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// assemble puts a gateway together. It reads like the diagram of the service: a
// load balancer over the machines, behind an authentication service, limits per
// tier, the prompt analysis, an audit trail and the monitoring.
func assemble(ctx context.Context, c config, keys *access.Keys, shared Shared) (http.Handler, *audit.Log, error) {
	meters, err := metrics.New(metrics.Options{Alerts: c.Alerts, Notify: c.notify})
	if err != nil {
		return nil, nil, err
	}
	machines, err := balance.New(balance.Options{
		Backends: c.Backends,
		OnEject: func(name string, out bool) {
			if out {
				meters.Ejected(name)
			}
		},
	})
	if err != nil {
		return nil, nil, err
	}
	go machines.Probe(ctx, balance.ProbeOptions{})
	go meters.Watch(ctx.Done(), 5*time.Second)

	limits, err := limit.New(limit.Options{Tier: c.tierOf(keys), State: shared.Limits, MonthlyBudget: true})
	if err != nil {
		return nil, nil, err
	}
	prompts, err := guard.New(guard.Options{History: shared.History, HistoryFailed: forgot})
	if err != nil {
		return nil, nil, err
	}
	answers, err := output.New(output.Options{})
	if err != nil {
		return nil, nil, err
	}
	log, err := audit.Open(audit.Options{Dir: c.Audit, Key: c.auditKey, SyncEvery: time.Second})
	if err != nil {
		return nil, nil, err
	}
	api, err := gateway.New(gateway.Config{
		Keys: keys, Limits: limits, Guard: prompts, Output: answers, Backends: machines, Audit: log, Metrics: meters,
	})
	if err != nil {
		return nil, log, err
	}
	if err := resume(ctx, c, api, limits, shared.Limits != nil, time.Now()); err != nil {
		return nil, log, err
	}
	page, err := newConsole(ctx, keys, meters, machines)
	if err != nil {
		return nil, log, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("/console/", page)
	mux.Handle("GET /metrics", adminOnly(keys, meters))
	return mux, log, nil
}
