package access

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"time"
)

// ErrUnauthenticated is what every error of [Bearer] and [Keys.Authenticate]
// wraps: status 401. Say no more than that to the caller; the reason is for the
// audit.
var ErrUnauthenticated = errors.New("access: not authenticated")

// The reasons. All but the first two are only ever told of a key whose secret
// was right.
var (
	ErrNoKey     = fmt.Errorf("%w: no key", ErrUnauthenticated)
	ErrUnknown   = fmt.Errorf("%w: no such key", ErrUnauthenticated)
	ErrReplaced  = fmt.Errorf("%w: the secret was replaced", ErrUnauthenticated)
	ErrExpired   = fmt.Errorf("%w: the key has expired", ErrUnauthenticated)
	ErrRevoked   = fmt.Errorf("%w: the key was revoked", ErrUnauthenticated)
	ErrSuspended = fmt.Errorf("%w: the tenant is suspended", ErrUnauthenticated)
)

// ErrForbidden is what every error of [Principal.Allow] wraps: status 403.
var ErrForbidden = errors.New("access: not allowed")

// The reasons.
var (
	ErrEndpoint = fmt.Errorf("%w: the key does not reach this endpoint", ErrForbidden)
	ErrModel    = fmt.Errorf("%w: the key does not reach this model", ErrForbidden)
)

// Principal is who a request comes from. The zero Principal is nobody, and may
// call nothing. It is a plain value and stands for one request: what is revoked
// or granted later is seen by the next [Keys.Authenticate].
type Principal struct {
	KeyID   string
	KeyName string
	Tenant  Tenant
	Admin   bool

	// Expires is when the secret that was sent stops working, because of a
	// rotation or with its key. Zero is never.
	Expires time.Time

	grant  *Grant // never written to
	family func(string) string
}

// Authenticate returns who sent the key, or an error that wraps
// [ErrUnauthenticated]. The secret is compared as a hash and in constant time; a
// key that does not exist takes as long as one whose secret is wrong.
func (k *Keys) Authenticate(token string, now time.Time) (Principal, error) {
	id, ok := parseToken(token)
	if !ok {
		return Principal{}, ErrUnknown
	}
	sent := digestOf(token)
	ix := k.now()
	key := ix.keys[id]
	if key == nil {
		key = nobody
	}
	secret, ok := key.match(sent)
	if !ok {
		return Principal{}, ErrUnknown
	}
	tenant := ix.tenants[key.Tenant]
	switch {
	case !key.Revoked.IsZero():
		return Principal{}, ErrRevoked
	case ended(key.Expires, now):
		return Principal{}, ErrExpired
	case ended(secret.Expires, now):
		return Principal{}, ErrReplaced
	case tenant == nil || tenant.Suspended:
		return Principal{}, ErrSuspended
	}
	expires := secret.Expires
	if expires.IsZero() || !key.Expires.IsZero() && key.Expires.Before(expires) {
		expires = key.Expires
	}
	return Principal{
		KeyID: key.ID, KeyName: key.Name, Tenant: *tenant, Admin: key.Grant.Admin, Expires: expires,
		grant: &key.Grant, family: k.family,
	}, nil
}

// nobody stands in for a key that does not exist, and noSecret for a secret that
// a key does not have, so that both take as long.
var (
	nobody   = new(Key)
	noSecret SecretRecord
)

// match finds the secret of a hash. It makes as many comparisons for every key.
func (k *Key) match(sent Digest) (found SecretRecord, ok bool) {
	for i := range maxSecrets {
		s := &noSecret
		if i < len(k.Secrets) {
			s = &k.Secrets[i]
		}
		if sameHash(sent, s.Hash) {
			found, ok = *s, i < len(k.Secrets)
		}
	}
	return found, ok && k.ID != ""
}

// sameHash compares in constant time. Nothing else compares hashes.
func sameHash(a, b Digest) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// Allow reports whether the key reaches an endpoint (a path below /v1, such as
// "/chat/completions") and, unless it is empty, a model: nil, [ErrEndpoint] or
// [ErrModel].
func (p Principal) Allow(endpoint, model string) error {
	if !p.allowsEndpoint(endpoint) {
		return ErrEndpoint
	}
	if model != "" && !p.AllowsModel(model) {
		return ErrModel
	}
	return nil
}

func (p Principal) allowsEndpoint(endpoint string) bool {
	return p.grant != nil && p.grant.allowsEndpoint(endpoint)
}

// AllowsModel reports whether the key reaches a model, for lists of models.
func (p Principal) AllowsModel(model string) bool {
	return p.grant != nil && p.grant.allowsModel(model, p.family)
}
