package gateway

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// Remembered is how long it is known whose a file or batch is: a batch runs for up
// to 24 hours, and its results are kept for 7 days (the service's batch API, 2026).
const Remembered = 8 * 24 * time.Hour

// Bounds of what is remembered. An entry takes some 300 bytes, and up to 1 KiB
// more for the names of a file's models.
const (
	maxAtOnce = 10      // batches under way of one tenant (the service's batch API, 2026)
	maxOwned  = 10_000  // of one tenant
	maxOwners = 100_000 // of all together
)

// owned is a file or batch. It is its tenant's alone, and lies on one machine.
type owned struct {
	tenant, id, machine string
	batch               bool
	results             bool // of a batch
	created             time.Time
	work                work // of a file that holds requests, and of a batch of them

	turn    chan struct{} // of a batch: taken by whoever settles it
	lease   *limit.Lease  // holds the worst case until then; guarded by turn
	settled atomic.Bool   // set by whoever has the turn
}

func newOwned(tenant, id, machine string, batch bool, w work, now time.Time) *owned {
	return &owned{tenant: tenant, id: id, machine: machine, batch: batch, work: w, created: now, turn: make(chan struct{}, 1)}
}

// result is a file that the batch has written.
func (o *owned) result(id string, now time.Time) *owned {
	file := newOwned(o.tenant, id, o.machine, false, work{}, now)
	file.results = true
	return file
}

// underWay reports whether o is a batch on that machine that is not billed yet.
func (o *owned) underWay(machine string) bool {
	return o != nil && o.batch && o.machine == machine && !o.settled.Load()
}

func (o *owned) over(now time.Time) bool { return now.Sub(o.created) >= Remembered }

// owners knows whose every file and batch is. Machines do not: they answer whoever
// asks. What stands here nowhere is nobody's, and not to be had.
//
// Tenants do not see one another's names, and neither does the index: machines may
// give the same one to two tenants.
type owners struct {
	mu      sync.Mutex
	tenants map[string]map[string]*owned // by id; bounded by maxOwned, maxOwners and Remembered; guarded by mu
	count   int                          // guarded by mu
	swept   time.Time                    // guarded by mu
}

// find returns a tenant's file or batch, or nil.
func (s *owners) find(tenant, id string, batch bool, now time.Time) *owned {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.tenants[tenant][id]; o != nil && o.batch == batch && !o.over(now) {
		return o
	}
	return nil
}

// get is find for either kind and any age.
func (s *owners) get(tenant, id string) *owned {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenants[tenant][id]
}

// room says whether the tenant may have one more.
func (s *owners) room(tenant string, batch bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	if batch {
		for _, o := range s.tenants[tenant] {
			if o.batch && !o.settled.Load() {
				open++
			}
		}
	}
	switch {
	case open >= maxAtOnce:
		return errManyBatches
	case len(s.tenants[tenant]) >= maxOwned:
		return errManyFiles
	case s.count >= maxOwners:
		return errFull
	}
	return nil
}

// put remembers o, and returns what had its name before: a machine that has
// forgotten what it held gives names again.
func (s *owners) put(o *owned) (before *owned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.tenants[o.tenant]
	if mine == nil {
		mine = make(map[string]*owned)
		if s.tenants == nil {
			s.tenants = make(map[string]map[string]*owned)
		}
		s.tenants[o.tenant] = mine
	}
	if before = mine[o.id]; before == nil {
		s.count++
	}
	mine[o.id] = o
	return before
}

// drop forgets o.
func (s *owners) drop(o *owned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(o)
}

// remove forgets o. The mutex is held.
func (s *owners) remove(o *owned) {
	mine := s.tenants[o.tenant]
	if mine[o.id] != o {
		return
	}
	delete(mine, o.id)
	s.count--
	if len(mine) == 0 {
		delete(s.tenants, o.tenant)
	}
}

// list returns a tenant's files or batches, the newest first.
func (s *owners) list(tenant string, batch bool, now time.Time) []*owned {
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.tenants[tenant]))
	s.mu.Unlock()
	all = slices.DeleteFunc(all, func(o *owned) bool { return o.batch != batch || o.over(now) })
	slices.SortFunc(all, func(a, b *owned) int {
		return cmp.Or(b.created.Compare(a.created), cmp.Compare(b.id, a.id))
	})
	return all
}

// sweep forgets what is too old, and returns the batches among it. It looks at
// all there is, once a minute at most.
func (s *owners) sweep(now time.Time) (batches []*owned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := now.Sub(s.swept); since >= 0 && since < time.Minute {
		return nil
	}
	s.swept = now
	for _, mine := range s.tenants {
		for _, o := range mine {
			if !o.over(now) {
				continue
			}
			if s.remove(o); o.batch {
				batches = append(batches, o)
			}
		}
	}
	return batches
}
