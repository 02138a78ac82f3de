package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// State is all that a [Store] keeps: tenants and keys, by id. It holds no secret.
type State struct {
	// Revision grows by one with every change.
	Revision int64    `json:"revision"`
	Tenants  []Tenant `json:"tenants"`
	Keys     []Key    `json:"keys"`
}

// Store keeps the state of [Keys]. Its methods are safe for concurrent use.
type Store interface {
	// Load returns the state saved last, or the zero State.
	Load(ctx context.Context) (State, error)

	// Save replaces the stored state in one step: after a crash at any point,
	// Load returns the state before or the one saved. It fails with
	// [ErrConflict], changing nothing, unless the stored revision is the one
	// before s.Revision, so that no writer undoes what another did. It must not
	// keep s after it returns.
	Save(ctx context.Context, s State) error
}

// ErrConflict says that another writer has changed the store.
var ErrConflict = errors.New("access: the store was changed by another")

// Marshal returns the state as JSON with one tenant and one key a line, for
// stores to write.
func (s State) Marshal() ([]byte, error) {
	b := fmt.Appendf(nil, "{\"revision\": %d, \"tenants\": [", s.Revision)
	b, err := appendLines(b, s.Tenants)
	if err != nil {
		return nil, err
	}
	if b, err = appendLines(append(b, "], \"keys\": ["...), s.Keys); err != nil {
		return nil, err
	}
	return append(b, "]}\n"...), nil
}

func appendLines[T any](b []byte, list []T) ([]byte, error) {
	for i := range list {
		line, err := json.Marshal(&list[i])
		if err != nil {
			return nil, fmt.Errorf("access: state: %w", err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, '\n'), line...)
	}
	if len(list) > 0 {
		b = append(b, '\n')
	}
	return b, nil
}

// Unmarshal reads what [State.Marshal] wrote. It refuses anything that
// [Keys] could not have written, and leaves s as it was on any error.
func (s *State) Unmarshal(data []byte) error {
	var read State
	if err := unmarshalStrict(data, &read); err != nil {
		return fmt.Errorf("access: state: %w", err)
	}
	if err := read.check(); err != nil {
		return fmt.Errorf("access: state: %w", err)
	}
	*s = read
	return nil
}

// check refuses a state out of order, with bad names, or with keys of nobody.
func (s *State) check() error {
	if s.Revision < 0 {
		return errors.New("got a negative revision")
	}
	for i, t := range s.Tenants {
		if err := t.check(); err != nil {
			return err
		}
		if i > 0 && s.Tenants[i-1].ID >= t.ID {
			return fmt.Errorf("got tenant %q twice or out of order", t.ID)
		}
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if err := k.check(); err != nil {
			return fmt.Errorf("key %d: %w", i+1, err)
		}
		if i > 0 && s.Keys[i-1].ID >= k.ID {
			return fmt.Errorf("got key %s twice or out of order", k.ID)
		}
		if _, ok := s.tenant(k.Tenant); !ok {
			return fmt.Errorf("key %s: got tenant %q, want one that exists", k.ID, k.Tenant)
		}
	}
	return nil
}

func (s *State) tenant(id string) (int, bool) {
	return slices.BinarySearchFunc(s.Tenants, id, func(t Tenant, id string) int { return cmp.Compare(t.ID, id) })
}

func (s *State) key(id string) (int, bool) {
	return slices.BinarySearchFunc(s.Keys, id, func(k Key, id string) int { return cmp.Compare(k.ID, id) })
}

// clone copies the state, as deep as a change reaches.
func (s *State) clone() State {
	c := State{Revision: s.Revision, Tenants: slices.Clone(s.Tenants), Keys: make([]Key, len(s.Keys))}
	for i, k := range s.Keys {
		c.Keys[i] = k.clone()
	}
	return c
}
