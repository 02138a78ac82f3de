package limit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// maxTenant bounds the length of a tenant's name in bytes.
const maxTenant = 256

// Options are the settings of a [Limiter].
type Options struct {
	// Tier is what a tenant may use. It is asked for every request, from many
	// goroutines. Required; a tenant it does not know gets the zero Tier, which
	// allows nothing.
	Tier func(tenant string) Tier

	// State holds the counts. Nil keeps them in memory, in a [Memory] of its own.
	State State

	// MonthlyBudget enforces Tier.MonthlyBudget as one more count of State, in
	// calendar months in UTC: what a request costs is reserved and settled in the
	// same step as its tokens.
	MonthlyBudget bool

	// Budget is for budgets that are kept elsewhere, and not together with
	// MonthlyBudget. It reserves the most that a request can cost, in nano-euro,
	// against the tenant's budget, and returns a func that settles what it did
	// cost. That is called until it returns nil, and then never again; nothing
	// spent is 0. Its errors, such as that the budget is used up, come back from
	// Reserve as they are.
	Budget func(ctx context.Context, tenant string, most int64, now time.Time) (settle func(ctx context.Context, exact int64) error, err error)
}

// Limiter keeps tenants within their tiers: reserve the worst case before the
// call, settle the true usage after it. It is safe for concurrent use. The zero
// value refuses everything; make one with [New].
type Limiter struct {
	tier   func(string) Tier
	state  State
	last   int // of the counters, month if there are budgets among them
	budget func(context.Context, string, int64, time.Time) (func(context.Context, int64) error, error)
}

// New returns a limiter, or an error for options without a Tier or with two kinds
// of budget.
func New(o Options) (*Limiter, error) {
	if o.Tier == nil {
		return nil, errors.New("limit: got no Tier, want a func that knows each tenant's")
	}
	if o.MonthlyBudget && o.Budget != nil {
		return nil, errors.New("limit: got MonthlyBudget and a Budget, want one of them at most")
	}
	l := &Limiter{tier: o.Tier, state: o.State, last: open, budget: o.Budget}
	if o.MonthlyBudget {
		l.last = month
	}
	if l.state == nil {
		l.state = NewMemory(0)
	}
	return l, nil
}

// Request is what a call may use at worst.
type Request struct {
	Tenant string
	Output int64 // max_tokens × n; 0 for a call without an answer
	Cost   int64 // nano-euro, for the budget
}

// Used is what a call did use.
type Used struct {
	Output int64 // all completion tokens, reasoning too
	Cost   int64 // nano-euro
}

// The names of the limits, as in [ExceededError].
const (
	OutputPerHour     = "output_tokens_per_hour"
	OutputPerDay      = "output_tokens_per_day"
	RequestsPerMinute = "requests_per_minute"
	Concurrent        = "concurrent_requests"
	MonthlyBudget     = "monthly_budget" // in nano-euro
)

// counters is the order of a request's counters.
const (
	hour = iota
	day
	minute
	open
	month // last, for not every limiter has it
	counterCount
)

// counters returns what a request adds to the counts of the windows that now is
// in. Windows are those of the clock in UTC, so that gateways agree on them, and
// on when they end, without asking one another.
func (t Tier) counters(output, cost int64, now time.Time) [counterCount]Counter {
	window := func(name string, length, add, most int64) Counter {
		start := now.Unix() - (now.Unix()%length+length)%length
		return Counter{Name: name, Start: start, End: start + length, Add: add, Max: most}
	}
	year, m, _ := now.UTC().Date()
	first := time.Date(year, m, 1, 0, 0, 0, 0, time.UTC)
	return [counterCount]Counter{
		hour:   window(OutputPerHour, 60*60, output, t.OutputPerHour),
		day:    window(OutputPerDay, 24*60*60, output, t.OutputPerDay),
		minute: window(RequestsPerMinute, 60, 1, t.RequestsPerMinute),
		open:   {Name: Concurrent, Add: 1, Max: t.Concurrent},
		month:  {Name: MonthlyBudget, Start: first.Unix(), End: first.AddDate(0, 1, 0).Unix(), Add: cost, Max: t.MonthlyBudget},
	}
}

// Reserve sets aside what a request may use at worst, or returns an
// [*ExceededError] if that could pass a limit of its tenant: then nothing is
// set aside, and the request does not count. The caller must settle or release
// the lease, on every path; a deferred Release sees to it.
func (l *Limiter) Reserve(ctx context.Context, r Request, now time.Time) (*Lease, error) {
	switch {
	case l.state == nil:
		return nil, errors.New("limit: got the zero Limiter, want one of New")
	case r.Output < 0 || r.Cost < 0:
		return nil, fmt.Errorf("limit: got %d output tokens and %d nano-euro to reserve, want 0 or more", r.Output, r.Cost)
	case len(r.Tenant) > maxTenant:
		return nil, fmt.Errorf("limit: got a tenant of %d bytes, want at most %d", len(r.Tenant), maxTenant)
	}
	all := l.tier(r.Tenant).counters(r.Output, r.Cost, now)
	counters := all[:l.last+1]
	values, ok, err := l.state.Take(ctx, r.Tenant, counters, now)
	if err != nil {
		return nil, fmt.Errorf("limit: %w", err)
	}
	if len(values) != len(counters) {
		return nil, fmt.Errorf("limit: state: got %d values of %d counters", len(values), len(counters))
	}
	if !ok {
		return nil, exceeded(counters, values, now)
	}
	lease := &Lease{
		state: l.state, tenant: r.Tenant, counters: counters, requests: requestsOf(counters[minute], values[minute]),
		id: rand.Text(),
	}
	if l.budget != nil {
		lease.settleBudget, err = l.budget(ctx, r.Tenant, r.Cost, now)
		if err != nil {
			lease.settleBudget = nil
			// The budget may have failed because the client went away.
			if undo := lease.giveBack(context.WithoutCancel(ctx), Used{}, -1); undo != nil {
				return nil, errors.Join(err, undo)
			}
			return nil, err
		}
	}
	return lease, nil
}

// Charge counts a request that was made without a lease, whatever the limits: one
// that an audit shows came at the instant t before a restart. It leaves budgets
// alone.
func (l *Limiter) Charge(ctx context.Context, tenant string, output int64, t time.Time) error {
	return l.charge(ctx, tenant, Used{Output: output}, t, hour, minute)
}

// ChargeCost counts what a request at the instant t cost, in nano-euro, for a
// limiter with [Options].MonthlyBudget.
func (l *Limiter) ChargeCost(ctx context.Context, tenant string, cost int64, t time.Time) error {
	if l.state != nil && l.last != month {
		return errors.New("limit: got a cost to charge, want a Limiter with MonthlyBudget")
	}
	return l.charge(ctx, tenant, Used{Cost: cost}, t, month, month)
}

func (l *Limiter) charge(ctx context.Context, tenant string, u Used, t time.Time, from, to int) error {
	switch {
	case l.state == nil:
		return errors.New("limit: got the zero Limiter, want one of New")
	case u.Output < 0 || u.Cost < 0:
		return fmt.Errorf("limit: got %d output tokens and %d nano-euro to charge, want 0 or more", u.Output, u.Cost)
	case len(tenant) > maxTenant:
		return fmt.Errorf("limit: got a tenant of %d bytes, want at most %d", len(tenant), maxTenant)
	}
	none := Tier{OutputPerHour: Unlimited, OutputPerDay: Unlimited, RequestsPerMinute: Unlimited, MonthlyBudget: Unlimited}
	counters := none.counters(u.Output, u.Cost, t)
	_, ok, err := l.state.Take(ctx, tenant, counters[from:to+1], t)
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	if !ok {
		return errors.New("limit: got more output tokens or money than a count holds")
	}
	return nil
}

// ErrSettled says that a lease was settled or released before.
var ErrSettled = errors.New("limit: lease is settled already")

// Lease is what is set aside for one request. It is safe for concurrent use.
type Lease struct {
	state    State
	tenant   string
	counters []Counter
	requests Requests
	id       string // names what is given back

	mu           sync.Mutex
	used         *Used                              // of the first Settle or Release; guarded by mu
	counted      bool                               // the state knows the usage; guarded by mu
	settleBudget func(context.Context, int64) error // nil when the budget knows the cost; guarded by mu
}

// Settle counts what the request used and frees the rest. It counts for the hour
// and day in which the request came. More than was reserved is counted in full.
//
// A second Settle is [ErrSettled] and counts nothing. After any other error, as
// of shared state out of reach, the usage is remembered, and Settle or Release
// tries again with it. A canceled ctx does not keep it from counting: a client
// that went away has used what it used.
func (l *Lease) Settle(ctx context.Context, u Used) error {
	if u.Output < 0 || u.Cost < 0 {
		return fmt.Errorf("limit: got %d output tokens and %d nano-euro to settle, want 0 or more", u.Output, u.Cost)
	}
	return l.settle(ctx, u)
}

// Release is Settle for a request that used nothing; it still counts as one of
// the requests of its minute. After a Settle or Release that succeeded it does
// nothing, so that it can be deferred.
func (l *Lease) Release(ctx context.Context) error {
	if err := l.settle(ctx, Used{}); err != nil && !errors.Is(err, ErrSettled) {
		return err
	}
	return nil
}

// Detach takes the request off those at once and leaves the rest reserved: for a
// batch, which runs on when its request has been answered.
func (l *Lease) Detach(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == nil || l.counted {
		return ErrSettled
	}
	at := l.counters[open]
	at.Add = -at.Add
	if err := l.state.Give(context.WithoutCancel(ctx), l.tenant, []Counter{at}, "detach "+l.id); err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	l.counters[open].Add = 0
	return nil
}

// Requests returns the state of the tenant's request limit after this request.
func (l *Lease) Requests() Requests { return l.requests }

func (l *Lease) settle(ctx context.Context, u Used) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == nil || l.counted && l.settleBudget == nil {
		return ErrSettled
	}
	if l.used == nil {
		l.used = &u
	}
	ctx = context.WithoutCancel(ctx)
	var all error
	if !l.counted {
		all = l.giveBack(ctx, *l.used, 0)
		l.counted = all == nil
	}
	if l.settleBudget != nil {
		if err := l.settleBudget(ctx, l.used.Cost); err != nil {
			all = errors.Join(all, fmt.Errorf("limit: budget: %w", err))
		} else {
			l.settleBudget = nil
		}
	}
	return all
}

// giveBack makes of what was reserved what was used.
func (l *Lease) giveBack(ctx context.Context, u Used, requests int64) error {
	back := slices.Clone(l.counters)
	for i := range back {
		c := &back[i]
		switch i {
		case hour, day:
			c.Add = u.Output - c.Add
		case minute:
			c.Add = requests
		case open:
			c.Add = -c.Add
		case month:
			c.Add = u.Cost - c.Add
		}
	}
	if err := l.state.Give(ctx, l.tenant, back, l.id); err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	return nil
}
