package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// NewKey says what a key is to be. Tenant is required; everything else may be
// zero, and a key with the zero Grant may call nothing.
type NewKey struct {
	Tenant      string
	Name        string
	Grant       Grant
	Expires     time.Time     // zero is never
	RotateAfter time.Duration // age at which a secret is due to be replaced; zero is never
}

// Mint makes a key and returns it with its secret, which can be had only now.
func (k *Keys) Mint(ctx context.Context, n NewKey, now time.Time) (Key, Secret, error) {
	if ended(n.Expires, now) {
		return Key{}, Secret{}, errors.New("access: got an expiry that has passed, want one to come")
	}
	var key Key
	var secret Secret
	err := k.change(ctx, func(s *State) error {
		if _, ok := s.tenant(n.Tenant); !ok {
			return fmt.Errorf("%w: tenant %q", ErrNotFound, n.Tenant)
		}
		if len(s.Keys) >= k.max {
			return fmt.Errorf("%w: %d keys", ErrFull, len(s.Keys))
		}
		id, err := newID(k.random)
		if err != nil {
			return err
		}
		i, taken := s.key(id)
		if taken {
			return fmt.Errorf("access: got the id of another key from Random")
		}
		record, fresh, err := k.newRecord(id, now)
		if err != nil {
			return err
		}
		secret = fresh
		key = Key{
			ID: id, Tenant: n.Tenant, Name: n.Name, Grant: n.Grant.clone(), Created: now.UTC(),
			Expires: n.Expires.UTC(), RotateAfter: n.RotateAfter, Secrets: []SecretRecord{record},
		}
		s.Keys = slices.Insert(s.Keys, i, key.clone())
		return nil
	})
	if err != nil {
		return Key{}, Secret{}, err
	}
	return key, secret, nil
}

func (k *Keys) newRecord(id string, now time.Time) (SecretRecord, Secret, error) {
	secret, err := newSecret(k.random, id)
	return SecretRecord{Hash: digestOf(secret.token), Created: now.UTC()}, secret, err
}

// Rotate gives a key a new secret. The ones before still work for the overlap,
// or not at all any more if it is zero, as for a secret that leaked. The key
// keeps its id, its grant and its expiry, and the tenant its budgets and limits.
func (k *Keys) Rotate(ctx context.Context, id string, overlap time.Duration, now time.Time) (Secret, error) {
	if overlap < 0 {
		return Secret{}, fmt.Errorf("access: got an overlap of %v, want 0 or more", overlap)
	}
	var secret Secret
	err := k.changeKey(ctx, id, func(key *Key) error {
		if err := k.add(key, &secret, now); err != nil {
			return err
		}
		key.retire(overlap, now)
		return nil
	})
	if err != nil {
		return Secret{}, err
	}
	return secret, nil
}

// add appends a new secret to those that still work.
func (k *Keys) add(key *Key, secret *Secret, now time.Time) error {
	if !key.Revoked.IsZero() {
		return ErrRevoked
	}
	if ended(key.Expires, now) {
		return ErrExpired
	}
	key.Secrets = slices.DeleteFunc(key.Secrets, func(s SecretRecord) bool { return ended(s.Expires, now) })
	if len(key.Secrets) >= maxSecrets {
		// The oldest goes before its overlap is over: rotating in a hurry, after
		// a leak, must never be refused.
		key.Secrets = slices.Delete(key.Secrets, 0, len(key.Secrets)-maxSecrets+1)
	}
	record, fresh, err := k.newRecord(key.ID, now)
	if err != nil {
		return err
	}
	*secret = fresh
	key.Secrets = append(key.Secrets, record)
	return nil
}

// retire ends every secret but the newest after the overlap, none later than it
// would have ended before.
func (k *Key) retire(overlap time.Duration, now time.Time) {
	end := now.Add(overlap).UTC()
	for i := range k.Secrets[:len(k.Secrets)-1] {
		if s := &k.Secrets[i]; s.Expires.IsZero() || s.Expires.After(end) {
			s.Expires = end
		}
	}
	k.Secrets = slices.DeleteFunc(k.Secrets, func(s SecretRecord) bool { return ended(s.Expires, now) })
}

// Revoke ends a key at once, with all its secrets and for good: before the store
// is told, and even if it fails. The error then says that the store does not
// know yet; the next change that succeeds tells it.
func (k *Keys) Revoke(ctx context.Context, id string, now time.Time) error {
	if k.store == nil {
		return errZero
	}
	key, ok := k.Key(id)
	if !ok {
		return ErrNotFound
	}
	if key.Revoked.IsZero() {
		k.revokeHere(id, now)
	}
	// The copy that change saves is of what is in force, so it is revoked there.
	if err := k.changeKey(ctx, id, func(*Key) error { return nil }); err != nil {
		return fmt.Errorf("access: key %s is revoked here, but not in the store: %w", id, err)
	}
	return nil
}

// Grant replaces what a key may call, at once.
func (k *Keys) Grant(ctx context.Context, id string, g Grant) error {
	return k.changeKey(ctx, id, func(key *Key) error {
		key.Grant = g.clone()
		return nil
	})
}

// Purge forgets the keys that were revoked or expired before the given time, so
// that MaxKeys counts keys in use.
func (k *Keys) Purge(ctx context.Context, before time.Time) error {
	return k.change(ctx, func(s *State) error {
		s.Keys = slices.DeleteFunc(s.Keys, func(key Key) bool {
			return ended(key.Expires, before) || ended(key.Revoked, before)
		})
		return nil
	})
}
