package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tenant is a customer. Keys belong to tenants, and so do budgets and limits, so
// that no rotation of a key changes them.
type Tenant struct {
	ID        string `json:"id"`   // up to 256 bytes, as Name and Tier
	Name      string `json:"name"` // for people
	Tier      string `json:"tier"` // its limits, as the host names them
	Suspended bool   `json:"suspended"`
}

// Grant is what a key may call. The zero Grant allows nothing.
//
// Each entry of a list is an exact name ("gpt-oss:120b", "/chat/completions"), a
// prefix with a star at its end ("qwen3*", "/audio/*"; "*" is everything), or,
// for models, a family ("family:gemma3").
type Grant struct {
	Models    []string `json:"models"`
	Endpoints []string `json:"endpoints"` // paths below /v1
	Admin     bool     `json:"admin"`     // the console and other people's records; no "*" gives it
}

// Key is all that is kept about an API key. It holds no secret.
type Key struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Name   string `json:"name"` // for people
	Grant  Grant  `json:"grant"`

	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero is never
	Revoked time.Time `json:"revoked,omitzero"` // zero is not

	// RotateAfter is the age at which a secret is due to be replaced, by
	// [Keys.RotateDue]. Zero is never.
	RotateAfter time.Duration `json:"rotate_after_ns,omitzero"`

	// Secrets are the secrets in force, the newest last. There is more than one
	// while a rotation overlaps.
	Secrets []SecretRecord `json:"secrets"`
}

// SecretRecord is what is kept of a secret.
type SecretRecord struct {
	Hash    Digest    `json:"sha256"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // when its overlap ends; zero is with the key
}

// maxSecrets bounds the secrets of one key that overlap.
const maxSecrets = 4

// maxName bounds ids and names, in bytes; maxPatterns the entries of a grant.
const (
	maxName     = 256
	maxPatterns = 256
)

// Due reports whether the newest secret has reached the age of rotation.
func (k *Key) Due(now time.Time) bool {
	if k.RotateAfter <= 0 || !k.Revoked.IsZero() || ended(k.Expires, now) || len(k.Secrets) == 0 {
		return false
	}
	return !now.Before(k.settled().Created.Add(k.RotateAfter))
}

// settled is the secret the user is known to have: the newest, unless the ones
// before it have no end, as after a rotation that was cut short before the new
// secret was delivered.
func (k *Key) settled() SecretRecord {
	for _, s := range k.Secrets {
		if s.Expires.IsZero() {
			return s
		}
	}
	return k.Secrets[len(k.Secrets)-1]
}

// ended reports whether an expiry, zero for none, has come.
func ended(expires, now time.Time) bool { return !expires.IsZero() && !now.Before(expires) }

// clone copies what a change could reach.
func (k Key) clone() Key {
	k.Secrets = slices.Clone(k.Secrets)
	k.Grant = k.Grant.clone()
	return k
}

func (g Grant) clone() Grant {
	g.Models, g.Endpoints = slices.Clone(g.Models), slices.Clone(g.Endpoints)
	return g
}

const familyPrefix = "family:"

// check refuses patterns that would match something else than their author
// thinks.
func (g Grant) check() error {
	for _, list := range [...][]string{g.Models, g.Endpoints} {
		if len(list) > maxPatterns {
			return fmt.Errorf("got %d patterns in a grant, want at most %d", len(list), maxPatterns)
		}
		for _, p := range list {
			if err := checkName("pattern", p); err != nil {
				return err
			}
			if star := strings.IndexByte(p, '*'); star >= 0 && star != len(p)-1 {
				return fmt.Errorf("got the pattern %q, want a star at its end only", p)
			}
			if family, ok := strings.CutPrefix(p, familyPrefix); ok && (family == "" || strings.HasSuffix(family, "*")) {
				return fmt.Errorf("got the pattern %q, want a whole name after %s", p, familyPrefix)
			}
		}
	}
	return nil
}

// allowsModel reports whether the grant covers a model, of the given family.
func (g *Grant) allowsModel(model string, family func(string) string) bool {
	for _, p := range g.Models {
		if name, ok := strings.CutPrefix(p, familyPrefix); ok {
			if name == family(model) {
				return true
			}
			continue
		}
		if matches(p, model) {
			return true
		}
	}
	return false
}

func (g *Grant) allowsEndpoint(endpoint string) bool {
	return slices.ContainsFunc(g.Endpoints, func(p string) bool { return matches(p, endpoint) })
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

func checkName(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("got an empty %s", what)
	case len(s) > maxName:
		return fmt.Errorf("got a %s of %d bytes, want at most %d", what, len(s), maxName)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }):
		return fmt.Errorf("got a %s with control characters or bad UTF-8", what)
	}
	return nil
}

func checkOptional(what, s string) error {
	if s == "" {
		return nil
	}
	return checkName(what, s)
}

// check refuses a tenant that a store could not give back as it was.
func (t *Tenant) check() error {
	if err := checkName("tenant", t.ID); err != nil {
		return err
	}
	if err := checkOptional("name", t.Name); err != nil {
		return err
	}
	return checkOptional("tier", t.Tier)
}

// check refuses a key that a store should not have held.
func (k *Key) check() error {
	if len(k.ID) != idLen || !isLetters(k.ID) {
		return errors.New("got a bad key id")
	}
	if err := checkName("tenant", k.Tenant); err != nil {
		return err
	}
	if err := checkOptional("name", k.Name); err != nil {
		return err
	}
	if len(k.Secrets) == 0 || len(k.Secrets) > maxSecrets {
		return fmt.Errorf("got %d secrets of one key, want 1 to %d", len(k.Secrets), maxSecrets)
	}
	if k.RotateAfter < 0 {
		return fmt.Errorf("got a rotation after %v, want 0 or more", k.RotateAfter)
	}
	return k.Grant.check()
}
