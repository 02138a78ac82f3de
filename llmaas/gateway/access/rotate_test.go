package access

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRotate(t *testing.T) {
	k := newKeys(t, Options{})
	key, first := mint(t, k, NewKey{Grant: Grant{Models: []string{"*"}, Endpoints: []string{"*"}}})
	secret, err := k.Rotate(t.Context(), key.ID, time.Hour, start)
	require.NoError(t, err)
	second := secret.Reveal()

	for _, token := range []string{first, second} {
		who := requireAuth(t, k, token, start.Add(time.Hour-1), nil)
		require.Equal(t, key.ID, who.KeyID, "the id stays")
		require.NoError(t, who.Allow("/models", "m"), "and the grant")
	}
	require.Equal(t, start.Add(time.Hour), requireAuth(t, k, first, start, nil).Expires)
	require.Zero(t, requireAuth(t, k, second, start, nil).Expires)
	requireAuth(t, k, first, start.Add(time.Hour), ErrReplaced)
	requireAuth(t, k, second, start.Add(time.Hour), nil)

	// A second rotation shortens no overlap and lengthens none.
	secret, err = k.Rotate(t.Context(), key.ID, 2*time.Hour, start)
	require.NoError(t, err)
	requireAuth(t, k, first, start.Add(time.Hour), ErrReplaced)
	requireAuth(t, k, second, start.Add(2*time.Hour-1), nil)

	// After a leak: nothing but the newest works, at once.
	third := secret.Reveal()
	secret, err = k.Rotate(t.Context(), key.ID, 0, start)
	require.NoError(t, err)
	for _, token := range []string{first, second, third} {
		requireAuth(t, k, token, start, ErrUnknown)
	}
	requireAuth(t, k, secret.Reveal(), start, nil)

	for range 2 * maxSecrets { // never refused, never more than the bound
		secret, err = k.Rotate(t.Context(), key.ID, time.Hour, start)
		require.NoError(t, err)
	}
	now, ok := k.Key(key.ID)
	require.True(t, ok)
	require.Len(t, now.Secrets, maxSecrets)
	requireAuth(t, k, secret.Reveal(), start, nil)

	_, err = k.Rotate(t.Context(), key.ID, -1, start)
	require.Error(t, err)
	_, err = k.Rotate(t.Context(), "nobody", 0, start)
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, k.Revoke(t.Context(), key.ID, start))
	_, err = k.Rotate(t.Context(), key.ID, 0, start)
	require.ErrorIs(t, err, ErrRevoked)
	short, _ := mint(t, k, NewKey{Expires: start.Add(1)})
	_, err = k.Rotate(t.Context(), short.ID, 0, start.Add(1))
	require.ErrorIs(t, err, ErrExpired)
}

func TestRotateDue(t *testing.T) {
	const age = 30 * 24 * time.Hour
	k := newKeys(t, Options{Overlap: time.Hour})
	key, first := mint(t, k, NewKey{RotateAfter: age})
	mint(t, k, NewKey{})
	expired, _ := mint(t, k, NewKey{RotateAfter: age, Expires: start.Add(age)})
	revoked, _ := mint(t, k, NewKey{RotateAfter: age})
	require.NoError(t, k.Revoke(t.Context(), revoked.ID, start))

	vault := map[string]string{}
	deliver := func(_ context.Context, key Key, s Secret) error {
		vault[key.ID] = s.Reveal()
		return nil
	}
	due := start.Add(age)
	require.NoError(t, k.RotateDue(t.Context(), due.Add(-1), deliver))
	require.Empty(t, vault)
	require.NoError(t, k.RotateDue(t.Context(), due, deliver))
	require.Len(t, vault, 1)
	require.NotContains(t, vault, expired.ID)
	requireAuth(t, k, first, due.Add(time.Hour-1), nil)
	requireAuth(t, k, first, due.Add(time.Hour), ErrReplaced)
	requireAuth(t, k, vault[key.ID], due, nil)
	require.NoError(t, k.RotateDue(t.Context(), due.Add(age-1), deliver))
	second := vault[key.ID]
	requireAuth(t, k, second, due.Add(age-1), nil)

	// Delivery fails: the old secret stays, without an end, and the new is gone.
	var lost string
	down := errors.New("vault is sealed")
	due = due.Add(age)
	err := k.RotateDue(t.Context(), due, func(_ context.Context, _ Key, s Secret) error {
		lost = s.Reveal()
		requireAuth(t, k, lost, due, nil) // it works before it is delivered
		return down
	})
	require.ErrorIs(t, err, down)
	require.ErrorContains(t, err, key.ID)
	requireAuth(t, k, lost, due, ErrUnknown)
	require.Zero(t, requireAuth(t, k, second, due.Add(age), nil).Expires)

	// The process dies in the middle, again and again: nobody knows whether the
	// new secret was delivered. The old one works, and so does the last.
	var cut []renewal
	for range 2 * maxSecrets {
		var single error
		cut, single, err = k.renew(t.Context(), due)
		require.NoError(t, errors.Join(single, err))
		requireAuth(t, k, second, due, nil)
		requireAuth(t, k, cut[0].secret.Reveal(), due, nil)
	}
	require.NoError(t, k.RotateDue(t.Context(), due, deliver))
	require.NotEqual(t, second, vault[key.ID])
	for _, old := range []string{second, cut[0].secret.Reveal()} {
		requireAuth(t, k, old, due.Add(time.Hour-1), nil)
		requireAuth(t, k, old, due.Add(time.Hour), ErrReplaced)
	}
	requireAuth(t, k, vault[key.ID], due.Add(time.Hour), nil)
	now, _ := k.Key(key.ID)
	require.Len(t, now.Secrets, maxSecrets)
}

// promptStore does nothing for a context that has ended.
type promptStore struct{ memoryStore }

func (p *promptStore) Save(ctx context.Context, s State) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.memoryStore.Save(ctx, s)
}

// A round changes the store twice, whatever happens to its many keys.
func TestRotateDueChangesTheStoreTwice(t *testing.T) {
	const age = time.Hour
	k := newKeys(t, Options{Store: new(promptStore)})
	var due []string
	for range 20 {
		key, _ := mint(t, k, NewKey{RotateAfter: age})
		due = append(due, key.ID)
	}
	slices.Sort(due)
	sealed := errors.New("vault is sealed")
	before := k.now().state.Revision
	got := make(map[string]string)
	ctx, cancel := context.WithCancel(t.Context())
	err := k.RotateDue(ctx, start.Add(age), func(ctx context.Context, key Key, s Secret) error {
		got[key.ID] = s.Reveal()
		switch key.ID {
		case due[3]: // what comes after is not lost by it
			return sealed
		case due[5]: // in the middle, somebody ends a key and replaces another
			require.NoError(t, k.Revoke(t.Context(), due[7], start.Add(age)))
			require.NoError(t, k.Purge(t.Context(), start.Add(age)))
			leaked, err := k.Rotate(t.Context(), due[9], 0, start.Add(age))
			require.NoError(t, err)
			got["leaked"] = leaked.Reveal()
			before += 3
		case due[19]:
			cancel()
		}
		return nil
	})
	require.ErrorIs(t, err, sealed)
	require.Equal(t, 1, strings.Count(err.Error(), "rotation of key"))
	require.Equal(t, before+2, k.now().state.Revision)
	require.Len(t, got, 19, "nobody is given what is ended; one was made by hand")
	require.NotContains(t, got, due[7])
	require.NotContains(t, got, due[9])
	requireAuth(t, k, got[due[3]], start.Add(age), ErrUnknown)
	requireAuth(t, k, got["leaked"], start.Add(age), nil)
	requireAuth(t, k, got[due[19]], start.Add(age), nil)

	before = k.now().state.Revision
	require.NoError(t, k.RotateDue(t.Context(), start.Add(age-1), nil), "nothing is due")
	require.Equal(t, before, k.now().state.Revision)
}
