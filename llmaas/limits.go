package llmaas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/llmaas/llmaas-go/cost"
)

// Limits are what the client lets through, so that a program stays within its
// tier instead of being refused by the service. Zero fields limit nothing.
type Limits struct {
	Requests   int   // calls a minute, over any 60 s
	OutputHour int64 // output tokens an hour of the clock, UTC
	OutputDay  int64 // output tokens a day of the clock, UTC
	Concurrent int   // calls at once; further ones wait

	// Models are those that may be called, by the names that requests use. Nil
	// means any.
	Models []string
}

// maxRequests bounds Limits.Requests, whose times are kept.
const maxRequests = 1_000_000

func (l Limits) check() error {
	if l.Requests < 0 || l.Requests > maxRequests || l.OutputHour < 0 || l.OutputDay < 0 || l.Concurrent < 0 {
		return fmt.Errorf("llmaas: Config.Limits: want no negative value, and at most %d requests", maxRequests)
	}
	return nil
}

// Budget sets money aside before a call. [*cost.Budget] is one.
type Budget interface {
	Reserve(ctx context.Context, tenant string, most cost.Amount, t time.Time) (*cost.Reservation, error)
}

// limiter keeps the limits, and pauses as long as the service says that nothing
// is left.
type limiter struct {
	Limits
	slots chan struct{}

	mu        sync.Mutex // guards what follows
	sent      []time.Time
	hour, day window
	paused    time.Time
}

// window counts output tokens of one hour or day.
type window struct {
	begin          time.Time
	used, reserved int64
}

func (w *window) at(now time.Time, size time.Duration) *window {
	if begin := now.UTC().Truncate(size); !begin.Equal(w.begin) {
		w.begin, w.used = begin, 0
	}
	return w
}

func newLimiter(l Limits) *limiter {
	out := &limiter{Limits: l}
	if l.Concurrent > 0 {
		out.slots = make(chan struct{}, l.Concurrent)
	}
	return out
}

// lease is what a call holds of the limits. The zero lease holds nothing.
type lease struct {
	limiter     *limiter
	output      int64
	reservation *cost.Reservation
}

// admit waits until the limits let a call through that may yield output tokens
// and cost most. The wait is bounded as that of a retry is.
func (c *Client) admit(ctx context.Context, known *facts, output int64, most cost.Amount) error {
	if known.lease.limiter != nil {
		known.lease.settle(ctx, nil) // of the target that failed before
	}
	l := c.limits
	if l.Models != nil && !slices.Contains(l.Models, known.model) {
		return &Error{Kind: ErrForbidden, cause: errors.New("Config.Limits.Models does not name the model")}
	}
	if l.slots != nil {
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	known.lease = lease{limiter: l}
	for {
		wait := l.take(c.now(), output)
		if wait == 0 {
			break
		}
		deadline, has := ctx.Deadline()
		if wait > c.retry.maxWait() || has && time.Until(deadline) <= wait {
			return &Error{Kind: ErrRateLimited, RetryAfter: wait, cause: errors.New("the client's own limit")}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
	known.lease.output = output
	if c.budget == nil {
		return nil
	}
	reservation, err := c.budget.Reserve(ctx, callFrom(ctx).Tenant, most, c.now())
	if err != nil {
		return &Error{Kind: ErrBudget, cause: err}
	}
	known.lease.reservation = reservation
	return nil
}

// take reserves the output tokens and counts a request, or says how long to wait.
func (l *limiter) take(now time.Time, output int64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := max(l.paused.Sub(now), 0)
	for _, w := range []struct {
		*window
		size time.Duration
		most int64
	}{{l.hour.at(now, time.Hour), time.Hour, l.OutputHour}, {l.day.at(now, 24*time.Hour), 24 * time.Hour, l.OutputDay}} {
		if w.most > 0 && w.used+w.reserved+output > w.most {
			wait = max(wait, w.begin.Add(w.size).Sub(now))
		}
	}
	if l.Requests > 0 && len(l.sent) == l.Requests {
		wait = max(wait, l.sent[0].Add(time.Minute).Sub(now))
	}
	if wait > 0 {
		return wait
	}
	if l.Requests > 0 {
		if len(l.sent) == l.Requests {
			l.sent = l.sent[1:]
		}
		l.sent = append(l.sent, now)
	}
	l.hour.reserved += output
	l.day.reserved += output
	return 0
}

// settle gives back what the call held, and counts what it used. Further calls
// do nothing.
func (l *lease) settle(ctx context.Context, result *Result) {
	if l.limiter == nil {
		return
	}
	var used cost.Usage
	var bill cost.Amount
	if result != nil {
		used, bill = result.Billed, result.Bill.Total
	}
	l.limiter.give(l.output, used.Output)
	if l.reservation != nil {
		// A state that cannot be reached keeps the reservation, which errs on the
		// safe side; the answer is the caller's all the same.
		_ = l.reservation.Settle(context.WithoutCancel(ctx), bill)
	}
	*l = lease{}
}

func (l *limiter) give(reserved, used int64) {
	if l.slots != nil {
		<-l.slots
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hour.reserved -= reserved
	l.day.reserved -= reserved
	l.hour.used += used
	l.day.used += used
}

// maxPause bounds what a rate-limit header can hold up.
const maxPause = time.Hour

// heed reads the service's rate-limit headers: when no request remains, further
// ones wait for the reset, which is given in Unix seconds.
func (l *limiter) heed(h http.Header, now time.Time) {
	if h.Get("X-Ratelimit-Remaining-Requests") != "0" {
		return
	}
	reset, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset-Requests"), 10, 64)
	if err != nil {
		return
	}
	until := time.Unix(reset, 0)
	if wait := until.Sub(now); wait <= 0 || wait > maxPause {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.paused) {
		l.paused = until
	}
}
