package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of managing keys, for errors.Is.
var (
	ErrNotFound = errors.New("access: no such key or tenant")
	ErrFull     = errors.New("access: full") // at the bound of Options.MaxKeys
)

// Options are the settings of [Keys]. The zero value works, and forgets all keys
// when the process ends.
type Options struct {
	// Store keeps the keys. Nil keeps them in memory only.
	Store Store

	// Overlap is how long a replaced secret still works after [Keys.RotateDue].
	// Zero is 24 hours.
	Overlap time.Duration

	// MaxKeys bounds the keys, and the tenants, that there may be. Zero is 10,000.
	MaxKeys int

	// Family names the family of a model, for grants. Nil takes what stands
	// before the first colon: gemma3 of gemma3:27b.
	Family func(model string) string

	// Random is where secrets come from. Nil is crypto/rand; tests may set it.
	Random io.Reader
}

// Keys knows all keys. It is safe for concurrent use: [Keys.Authenticate] takes
// no lock, and sees every change at once. The zero value knows nobody; make one
// with [New].
type Keys struct {
	store   Store
	overlap time.Duration
	max     int
	family  func(string) string
	random  io.Reader

	current atomic.Pointer[index] // what it points to never changes

	saving sync.Mutex // serializes changes; held while the store works

	publishing sync.Mutex           // held for moments only, so that a revocation never waits for a store
	unsaved    map[string]time.Time // revocations the store has not taken yet; guarded by publishing

	rotating sync.Mutex // held by RotateDue, so that no two deliver for one key
}

// index is a state that is in force, with its keys by id.
type index struct {
	state   State
	keys    map[string]*Key
	tenants map[string]*Tenant
}

// New returns the keys that the store holds.
func New(ctx context.Context, o Options) (*Keys, error) {
	k := &Keys{
		store: o.Store, overlap: o.Overlap, max: o.MaxKeys, family: o.Family, random: o.Random,
		unsaved: make(map[string]time.Time),
	}
	switch {
	case o.Overlap < 0:
		return nil, fmt.Errorf("access: got an overlap of %v, want 0 or more", o.Overlap)
	case o.MaxKeys < 0:
		return nil, fmt.Errorf("access: got at most %d keys, want 0 or more", o.MaxKeys)
	}
	if k.store == nil {
		k.store = new(memoryStore)
	}
	if k.overlap == 0 {
		k.overlap = 24 * time.Hour
	}
	if k.max == 0 {
		k.max = 10_000
	}
	if k.family == nil {
		k.family = beforeColon
	}
	if k.random == nil {
		k.random = rand.Reader
	}
	if err := k.Reload(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

func beforeColon(model string) string {
	family, _, _ := strings.Cut(model, ":")
	return family
}

// Reload takes over what the store holds, when another may have written it.
// Where it fails, all stays as it was.
func (k *Keys) Reload(ctx context.Context) error {
	k.saving.Lock()
	defer k.saving.Unlock()
	return k.reload(ctx)
}

func (k *Keys) reload(ctx context.Context) error {
	if k.store == nil {
		return errZero
	}
	state, err := k.store.Load(ctx)
	if err != nil {
		return err
	}
	if err := state.check(); err != nil {
		return fmt.Errorf("access: state: %w", err)
	}
	k.publish(state)
	return nil
}

// publish puts a state in force that nobody will change any more. Revocations
// that no store has taken yet stay in force with it.
func (k *Keys) publish(state State) {
	k.publishing.Lock()
	defer k.publishing.Unlock()
	k.publishLocked(state)
}

func (k *Keys) publishLocked(state State) {
	for id, when := range k.unsaved {
		if i, ok := state.key(id); ok && state.Keys[i].Revoked.IsZero() {
			state.Keys[i].Revoked = when
		}
	}
	ix := &index{state: state, keys: make(map[string]*Key, len(state.Keys)), tenants: make(map[string]*Tenant, len(state.Tenants))}
	for i := range state.Keys {
		ix.keys[state.Keys[i].ID] = &state.Keys[i]
	}
	for i := range state.Tenants {
		ix.tenants[state.Tenants[i].ID] = &state.Tenants[i]
	}
	k.current.Store(ix)
}

// now is the state in force, which for the zero Keys is empty.
func (k *Keys) now() *index {
	if ix := k.current.Load(); ix != nil {
		return ix
	}
	return new(index)
}

// errZero is what the zero Keys answers.
var errZero = errors.New("access: got the zero Keys, want one of New")

// change applies f to a copy of the state, saves it, and puts it in force. If
// another has changed the store it does so again on what is there now.
func (k *Keys) change(ctx context.Context, f func(*State) error) error {
	if k.store == nil {
		return errZero
	}
	k.saving.Lock()
	defer k.saving.Unlock()
	for range 10 {
		next := k.now().state.clone()
		if err := f(&next); err != nil {
			return err
		}
		if err := next.check(); err != nil {
			return fmt.Errorf("access: %w", err)
		}
		next.Revision++
		err := k.store.Save(ctx, next)
		if err == nil {
			k.saved(&next)
			k.publish(next)
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := k.reload(ctx); err != nil {
			return err
		}
	}
	return ErrConflict
}

// saved forgets the revocations that a state saved had in it. Those that came
// while it was being saved are in the next.
func (k *Keys) saved(state *State) {
	k.publishing.Lock()
	defer k.publishing.Unlock()
	for id := range k.unsaved {
		if i, ok := state.key(id); !ok || !state.Keys[i].Revoked.IsZero() {
			delete(k.unsaved, id)
		}
	}
}

// revokeHere revokes a key in this process, whatever the store is doing.
func (k *Keys) revokeHere(id string, now time.Time) {
	k.publishing.Lock()
	defer k.publishing.Unlock()
	k.unsaved[id] = now.UTC()
	k.publishLocked(k.now().state.clone())
}

// changeKey is change for one key.
func (k *Keys) changeKey(ctx context.Context, id string, f func(*Key) error) error {
	return k.change(ctx, func(s *State) error {
		i, ok := s.key(id)
		if !ok {
			return ErrNotFound
		}
		return f(&s.Keys[i])
	})
}

// PutTenant adds a tenant, or replaces the one of the same ID: its keys follow
// at once, and stop working while it is suspended.
func (k *Keys) PutTenant(ctx context.Context, t Tenant) error {
	return k.change(ctx, func(s *State) error {
		i, ok := s.tenant(t.ID)
		if ok {
			s.Tenants[i] = t
			return nil
		}
		if len(s.Tenants) >= k.max {
			return fmt.Errorf("%w: %d tenants", ErrFull, len(s.Tenants))
		}
		s.Tenants = slices.Insert(s.Tenants, i, t)
		return nil
	})
}

// Tenant returns a tenant.
func (k *Keys) Tenant(id string) (Tenant, bool) {
	if t := k.now().tenants[id]; t != nil {
		return *t, true
	}
	return Tenant{}, false
}

// Tenants returns all tenants by id.
func (k *Keys) Tenants() []Tenant { return slices.Clone(k.now().state.Tenants) }

// Key returns what is kept about a key, revoked ones too.
func (k *Keys) Key(id string) (Key, bool) {
	if key := k.now().keys[id]; key != nil {
		return key.clone(), true
	}
	return Key{}, false
}

// Keys returns the keys of a tenant by id, revoked ones too.
func (k *Keys) Keys(tenant string) []Key {
	var list []Key
	for _, key := range k.now().state.Keys {
		if key.Tenant == tenant {
			list = append(list, key.clone())
		}
	}
	return list
}

// memoryStore is the Store of those who name none.
type memoryStore struct {
	mu    sync.Mutex
	state State
}

func (m *memoryStore) Load(context.Context) (State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.clone(), nil
}

func (m *memoryStore) Save(_ context.Context, s State) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state.Revision != s.Revision-1 {
		return ErrConflict
	}
	m.state = s.clone()
	return nil
}
