package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/lifecycle"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// Guard judges a prompt before it is sent. [*guard.Guard] is one.
type Guard interface {
	Inspect(ctx context.Context, in guard.Input) guard.Report
}

// Config configures [New]. Keys and Backends must be set.
type Config struct {
	// Keys knows who may call what.
	Keys *access.Keys

	// Backends sends a request to a machine, as *balance.Balancer does.
	Backends http.RoundTripper

	// Limits says how much. Nil means no limit.
	Limits *limit.Limiter

	// Guard judges what is new in each turn. Nil means guard.New with its
	// defaults: the analysis is on unless a tenant's policy switches it off.
	Guard Guard

	// Output scans answers on their way to the caller. Nil means that they are
	// not scanned.
	Output *output.Rules

	// Models are the ids that are served: others are answered 404, and these are
	// listed. Nil means that the catalogue is listed, and that what it does not
	// know is left to the machines.
	Models []string

	// Catalogue knows the models and their dates. Nil means lifecycle.Default.
	Catalogue *lifecycle.Catalogue

	// Advice says how strict lifecycle is. Its Tenant is set for each request.
	Advice lifecycle.AdviceOptions

	// Prices and Energy are what calls are billed by. Nil means the defaults of
	// package cost.
	Prices *cost.PriceBook
	Energy *cost.EnergyTable

	// Audit records every request. Nil means that nothing is recorded.
	Audit *audit.Log

	// RecordTexts says whether prompts and answers of a tenant go into the
	// audit. Nil means none do.
	RecordTexts func(tenant string) bool

	// Metrics counts requests. Nil means that nothing is counted.
	Metrics *metrics.Metrics

	// Log is told about failures of the gateway itself, never a text or a key.
	// Nil means slog.Default.
	Log *slog.Logger

	// MaxBody is the largest request body, in bytes. 0 means 32 MiB. Bodies are
	// held in memory, a few times over while they are read: with MaxConcurrent
	// it bounds what callers with a key can take of it.
	MaxBody int64

	// MaxConcurrent bounds the requests under way; more are answered 503. 0
	// means 4,096.
	MaxConcurrent int

	// Timeout bounds one request from its header to the end of its answer. 0
	// means 10 min.
	Timeout time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

func (c *Config) defaults() error {
	switch {
	case c.Keys == nil:
		return errors.New("gateway: Config.Keys: got none, want the keys of package access")
	case c.Backends == nil:
		return errors.New("gateway: Config.Backends: got none, want a RoundTripper such as *balance.Balancer")
	case c.MaxBody < 0 || c.MaxConcurrent < 0 || c.Timeout < 0:
		return errors.New("gateway: Config: got a negative bound, want 0 or more")
	}
	if c.Guard == nil {
		g, err := guard.New(guard.Options{})
		if err != nil {
			return err
		}
		c.Guard = g
	}
	if c.Catalogue == nil {
		c.Catalogue = lifecycle.Default()
	}
	if c.Prices == nil {
		c.Prices = cost.Default()
	}
	if c.Energy == nil {
		c.Energy = cost.DefaultEnergy()
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.MaxBody == 0 {
		c.MaxBody = 32 << 20
	}
	if c.MaxConcurrent == 0 {
		c.MaxConcurrent = 4096
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}
