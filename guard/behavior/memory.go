package behavior

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// Defaults of [MemoryOptions].
const (
	DefaultSessions = 100_000          // at most 90 MB
	DefaultWindow   = 30 * time.Minute // what is older is forgotten
	DefaultHalfLife = 10 * time.Minute // of the points that escalation adds up
)

// MemoryOptions are the bounds of a [Memory]. The zero value gives the defaults.
type MemoryOptions struct {
	// Sessions is how many sessions are remembered; beyond it the ones used
	// least recently go. Zero means DefaultSessions. A session costs less than
	// 1 KB, whatever is said in it.
	Sessions int

	// Window is how long a prompt, or a session without prompts, is remembered.
	// Zero means DefaultWindow.
	Window time.Duration

	// HalfLife is the time in which the points of a session halve. Zero means
	// DefaultHalfLife.
	HalfLife time.Duration
}

// Memory is a [History] in the memory of this process. An Append takes constant
// time and, once a session is known, allocates nothing.
//
// Sessions live in shards, each with its own lock and its own order of use, so
// "least recently used" is meant per shard. Memory for a session is reused and
// never returned.
type Memory struct {
	opts  MemoryOptions
	seeds [2]maphash.Seed
	shard []shard
}

// NewMemory returns an empty Memory. Negative bounds are an error.
func NewMemory(opts MemoryOptions) (*Memory, error) {
	for _, o := range []struct {
		name string
		n    int64
	}{
		{"Sessions", int64(opts.Sessions)},
		{"Window", int64(opts.Window)},
		{"HalfLife", int64(opts.HalfLife)},
	} {
		if o.n < 0 {
			return nil, fmt.Errorf("behavior: MemoryOptions.%s: got %d, want 0 (the default) or more", o.name, o.n)
		}
	}
	if opts.Sessions == 0 {
		opts.Sessions = DefaultSessions
	}
	if opts.Window == 0 {
		opts.Window = DefaultWindow
	}
	if opts.HalfLife == 0 {
		opts.HalfLife = DefaultHalfLife
	}
	m := &Memory{opts: opts, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	m.shard = make([]shard, shardsFor(opts.Sessions))
	for i := range m.shard {
		m.shard[i].max = opts.Sessions / len(m.shard)
		m.shard[i].index = make(map[[2]uint64]int32)
		m.shard[i].newest, m.shard[i].oldest = none, none
	}
	return m, nil
}

// shardsFor returns one shard for few sessions, so that the bound stays exact
// and the order of use true; else enough that callers seldom meet at a lock.
func shardsFor(sessions int) int {
	if sessions < 4096 {
		return 1
	}
	return 64
}

// Append implements [History]. It never fails.
func (m *Memory) Append(_ context.Context, key Key, e *Entry, past *Past) error {
	k := m.hash(key)
	s := &m.shard[k[0]%uint64(len(m.shard))]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(e.Time.Add(-m.opts.Window).UnixNano())
	s.use(k).add(e, past, m.opts.Window, m.opts.HalfLife)
	return nil
}

// Len returns the number of sessions remembered, expired ones that nothing has
// touched since included.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shard {
		s := &m.shard[i]
		s.mu.Lock()
		n += len(s.index)
		s.mu.Unlock()
	}
	return n
}

// hash makes 128 bits of a key, under seeds that nobody outside knows: two
// sessions never meet, not even on purpose.
func (m *Memory) hash(key Key) (sum [2]uint64) {
	for i, seed := range m.seeds {
		tenant, session := maphash.String(seed, key.Tenant), maphash.String(seed, key.Session)
		// Multiplying by an odd number keeps (a, b) apart from (b, a).
		sum[i] = tenant*0x9E3779B97F4A7C15 + session
	}
	return sum
}

const (
	none  = -1
	chunk = 32 // sessions allocated together
)

// shard is a part of the sessions: a table, a list in order of use, and the
// memory that both point into. mu guards all of it. It is bounded by max.
type shard struct {
	mu             sync.Mutex
	max            int
	index          map[[2]uint64]int32
	chunks         []*[chunk]session
	used           int32 // sessions handed out of chunks
	free           []int32
	newest, oldest int32
}

func (s *shard) at(i int32) *session { return &s.chunks[i/chunk][i%chunk] }

// use returns the session k, new when it is not known, as the newest.
func (s *shard) use(k [2]uint64) *session {
	i, ok := s.index[k]
	if ok {
		s.unlink(i)
	} else {
		if len(s.index) >= s.max {
			s.remove(s.oldest)
		}
		i = s.take()
		s.index[k] = i
		s.at(i).key = k
	}
	s.link(i)
	return s.at(i)
}

// take returns an empty session that is in no list.
func (s *shard) take() int32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	if int(s.used) == len(s.chunks)*chunk {
		s.chunks = append(s.chunks, new([chunk]session))
	}
	s.used++
	return s.used - 1
}

// expire removes up to two sessions not used since the given time: twice as
// many as an Append can add, so that the dead never pile up.
func (s *shard) expire(time int64) {
	for range 2 {
		if s.oldest == none || s.at(s.oldest).last >= time {
			return
		}
		s.remove(s.oldest)
	}
}

func (s *shard) remove(i int32) {
	s.unlink(i)
	delete(s.index, s.at(i).key)
	*s.at(i) = session{}
	s.free = append(s.free, i)
}

func (s *shard) link(i int32) {
	this := s.at(i)
	this.older, this.newer = s.newest, none
	if s.newest == none {
		s.oldest = i
	} else {
		s.at(s.newest).newer = i
	}
	s.newest = i
}

func (s *shard) unlink(i int32) {
	this := s.at(i)
	if this.newer == none {
		s.newest = this.older
	} else {
		s.at(this.newer).older = this.older
	}
	if this.older == none {
		s.oldest = this.newer
	} else {
		s.at(this.older).newer = this.newer
	}
}
