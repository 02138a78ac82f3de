package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RotateDue replaces the secret of every key that has reached its age of
// rotation, and hands the new one to deliver, which brings it to its user: into
// a vault, or a mounted file. Call it from time to time.
//
// The old secret begins to run out, with Options.Overlap, only after deliver
// returned nil: where delivery fails, or the process dies in the middle, it stays
// in force and the next RotateDue tries again. Errors are joined, and do not
// keep the other keys from being rotated. Calls wait for one another; where
// several processes share a store, one of them should do this.
//
// The store is changed twice, however many keys are due: new secrets work before
// the first is delivered, and old ones run out after the last.
func (k *Keys) RotateDue(ctx context.Context, now time.Time, deliver func(context.Context, Key, Secret) error) error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	due := slices.ContainsFunc(k.now().state.Keys, func(key Key) bool { return key.Due(now) })
	if !due {
		return nil
	}
	fresh, all, err := k.renew(ctx, now)
	if err != nil || len(fresh) == 0 {
		return errors.Join(all, err)
	}
	failed := make(map[string]bool)
	for _, r := range fresh {
		key, ok := k.Key(r.id)
		if !ok || !key.Revoked.IsZero() || !key.holds(digestOf(r.secret.token)) {
			continue // somebody ended it in the meantime
		}
		if err := deliver(ctx, key, r.secret); err != nil {
			failed[r.id] = true
			all = errors.Join(all, keyError(r.id, err))
		}
	}
	return errors.Join(all, k.conclude(ctx, fresh, failed, now))
}

// renewal is a new secret on its way to its user.
type renewal struct {
	id     string
	secret Secret
}

func keyError(id string, err error) error {
	return fmt.Errorf("access: rotation of key %s: %w", id, err)
}

// renew gives every key that is due a secret beside the one it has. The errors of
// single keys are apart from that of the store.
func (k *Keys) renew(ctx context.Context, now time.Time) (fresh []renewal, single, err error) {
	err = k.change(ctx, func(s *State) error {
		fresh, single = nil, nil // the store was changed by another: once more
		for i := range s.Keys {
			key := &s.Keys[i]
			if !key.Due(now) {
				continue
			}
			r := renewal{id: key.ID}
			key.makeRoom()
			if err := k.add(key, &r.secret, now); err != nil {
				single = errors.Join(single, keyError(key.ID, err))
				continue
			}
			fresh = append(fresh, r)
		}
		return nil
	})
	return fresh, single, err
}

// conclude lets the old secrets of delivered keys run out, and takes back what did
// not reach its user. It does not depend on a ctx that may have ended meanwhile.
func (k *Keys) conclude(ctx context.Context, fresh []renewal, failed map[string]bool, now time.Time) error {
	return k.change(context.WithoutCancel(ctx), func(s *State) error {
		for _, r := range fresh {
			i, ok := s.key(r.id)
			switch {
			case !ok: // purged in the meantime
			case failed[r.id]:
				s.Keys[i].drop(digestOf(r.secret.token))
			default:
				s.Keys[i].retire(k.overlap, now)
			}
		}
		return nil
	})
}

// makeRoom keeps a place for one more secret where rotations were cut short. What
// they left may have reached its user or not, so it stays as long as there is
// room; the secret that the user is known to have stays in any case.
func (k *Key) makeRoom() {
	first := slices.IndexFunc(k.Secrets, func(s SecretRecord) bool { return s.Expires.IsZero() })
	if extra := len(k.Secrets) + 1 - maxSecrets; extra > 0 && first >= 0 && first+1+extra <= len(k.Secrets) {
		k.Secrets = slices.Delete(k.Secrets, first+1, first+1+extra)
	}
}

func (k *Key) holds(hash Digest) bool {
	return slices.ContainsFunc(k.Secrets, func(s SecretRecord) bool { return sameHash(s.Hash, hash) })
}

// drop removes the secret of a hash, unless it is the only one.
func (k *Key) drop(hash Digest) {
	if len(k.Secrets) > 1 {
		k.Secrets = slices.DeleteFunc(k.Secrets, func(s SecretRecord) bool { return sameHash(s.Hash, hash) })
	}
}
