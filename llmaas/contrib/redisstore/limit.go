package redisstore

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/redis/go-redis/v9"
)

var (
	//go:embed whole.lua
	wholeScript string
	//go:embed limit.lua
	limitScript string
	//go:embed limit_take.lua
	takeScript string
	//go:embed limit_give.lua
	giveScript string
)

// DefaultMaxCall is how long a call takes at most: longer than the ten minutes
// after which the gateway ends one.
const DefaultMaxCall = 15 * time.Minute

// grace is how long a count outlives its window, as limit.State has it.
const grace = time.Minute

// retryWindow is how long the server knows what it has settled. A mark takes some
// 150 bytes there: 9 MB where 1,000 calls end in a second.
const retryWindow = time.Minute

// CountOptions configure [NewLimits] and [NewBudgets].
type CountOptions struct {
	// MaxCall is the longest that a call can take; for Budgets a batch is one, too.
	// What a gateway had reserved when it died is freed so long after (requests at
	// once), or counts as spent when nothing has changed the account for so long
	// (money of Budgets). Zero means DefaultMaxCall. All gateways on one server
	// need the same.
	MaxCall time.Duration

	// FailOpen is asked when the server did not answer, or with an error, and
	// says whether the tenant's call goes on, uncounted. It is also the place to
	// log that. A call that would not even fit an unused limit is refused all the
	// same. Nil means never: without an answer there is no leave.
	FailOpen func(tenant string, err error) bool
}

func (o *CountOptions) check(s *Store) error {
	if s == nil {
		return errors.New("redisstore: got no Store, want one of New")
	}
	if o.MaxCall == 0 {
		o.MaxCall = DefaultMaxCall
	}
	if o.MaxCall < time.Millisecond {
		return fmt.Errorf("redisstore: CountOptions.MaxCall: got %v, want 0 (the default) or at least 1ms", o.MaxCall)
	}
	if o.FailOpen == nil {
		o.FailOpen = func(string, error) bool { return false }
	}
	return nil
}

// Limits is a [limit.State] on a Redis (6.0 and later) or Valkey server: several
// gateways count as one, exactly. Each method is one script, and so one atomic
// step and one round trip (two after a restart of the server, to load it again).
// It is safe for concurrent use.
//
// A count is a decimal string under a key that ends in the limit's name and the
// beginning of its window; the tenant in it is hashed as in [Options].Secret. It
// expires a minute after its window. Requests at once are counted for each
// gateway (limit.lua), so that those of one that died are dropped for themselves.
//
// A call whose answer got lost is tried again once, and never counts twice. What
// a Take counted that failed all the same stays until its window is over, or, of
// requests at once, until this gateway has changed nothing of that tenant's for
// MaxCall. A Give that failed can be tried again for a minute.
type Limits struct {
	store      *Store
	opts       CountOptions
	id         string // of this gateway
	take, give *redis.Script
	uncounted  uncounted[string] // by tenant
}

var _ limit.State = (*Limits)(nil)

// NewLimits returns the limits on the server of s, with its time-out and secret.
func NewLimits(s *Store, o CountOptions) (*Limits, error) {
	if err := o.check(s); err != nil {
		return nil, err
	}
	return &Limits{
		store: s, opts: o, id: rand.Text(),
		take: redis.NewScript(wholeScript + limitScript + takeScript), give: redis.NewScript(wholeScript + limitScript + giveScript),
	}, nil
}

// Take implements [limit.State].
func (l *Limits) Take(ctx context.Context, tenant string, counters []limit.Counter, now time.Time) ([]int64, bool, error) {
	args := l.args(l.store.opts.again(), 3*len(counters))
	for _, c := range counters {
		if c.Add < 0 {
			return nil, false, fmt.Errorf("redisstore: got %d to take of %s, want 0 or more", c.Add, c.Name)
		}
		ttl := time.Duration(0)
		if c.End != 0 {
			ttl = max(time.Unix(c.End, 0).Sub(now)+grace, time.Millisecond)
		}
		args = append(args, c.Add, c.Max, ttl.Milliseconds())
	}
	keys := append(l.keys(tenant, counters), l.store.mark("take "+rand.Text()))
	reply, err := l.store.runTwice(ctx, l.take, keys, args...).Slice()
	if err != nil {
		if ctx.Err() == nil && underWay(counters) && l.opts.FailOpen(tenant, err) {
			values, ok := untouched(counters)
			if ok {
				l.uncounted.add(tenant)
			}
			return values, ok, nil
		}
		return nil, false, fmt.Errorf("redisstore: take: %w", err)
	}
	values := make([]int64, len(counters))
	if len(reply) != 1+len(values) {
		return nil, false, fmt.Errorf("redisstore: take: got %d values of %d counters", len(reply)-1, len(values))
	}
	for i := range values {
		text, _ := reply[1+i].(string)
		if values[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, false, fmt.Errorf("redisstore: take: %s: got a value that is no count", counters[i].Name)
		}
	}
	return values, reply[0] == int64(1), nil // what limit_take.lua says first
}

// Give implements [limit.State]. For a tenant of [CountOptions].FailOpen with
// calls under way that were never counted, it takes the caller for one of those:
// which is which is not known, so what such a tenant used may be off by what was
// reserved for the calls under way when the server went or came back.
func (l *Limits) Give(ctx context.Context, tenant string, counters []limit.Counter, id string) error {
	if l.uncounted.take(tenant) {
		return nil
	}
	if id == "" {
		return errNoID
	}
	counters = slices.DeleteFunc(slices.Clone(counters), func(c limit.Counter) bool { return c.Add == 0 })
	args := l.args(retryWindow, 2*len(counters))
	for _, c := range counters {
		args = append(args, c.Add, min(c.End, 1)) // 0 without a window
	}
	keys := append(l.keys(tenant, counters), l.store.mark(id))
	if err := l.store.runTwice(ctx, l.give, keys, args...).Err(); err != nil {
		return fmt.Errorf("redisstore: give: %w", err)
	}
	return nil
}

// args are what both scripts begin with, with room for more.
func (l *Limits) args(remember time.Duration, more int) []any {
	return append(make([]any, 0, 3+more), l.id, l.opts.MaxCall.Milliseconds(), remember.Milliseconds())
}

func (l *Limits) keys(tenant string, counters []limit.Counter) []string {
	name := l.store.name(behavior.Key{Tenant: tenant})
	keys := make([]string, len(counters))
	for i, c := range counters {
		keys[i] = name + ":" + c.Name + ":" + strconv.FormatInt(c.Start, 10)
	}
	return keys
}

// underWay reports whether the counters are those of a call, which will be given
// back, and not of one that is charged for later: that must not get lost.
func underWay(counters []limit.Counter) bool {
	return slices.ContainsFunc(counters, func(c limit.Counter) bool { return c.End == 0 })
}

// untouched is what Take answers where nothing has been counted before.
func untouched(counters []limit.Counter) (values []int64, ok bool) {
	values, ok = make([]int64, len(counters)), true
	for i, c := range counters {
		values[i] = c.Add
		ok = ok && c.Add <= c.Max
	}
	if !ok {
		clear(values)
	}
	return values, ok
}

// run runs a script within the time-out.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	return script.Run(ctx, s.client, keys, args...)
}

// runTwice runs a script that does nothing the second time, and does so again if
// it is not known whether it ran.
func (s *Store) runTwice(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	cmd := s.run(ctx, script, keys, args...)
	var answer redis.Error // of the server
	if err := cmd.Err(); err == nil || errors.As(err, &answer) {
		return cmd
	}
	return s.run(ctx, script, keys, args...)
}

// errNoID keeps calls apart that would be taken for one.
var errNoID = errors.New("redisstore: got no id, want one that no other call has")

// again is how long the server knows what it has reserved: until runTwice is over.
func (o *Options) again() time.Duration { return 2*o.Timeout + time.Second }

// mark is the key that says that a call was done.
func (s *Store) mark(id string) string { return s.opts.Prefix + "done:" + id }

// uncounted are the calls that were let through without the server.
type uncounted[K comparable] struct {
	mu    sync.Mutex
	calls map[K]int // bounded by the calls under way; guarded by mu
}

func (u *uncounted[K]) add(k K) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls == nil {
		u.calls = make(map[K]int)
	}
	u.calls[k]++
}

// take forgets one call and reports whether there was one.
func (u *uncounted[K]) take(k K) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls[k] > 1 {
		u.calls[k]--
		return true
	}
	_, ok := u.calls[k]
	delete(u.calls, k)
	return ok
}
