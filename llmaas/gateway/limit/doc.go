// Package limit decides how much a tenant may use: output tokens per hour and
// day, requests per minute and at once, and a monthly budget, by tier.
//
// # Reserve, then settle
//
// A request reserves the worst it can use before it is made, and settles what
// it did use after, on every path. So no limit is ever passed, however many
// requests come at once:
//
//	limiter, err := limit.New(limit.Options{Tier: tierOf})
//	lease, err := limiter.Reserve(ctx, limit.Request{Tenant: "acme", Output: maxTokens}, time.Now())
//	var exceeded *limit.ExceededError
//	if errors.As(err, &exceeded) {
//		exceeded.Respond(w) // 429, Retry-After, the service's error object
//		return
//	}
//	defer lease.Release(ctx)      // errors, panics, clients that are gone
//	lease.Requests().Set(w.Header()) // X-RateLimit-…-Requests
//	… // the call
//	err = lease.Settle(ctx, limit.Used{Output: usage.CompletionTokens})
//
// # Tiers
//
// [Tiers] are the five of the service, dated and sourced; [LoadTiers] reads
// others. The limits count output tokens, reasoning among them. The source
// prints no figures for requests per minute and at once, so a host that wants
// them sets them in its tiers.
//
// # Windows
//
// Windows are the minutes, hours and days of the clock in UTC: a limit is exact
// within each, and Retry-After is the time to its end. Around the end of a window
// a tenant can use what is left of one and all of the next. A request counts for
// the windows in which it came, however long it takes.
//
// # Budgets
//
// With [Options].MonthlyBudget the monthly budget of a tier is a limit like the
// others, in nano-euro and in the same step. A host whose budgets are others',
// such as those of package cost in a time zone of its own, reserves and settles
// them in [Options].Budget along with the rest:
//
//	func(ctx context.Context, tenant string, most int64, now time.Time) (func(context.Context, int64) error, error) {
//		r, err := budget.Reserve(ctx, tenant, cost.Amount(most), now)
//		if err != nil {
//			return nil, err // a *cost.OverBudgetError
//		}
//		return func(ctx context.Context, exact int64) error { return r.Settle(ctx, cost.Amount(exact)) }, nil
//	}
//
// # State
//
// A [Memory] holds the counts for one process, and begins anew with it; a host
// that keeps an audit makes good for that with [Limiter.Charge] and
// [Limiter.ChargeCost], the oldest first. Several
// gateways share them behind [State], two methods that are each one atomic step.
//
// # What is not here
//
// Queues: a request that does not fit is refused, not held. Limits by address,
// for callers without a key, are the host's.
package limit
