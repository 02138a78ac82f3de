package redisstore

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/redis/go-redis/v9"
)

//go:embed budget.lua
var budgetScript string

// accountLife is how long an account outlives the last change to it: its month
// and the one after, for whoever asks what was spent.
const accountLife = 62 * 24 * time.Hour

// Budgets is a [cost.BudgetState] on a Redis or Valkey server: several gateways
// spend from one balance, to the nano-euro. Each method is one script, and so one
// atomic step and one round trip (two after a restart of the server, to load it
// again). It is safe for concurrent use.
//
// An account is one string of three numbers (budget.lua) under a key that ends in
// its month; the tenant in it is hashed as in [Options].Secret. It expires 62 days
// after the last change.
//
// What dead gateways held counts as spent once nothing has changed the account
// for [CountOptions].MaxCall. Until then it counts as held, which leaves as little
// of the budget.
//
// An error means that the server may have booked or not. A Hold that did stays
// held, and then spent. A Settle books once, however often it is tried: it tries
// again once itself, and the server knows its id for a minute.
type Budgets struct {
	store     *Store
	opts      CountOptions
	script    *redis.Script
	uncounted uncounted[hold]
}

// hold is money that was held for a call. Two of the same are interchangeable.
type hold struct {
	account cost.Account
	most    cost.Amount
}

var _ cost.BudgetState = (*Budgets)(nil)

// NewBudgets returns the budgets on the server of s, with its time-out and secret.
func NewBudgets(s *Store, o CountOptions) (*Budgets, error) {
	if err := o.check(s); err != nil {
		return nil, err
	}
	return &Budgets{store: s, opts: o, script: redis.NewScript(wholeScript + budgetScript)}, nil
}

// Hold implements [cost.BudgetState]. While the server does not answer, the
// balance of a tenant of [CountOptions].FailOpen reads as zero.
func (b *Budgets) Hold(ctx context.Context, a cost.Account, most, limit cost.Amount) (cost.Balance, bool, error) {
	if most < 0 {
		return cost.Balance{}, false, fmt.Errorf("redisstore: got %v € to hold, want 0 or more", most)
	}
	keys := []string{b.key(a)}
	if most > 0 {
		keys = append(keys, b.store.mark("hold "+rand.Text()))
	}
	how, balance, err := answer(b.store.runTwice(ctx, b.script, keys, b.args("hold", b.store.opts.again(), most, limit)...))
	if err != nil {
		if ctx.Err() != nil || !b.opts.FailOpen(a.Tenant, err) {
			return cost.Balance{}, false, fmt.Errorf("redisstore: hold: %w", err)
		}
		ok := most == 0 || most <= limit
		if ok && most > 0 {
			balance.Held = most
			b.uncounted.add(hold{a, most})
		}
		return balance, ok, nil
	}
	return balance, how == "ok", nil
}

// Settle implements [cost.BudgetState]. What is not held is an error. A call that
// went on uncounted is booked if the server answers again; if not, FailOpen is
// asked again, and the call stays uncounted.
func (b *Budgets) Settle(ctx context.Context, a cost.Account, held, spent cost.Amount, id string) error {
	if held < 0 || spent < 0 {
		return fmt.Errorf("redisstore: got %v € to settle from a hold of %v €, want 0 or more", spent, held)
	}
	if id == "" {
		return errNoID
	}
	most := held
	uncounted := held > 0 && b.uncounted.take(hold{a, held})
	if uncounted {
		held = 0
	}
	if held == 0 && spent == 0 {
		return nil
	}
	how, _, err := answer(b.store.runTwice(ctx, b.script, []string{b.key(a), b.store.mark(id)}, b.args("settle", retryWindow, held, spent)...))
	switch {
	case err != nil && uncounted && b.opts.FailOpen(a.Tenant, err):
		return nil
	case err != nil:
		if uncounted { // it is still so when this is tried again
			b.uncounted.add(hold{a, most})
		}
		return fmt.Errorf("redisstore: settle: %w", err)
	case how == "overflow":
		return fmt.Errorf("redisstore: settle: %w", cost.ErrOverflow)
	case how != "ok":
		return fmt.Errorf("redisstore: settle: got %v € to settle from a hold of %v € that is not there", spent, held)
	}
	return nil
}

func (b *Budgets) key(a cost.Account) string {
	return b.store.name(behavior.Key{Tenant: a.Tenant}) + ":budget:" + a.Month
}

func (b *Budgets) args(what string, remember time.Duration, x, y cost.Amount) []any {
	return []any{b.opts.MaxCall.Milliseconds(), accountLife.Milliseconds(), remember.Milliseconds(), what, int64(x), int64(y)}
}

// answer reads what the script says.
func answer(cmd *redis.Cmd) (how string, balance cost.Balance, err error) {
	reply, err := cmd.StringSlice()
	if err != nil {
		return "", balance, err
	}
	if len(reply) != 3 {
		return "", balance, fmt.Errorf("got %d values, want 3", len(reply))
	}
	spent, err := strconv.ParseInt(reply[1], 10, 64)
	if err != nil {
		return "", balance, err
	}
	held, err := strconv.ParseInt(reply[2], 10, 64)
	if err != nil {
		return "", balance, err
	}
	return reply[0], cost.Balance{Spent: cost.Amount(spent), Held: cost.Amount(held)}, nil
}
