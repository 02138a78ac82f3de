package limit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Counter is one count of a tenant, and what a request adds to it.
type Counter struct {
	Name  string // one of the names of limits
	Start int64  // of its window, in Unix seconds; 0 for one without windows
	End   int64  // of its window, in Unix seconds; 0 for one without windows
	Add   int64
	Max   int64 // what it may not exceed; Unlimited
}

// State holds counts, possibly for several gateways at once. Its methods are
// safe for concurrent use, and each is one atomic step. Counts of a window may be
// dropped a minute after its end, when no clock can still be in it; others when
// they are zero. A state that outlives its processes drops what one that died had
// added to those others after the longest a request can take.
type State interface {
	// Take adds to all the counters of a tenant, unless one would exceed its Max:
	// then it adds to none. It returns the values after adding, or as they are,
	// in the order of the counters.
	Take(ctx context.Context, tenant string, counters []Counter, now time.Time) (values []int64, ok bool, err error)

	// Give adds to all the counters of a tenant whatever their Max; Add may be
	// negative. A counter that was dropped stays dropped; none falls below zero.
	// After an error it may be called again with the same id, which no other call
	// has: a state that may have counted and lost the answer then does not count
	// twice.
	Give(ctx context.Context, tenant string, counters []Counter, id string) error
}

// ErrFull says that there is state of as many tenants as there may be, and none
// of it can be dropped yet.
var ErrFull = errors.New("limit: full")

// defaultTenants bounds a Memory that names no bound: about 50 MB.
const defaultTenants = 100_000

// grace is how long a count outlives its window.
const grace = 60

// Memory is a [State] in memory, for one process. It is safe for concurrent
// use; make one with [NewMemory].
type Memory struct {
	max int

	mu      sync.Mutex
	tenants map[string][]count // at most max, each with at most a few counts; guarded by mu
	swept   int64              // when idle tenants were last looked for; guarded by mu
}

type count struct {
	name       string
	start, end int64
	value      int64
}

// NewMemory returns empty state for at most maxTenants tenants; zero is 100,000.
// A tenant is dropped when all its windows are over and none of its requests is
// under way. If there is no such tenant, a new one is refused with [ErrFull].
//
// Whoever replays the past with [Limiter.Charge] begins with the oldest: windows
// are dropped as calls come that are past them, so a replay from the newest on
// would hold every minute of it, and look through them all for each call.
func NewMemory(maxTenants int) *Memory {
	if maxTenants <= 0 {
		maxTenants = defaultTenants
	}
	return &Memory{max: maxTenants, tenants: make(map[string][]count)}
}

// Take implements [State].
func (m *Memory) Take(_ context.Context, tenant string, counters []Counter, now time.Time) ([]int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts, known := m.tenants[tenant]
	values := make([]int64, len(counters))
	fit := true
	for i, c := range counters {
		if at := find(counts, c); at >= 0 {
			values[i] = counts[at].value
		}
		if c.Add < 0 {
			return nil, false, fmt.Errorf("limit: got %d to take of %s, want 0 or more", c.Add, c.Name)
		}
		// Without a sum that could overflow.
		fit = fit && values[i] <= c.Max && c.Add <= c.Max-values[i]
	}
	if !fit {
		return values, false, nil
	}
	if !known {
		if err := m.makeRoom(now.Unix()); err != nil {
			return values, false, err
		}
		tenant = strings.Clone(tenant)
	}
	counts = dropOver(counts, now.Unix())
	for i, c := range counters {
		values[i] += c.Add
		if at := find(counts, c); at >= 0 {
			counts[at].value = values[i]
		} else {
			counts = append(counts, count{c.Name, c.Start, c.End, values[i]})
		}
	}
	m.tenants[tenant] = counts
	return values, true, nil
}

// Give implements [State].
func (m *Memory) Give(_ context.Context, tenant string, counters []Counter, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := m.tenants[tenant]
	for _, c := range counters {
		at := find(counts, c)
		if at < 0 {
			continue
		}
		value := &counts[at].value
		if c.Add > 0 && *value > Unlimited-c.Add {
			*value = Unlimited // full is what it is: a limit cannot be passed further
			continue
		}
		*value = max(*value+c.Add, 0)
	}
	return nil
}

func find(counts []count, c Counter) int {
	return slices.IndexFunc(counts, func(have count) bool { return have.start == c.Start && have.name == c.Name })
}

// dropOver removes the counts that no request can ask for any more.
func dropOver(counts []count, now int64) []count {
	return slices.DeleteFunc(counts, func(c count) bool { return c.over(now) })
}

func (c count) over(now int64) bool {
	if c.end == 0 {
		return c.value == 0
	}
	return c.end+grace <= now
}

// makeRoom drops idle tenants if there are as many as there may be. It looks
// for them once a second at most, so that refusing stays cheap.
func (m *Memory) makeRoom(now int64) error {
	if len(m.tenants) < m.max {
		return nil
	}
	if m.swept != now {
		m.swept = now
		for tenant, counts := range m.tenants {
			if !slices.ContainsFunc(counts, func(c count) bool { return !c.over(now) }) {
				delete(m.tenants, tenant)
			}
		}
	}
	if len(m.tenants) >= m.max {
		return fmt.Errorf("%w: %d tenants", ErrFull, len(m.tenants))
	}
	return nil
}
