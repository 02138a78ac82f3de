package cost

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
	"unicode/utf8"
)

// Unlimited is the cap of a tenant whose spending is not limited.
const Unlimited Amount = math.MaxInt64

// maxTenant bounds the length of a tenant's name in bytes.
const maxTenant = 256

// Errors of a [Budget], for errors.Is.
var (
	// ErrSettled says that the reservation was settled or released before.
	ErrSettled = errors.New("cost: reservation is settled already")
	// ErrFull says that state is at its bound and nothing in it may be dropped.
	ErrFull = errors.New("cost: full")
)

// BudgetOptions are the settings of a [Budget].
type BudgetOptions struct {
	// Cap is the most that a tenant may spend in a calendar month: Unlimited, an
	// amount, or zero for nothing at all. It is asked at every reservation, from
	// many goroutines. Required.
	Cap func(tenant string) Amount

	// Location is where a month begins and ends. Nil is UTC.
	Location *time.Location

	// State holds the balances. Nil keeps them in memory, in a BudgetMemory of
	// its own.
	State BudgetState
}

// BudgetState holds balances, possibly for several gateways at once. Its methods
// are safe for concurrent use, and each is one atomic step. What a process held
// when it died stays held: a state that outlives its processes drops it after
// the longest a call can take, as spent.
type BudgetState interface {
	// Hold adds most to what the account holds if spent + held + most ≤ limit,
	// and reports whether it did, and the balance it left. A hold of zero
	// changes nothing and always succeeds: it reads.
	Hold(ctx context.Context, a Account, most, limit Amount) (Balance, bool, error)

	// Settle takes held off what the account holds and adds spent to what it has
	// spent, whatever the limit is. With nothing held, it opens the account if
	// need be. After an error it may be called again with the same id, which no
	// other call has: a state that may have booked and lost the answer then does
	// not book twice.
	Settle(ctx context.Context, a Account, held, spent Amount, id string) error
}

// Account is what a balance belongs to.
type Account struct {
	Tenant string `json:"tenant"`
	Month  string `json:"month"` // like "2026-05"
}

// Balance is the state of an account. Spent + Held never exceed the cap as long
// as no call costs more than was reserved for it.
type Balance struct {
	Spent Amount `json:"spent"` // settled
	Held  Amount `json:"held"`  // reserved by calls under way
}

// Budget keeps tenants within a cap per calendar month: reserve the most a call
// can cost before it is made, and settle what it did cost after. It is safe for
// concurrent use. The zero value refuses everything; make one with [NewBudget].
type Budget struct {
	cap      func(string) Amount
	location *time.Location
	state    BudgetState
}

// NewBudget returns a budget, or an error for options without a Cap.
func NewBudget(o BudgetOptions) (*Budget, error) {
	if o.Cap == nil {
		return nil, errors.New("cost: budget: got no Cap, want a func that knows each tenant's")
	}
	b := &Budget{cap: o.Cap, location: o.Location, state: o.State}
	if b.location == nil {
		b.location = time.UTC
	}
	if b.state == nil {
		b.state = NewBudgetMemory(0)
	}
	return b, nil
}

// OverBudgetError says that a call could exceed the cap of its tenant.
type OverBudgetError struct {
	Tenant  string
	Most    Amount // asked for
	Cap     Amount
	Balance Balance
	Resets  time.Time // when the next month begins
}

func (e *OverBudgetError) Error() string {
	return fmt.Sprintf("cost: budget: %v € more would exceed the cap of %v € a month (spent %v €, held %v €; next month begins %s)",
		e.Most, e.Cap, e.Balance.Spent, e.Balance.Held, e.Resets.Format(time.RFC3339))
}

// Reserve sets aside the most that a call at the instant t can cost, or returns
// an [*OverBudgetError] if the tenant could exceed its cap in that month. The
// caller must settle or release what it gets, on every path; a deferred Release
// sees to it.
//
// What is reserved in a month is settled in that month, however long the call.
func (b *Budget) Reserve(ctx context.Context, tenant string, most Amount, t time.Time) (*Reservation, error) {
	if most < 0 {
		return nil, fmt.Errorf("cost: budget: got %v € to reserve, want 0 or more", most)
	}
	account, err := b.account(tenant, t)
	if err != nil {
		return nil, err
	}
	limit := b.cap(tenant)
	balance, ok, err := b.state.Hold(ctx, account, most, limit)
	if err != nil {
		return nil, fmt.Errorf("cost: budget: %w", err)
	}
	if !ok {
		return nil, &OverBudgetError{Tenant: tenant, Most: most, Cap: limit, Balance: balance, Resets: b.resets(t)}
	}
	return &Reservation{state: b.state, account: account, most: most, id: rand.Text()}, nil
}

// Charge books a cost that nothing was reserved for, whatever the cap: a batch
// that has come back, or what an audit shows was spent before a restart.
func (b *Budget) Charge(ctx context.Context, tenant string, exact Amount, t time.Time) error {
	if exact < 0 {
		return fmt.Errorf("cost: budget: got %v € to charge, want 0 or more", exact)
	}
	account, err := b.account(tenant, t)
	if err != nil {
		return err
	}
	if err := b.state.Settle(context.WithoutCancel(ctx), account, 0, exact, rand.Text()); err != nil {
		return fmt.Errorf("cost: budget: %w", err)
	}
	return nil
}

// Balance returns what the tenant has spent and holds in the month of t.
func (b *Budget) Balance(ctx context.Context, tenant string, t time.Time) (Balance, error) {
	account, err := b.account(tenant, t)
	if err != nil {
		return Balance{}, err
	}
	balance, _, err := b.state.Hold(ctx, account, 0, Unlimited)
	if err != nil {
		return Balance{}, fmt.Errorf("cost: budget: %w", err)
	}
	return balance, nil
}

func (b *Budget) account(tenant string, t time.Time) (Account, error) {
	if b.state == nil {
		return Account{}, errors.New("cost: budget: got the zero Budget, want one of NewBudget")
	}
	if len(tenant) > maxTenant {
		return Account{}, fmt.Errorf("cost: budget: got a tenant of %d bytes, want at most %d", len(tenant), maxTenant)
	}
	if !utf8.ValidString(tenant) { // in a snapshot two of them could become one
		return Account{}, errors.New("cost: budget: got a tenant that is not UTF-8, want UTF-8")
	}
	return Account{Tenant: tenant, Month: t.In(b.location).Format("2006-01")}, nil
}

// resets is the first instant of the month after that of t. A zone may have no
// midnight on that day (a clock change); time.Date then gives the nearest instant.
func (b *Budget) resets(t time.Time) time.Time {
	year, month, _ := t.In(b.location).Date()
	return time.Date(year, month+1, 1, 0, 0, 0, 0, b.location)
}

// Reservation is money set aside for one call. Exactly one of Settle and Release
// takes effect. It is safe for concurrent use.
type Reservation struct {
	state   BudgetState
	account Account
	most    Amount
	id      string // names the Settle

	mu    sync.Mutex
	exact *Amount // of the first Settle or Release; guarded by mu
	done  bool    // guarded by mu
}

// Most is what was reserved.
func (r *Reservation) Most() Amount { return r.most }

// Settle books what the call cost and frees the rest. A cost above Most is booked
// in full, since it has been spent; a caller who reserves true bounds never sees
// that. A second Settle is [ErrSettled], and books nothing. After any other
// error, such as one of shared state out of reach, the reservation stands, the
// cost is remembered, and Settle or Release tries again with it. A canceled ctx
// does not keep it from booking.
func (r *Reservation) Settle(ctx context.Context, exact Amount) error {
	if exact < 0 {
		return fmt.Errorf("cost: budget: got %v € to settle, want 0 or more", exact)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done || r.state == nil {
		return ErrSettled
	}
	if r.exact == nil {
		r.exact = &exact
	}
	// A caller that has gone away has spent all the same.
	if err := r.state.Settle(context.WithoutCancel(ctx), r.account, r.most, *r.exact, r.id); err != nil {
		return fmt.Errorf("cost: budget: %w", err)
	}
	r.done = true
	return nil
}

// Release frees the reservation of a call that cost nothing. After a Settle or
// Release that succeeded it does nothing, so that it can be deferred.
func (r *Reservation) Release(ctx context.Context) error {
	if err := r.Settle(ctx, 0); err != nil && !errors.Is(err, ErrSettled) {
		return err
	}
	return nil
}
