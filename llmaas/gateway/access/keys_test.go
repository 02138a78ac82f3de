package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func newKeys(t *testing.T, o Options) *Keys {
	t.Helper()
	k, err := New(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, k.PutTenant(t.Context(), Tenant{ID: "acme", Name: "Acme", Tier: "tier-1"}))
	return k
}

func mint(t *testing.T, k *Keys, n NewKey) (Key, string) {
	t.Helper()
	if n.Tenant == "" {
		n.Tenant = "acme"
	}
	key, secret, err := k.Mint(t.Context(), n, start)
	require.NoError(t, err)
	return key, secret.Reveal()
}

// requireAuth checks what a token is answered.
func requireAuth(t *testing.T, k *Keys, token string, now time.Time, want error) Principal {
	t.Helper()
	who, err := k.Authenticate(token, now)
	require.ErrorIs(t, err, want)
	if want != nil {
		require.ErrorIs(t, err, ErrUnauthenticated)
		require.Equal(t, fmt.Sprint(Principal{}), fmt.Sprint(who))
	}
	return who
}

func TestMintAndAuthenticate(t *testing.T) {
	k := newKeys(t, Options{})
	key, token := mint(t, k, NewKey{Name: "ci", Expires: start.Add(time.Hour), Grant: Grant{Admin: true}})
	require.Len(t, token, tokenLen)
	require.True(t, WellFormed(token))
	require.Regexp(t, "^llmaas_[a-z2-7]{16}_[a-z2-7]{59}$", token)
	require.Contains(t, token, key.ID)

	who := requireAuth(t, k, token, start, nil)
	require.Equal(t, key.ID, who.KeyID)
	require.Equal(t, "ci", who.KeyName)
	require.Equal(t, Tenant{ID: "acme", Name: "Acme", Tier: "tier-1"}, who.Tenant)
	require.True(t, who.Admin)
	require.Equal(t, start.Add(time.Hour), who.Expires)
	requireAuth(t, k, token, start.Add(time.Hour-1), nil)
	requireAuth(t, k, token, start.Add(time.Hour), ErrExpired)

	_, other := mint(t, k, NewKey{})
	require.NotEqual(t, token, other)
	swapped := token[:len(tokenPrefix)+idLen] + other[len(tokenPrefix)+idLen:]
	requireAuth(t, k, swapped, start, ErrUnknown)
	body := swapped[:tokenLen-sumLen]
	requireAuth(t, k, body+checksum(body), start, ErrUnknown) // well-formed, secret of another key

	flipped := []byte(token)
	for i := range flipped { // any one letter changed
		was := flipped[i]
		flipped[i] = 'a' + (was-'a'+1)%26
		requireAuth(t, k, string(flipped), start, ErrUnknown)
		flipped[i] = was
	}
	for _, bad := range []string{"", " ", token + " ", " " + token, strings.ToUpper(token), token[1:], token[:len(token)-1], "Bearer " + token, tokenPrefix, token + token, strings.Repeat("x", 1<<20), "\xff\x00"} {
		requireAuth(t, k, bad, start, ErrUnknown)
		require.False(t, WellFormed(bad))
	}
}

func TestZeroKeys(t *testing.T) {
	other := newKeys(t, Options{})
	_, token := mint(t, other, NewKey{})
	k := new(Keys)
	requireAuth(t, k, token, start, ErrUnknown)
	require.ErrorContains(t, k.PutTenant(t.Context(), Tenant{ID: "a"}), "New")
	require.ErrorContains(t, k.Reload(t.Context()), "New")
	require.ErrorContains(t, k.Revoke(t.Context(), "x", start), "New")
	require.NoError(t, k.RotateDue(t.Context(), start, nil))
	require.Empty(t, k.Keys("a"))
}

func TestUnknownKeyOfGoodForm(t *testing.T) {
	k := newKeys(t, Options{})
	other := newKeys(t, Options{})
	_, token := mint(t, other, NewKey{})
	requireAuth(t, k, token, start, ErrUnknown)
}

func TestSecretIsShownOnce(t *testing.T) {
	var file, log bytes.Buffer
	k := newKeys(t, Options{})
	key, secret, err := k.Mint(t.Context(), NewKey{Tenant: "acme"}, start)
	require.NoError(t, err)
	public := "llmaas_" + key.ID + "_…"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.Equal(t, public, fmt.Sprintf(verb, secret), verb)
	}
	slog.New(slog.NewJSONHandler(&log, nil)).Info("minted", "secret", secret)
	slog.New(slog.NewTextHandler(&log, nil)).Info("minted", "secret", secret, "in", []any{secret}, "key", key)
	text, err := json.Marshal(map[string]any{"secret": secret, "key": key})
	require.NoError(t, err)
	log.Write(text)
	state, err := k.now().state.Marshal()
	require.NoError(t, err)
	file.Write(state)
	private := secret.Reveal()[len(tokenPrefix)+idLen+1:]
	require.NotContains(t, log.String(), private)
	require.NotContains(t, file.String(), private)
	require.Contains(t, log.String(), public)
	require.Equal(t, "(no key)", Secret{}.String())
}

func TestRevokeAndSuspend(t *testing.T) {
	k := newKeys(t, Options{})
	key, token := mint(t, k, NewKey{})
	secret, err := k.Rotate(t.Context(), key.ID, time.Hour, start)
	require.NoError(t, err)

	require.NoError(t, k.PutTenant(t.Context(), Tenant{ID: "acme", Suspended: true}))
	requireAuth(t, k, token, start, ErrSuspended)
	require.NoError(t, k.PutTenant(t.Context(), Tenant{ID: "acme", Tier: "tier-2"}))
	require.Equal(t, "tier-2", requireAuth(t, k, token, start, nil).Tenant.Tier)

	require.NoError(t, k.Revoke(t.Context(), key.ID, start))
	requireAuth(t, k, token, start, ErrRevoked)
	requireAuth(t, k, secret.Reveal(), start, ErrRevoked)
	require.NoError(t, k.Revoke(t.Context(), key.ID, start.Add(time.Hour)))
	now, _ := k.Key(key.ID)
	require.Equal(t, start, now.Revoked, "the first time counts")
	require.ErrorIs(t, k.Revoke(t.Context(), "nobody", start), ErrNotFound)

	require.NoError(t, k.Purge(t.Context(), start))
	_, ok := k.Key(key.ID)
	require.False(t, ok)
	require.Empty(t, k.Keys("acme"))
}

func TestGrants(t *testing.T) {
	rows := []struct {
		grant           Grant
		endpoint, model string
		want            error
	}{
		{Grant{}, "/models", "", ErrEndpoint},
		{Grant{Admin: true}, "/chat/completions", "m", ErrEndpoint},
		{Grant{Models: []string{"*"}}, "/chat/completions", "m", ErrEndpoint},
		{Grant{Endpoints: []string{"*"}}, "/chat/completions", "m", ErrModel},
		{Grant{Endpoints: []string{"*"}}, "/models", "", nil},
		{Grant{Endpoints: []string{"/models"}}, "/models", "", nil},
		{Grant{Endpoints: []string{"/models"}}, "/models/x", "", ErrEndpoint},
		{Grant{Endpoints: []string{"/audio/*"}}, "/audio/transcriptions", "", nil},
		{Grant{Endpoints: []string{"/audio/*"}}, "/audio", "", ErrEndpoint},
		{Grant{Endpoints: []string{"*"}, Models: []string{"gemma3:1b"}}, "/x", "gemma3:1b", nil},
		{Grant{Endpoints: []string{"*"}, Models: []string{"gemma3:1b"}}, "/x", "gemma3:12b", ErrModel},
		{Grant{Endpoints: []string{"*"}, Models: []string{"gemma3:1b"}}, "/x", "Gemma3:1b", ErrModel},
		{Grant{Endpoints: []string{"*"}, Models: []string{"gemma3:1*"}}, "/x", "gemma3:12b", nil},
		{Grant{Endpoints: []string{"*"}, Models: []string{"family:gemma3"}}, "/x", "gemma3:27b", nil},
		{Grant{Endpoints: []string{"*"}, Models: []string{"family:gemma3"}}, "/x", "gemma3", nil},
		{Grant{Endpoints: []string{"*"}, Models: []string{"family:gemma3"}}, "/x", "gemma3n:2b", ErrModel},
		{Grant{Endpoints: []string{"*"}, Models: []string{"family:gemma3"}}, "/x", "family:gemma3", ErrModel},
		{Grant{Endpoints: []string{"*"}, Models: []string{"a", "b", "family:c", "d*"}}, "/x", "d9", nil},
	}
	for i, row := range rows {
		k := newKeys(t, Options{})
		_, token := mint(t, k, NewKey{Grant: row.grant})
		who := requireAuth(t, k, token, start, nil)
		require.ErrorIs(t, who.Allow(row.endpoint, row.model), row.want, "row %d", i)
		if row.want != nil {
			require.ErrorIs(t, row.want, ErrForbidden)
		}
	}
	require.ErrorIs(t, Principal{}.Allow("/models", ""), ErrEndpoint)
	require.False(t, Principal{}.AllowsModel("m"))

	k := newKeys(t, Options{Family: func(m string) string { return m[:1] }})
	key, token := mint(t, k, NewKey{Grant: Grant{Endpoints: []string{"*"}, Models: []string{"family:g"}}})
	require.True(t, requireAuth(t, k, token, start, nil).AllowsModel("gpt"))
	require.NoError(t, k.Grant(t.Context(), key.ID, Grant{Models: []string{"x"}}))
	require.False(t, requireAuth(t, k, token, start, nil).AllowsModel("gpt"), "at once")
	require.ErrorIs(t, k.Grant(t.Context(), "nobody", Grant{}), ErrNotFound)
}

func TestBadGrantsAndNames(t *testing.T) {
	k := newKeys(t, Options{})
	for _, bad := range []NewKey{
		{Grant: Grant{Models: []string{""}}},
		{Grant: Grant{Models: []string{"a*b"}}},
		{Grant: Grant{Models: []string{"**"}}},
		{Grant: Grant{Models: []string{"family:"}}},
		{Grant: Grant{Models: []string{"family:g*"}}},
		{Grant: Grant{Endpoints: []string{"/a\r\nb"}}},
		{Grant: Grant{Endpoints: []string{"\xff"}}},
		{Grant: Grant{Endpoints: []string{strings.Repeat("x", maxName+1)}}},
		{Grant: Grant{Models: make([]string, maxPatterns+1)}},
		{Name: strings.Repeat("x", maxName+1)},
		{Name: "a\nb"},
		{RotateAfter: -1},
		{Expires: start},
		{Tenant: "nobody"},
	} {
		if bad.Tenant == "" {
			bad.Tenant = "acme"
		}
		key, secret, err := k.Mint(t.Context(), bad, start)
		require.Error(t, err, "%+v", bad)
		require.Less(t, len(err.Error()), 400)
		require.Zero(t, key)
		require.Zero(t, secret)
	}
	require.Error(t, k.PutTenant(t.Context(), Tenant{}))
	require.Error(t, k.PutTenant(t.Context(), Tenant{ID: "a\x00"}))
	require.Empty(t, k.Keys("acme"))
}

func TestBounds(t *testing.T) {
	k, err := New(t.Context(), Options{MaxKeys: 2})
	require.NoError(t, err)
	for _, id := range []string{"b", "a"} {
		require.NoError(t, k.PutTenant(t.Context(), Tenant{ID: id}))
	}
	require.ErrorIs(t, k.PutTenant(t.Context(), Tenant{ID: "c"}), ErrFull)
	require.Equal(t, []Tenant{{ID: "a"}, {ID: "b"}}, k.Tenants())
	_, ok := k.Tenant("c")
	require.False(t, ok)
	one, _ := mint(t, k, NewKey{Tenant: "a"})
	mint(t, k, NewKey{Tenant: "a"})
	_, _, err = k.Mint(t.Context(), NewKey{Tenant: "a"}, start)
	require.ErrorIs(t, err, ErrFull)
	require.NoError(t, k.Revoke(t.Context(), one.ID, start))
	require.NoError(t, k.Purge(t.Context(), start))
	mint(t, k, NewKey{Tenant: "b"})
	require.Len(t, k.Keys("a"), 1)

	for _, bad := range []Options{{Overlap: -1}, {MaxKeys: -1}} {
		_, err := New(t.Context(), bad)
		require.Error(t, err)
	}
}

func TestNoRandomness(t *testing.T) {
	k := newKeys(t, Options{Random: iotest.ErrReader(errors.New("no entropy"))})
	_, _, err := k.Mint(t.Context(), NewKey{Tenant: "acme"}, start)
	require.ErrorContains(t, err, "no entropy")
	k = newKeys(t, Options{Random: strings.NewReader(strings.Repeat("0123456789", 2))})
	_, _, err = k.Mint(t.Context(), NewKey{Tenant: "acme"}, start)
	require.ErrorContains(t, err, "no randomness")
	k = newKeys(t, Options{Random: zeros{}})
	mint(t, k, NewKey{})
	_, _, err = k.Mint(t.Context(), NewKey{Tenant: "acme"}, start)
	require.ErrorContains(t, err, "id of another")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBearer(t *testing.T) {
	rows := []struct {
		headers []string
		want    string // "" for ErrNoKey
	}{
		{[]string{"Bearer abc"}, "abc"},
		{[]string{"bearer abc"}, "abc"},
		{[]string{"BEARER   abc "}, "abc"},
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"Bearer"}, ""},
		{[]string{"Bearer "}, ""},
		{[]string{"Basic abc"}, ""},
		{[]string{"Bearerabc"}, ""},
		{[]string{"Bearer abc", "Bearer def"}, ""},
	}
	for _, row := range rows {
		got, err := Bearer(http.Header{"Authorization": row.headers})
		if row.want == "" {
			require.ErrorIs(t, err, ErrNoKey, "%q", row.headers)
			require.ErrorIs(t, err, ErrUnauthenticated)
		} else {
			require.NoError(t, err, "%q", row.headers)
		}
		require.Equal(t, row.want, got)
	}
}

// Requests, rotations and revocations at once: a key answers as before or as
// after, and after Revoke has returned never as before.
func TestConcurrentUse(t *testing.T) {
	k := newKeys(t, Options{})
	var group sync.WaitGroup
	for range 8 {
		key, token := mint(t, k, NewKey{})
		revoked := make(chan struct{})
		group.Go(func() {
			for range 20 {
				if _, err := k.Rotate(t.Context(), key.ID, time.Hour, start); err != nil {
					t.Error(err)
				}
			}
			if err := k.Revoke(t.Context(), key.ID, start); err != nil {
				t.Error(err)
			}
			close(revoked)
		})
		group.Go(func() {
			for done := false; !done; {
				select {
				case <-revoked:
					done = true
				default:
				}
				_, err := k.Authenticate(token, start)
				if done && err == nil {
					t.Error("a revoked key was let in")
				}
			}
		})
	}
	group.Wait()
}

func FuzzAuthenticate(f *testing.F) {
	k, err := New(context.Background(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	if err := k.PutTenant(context.Background(), Tenant{ID: "a"}); err != nil {
		f.Fatal(err)
	}
	_, secret, err := k.Mint(context.Background(), NewKey{Tenant: "a"}, start)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(secret.Reveal()[:40])
	f.Add("llmaas_aaaaaaaaaaaaaaaa_" + strings.Repeat("a", 59))
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := k.Authenticate(token, start); err == nil && token != secret.Reveal() {
			t.Error("let in without the key")
		}
	})
}

// An unknown id and a wrong secret do the same work: a hash, a look-up, and a
// comparison in constant time.
func BenchmarkAuthenticate(b *testing.B) {
	k, err := New(b.Context(), Options{})
	require.NoError(b, err)
	require.NoError(b, k.PutTenant(b.Context(), Tenant{ID: "acme"}))
	var right, other Secret
	for range 1000 {
		_, right, err = k.Mint(b.Context(), NewKey{Tenant: "acme"}, start)
		require.NoError(b, err)
	}
	_, other, err = k.Mint(b.Context(), NewKey{Tenant: "acme"}, start)
	require.NoError(b, err)
	body := right.Reveal()[:len(tokenPrefix)+idLen] + other.Reveal()[len(tokenPrefix)+idLen:tokenLen-sumLen]
	gone := tokenPrefix + "k7f3q2abcdefghij" + body[len(tokenPrefix)+idLen:]
	for _, row := range []struct{ name, token string }{
		{"right", right.Reveal()}, {"wrong secret", body + checksum(body)}, {"unknown id", gone + checksum(gone)},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Authenticate(row.token, start)
			}
		})
	}
}
