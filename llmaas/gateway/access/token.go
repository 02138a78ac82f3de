package access

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// The form of a key, as secret scanners may look for it:
//
//	llmaas_[a-z2-7]{16}_[a-z2-7]{59}
const (
	tokenPrefix = "llmaas_"
	idBytes     = 10 // of randomness in the key id: 16 letters
	secretBytes = 32 // of randomness in the secret, 256 bits: 52 letters

	idLen     = 16
	secretLen = 52
	sumLen    = 7 // letters of the CRC-32 that ends a key

	tokenLen = len(tokenPrefix) + idLen + 1 + secretLen + sumLen
)

// letters are lower-case RFC 4648 base 32, without 0, 1 and 8 that pass for o, l
// and b; a double click selects the whole key.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Secret is a key as its user sends it. It is shown once, by [Secret.Reveal];
// under every other verb, in JSON and in logs, it is only its public id.
type Secret struct{ token string }

// Reveal returns the key itself, to be handed to its user and then forgotten:
// nothing but its hash is kept.
func (s Secret) Reveal() string { return s.token }

// String is the public part of the key, as in "llmaas_k7f3q2abcdefghij_…".
func (s Secret) String() string {
	id, ok := parseToken(s.token)
	if !ok {
		return "(no key)"
	}
	return tokenPrefix + id + "_…"
}

// Format writes what [Secret.String] returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue is what [Secret.String] returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText writes what [Secret.String] returns. It never fails.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// newID draws the id of a key. It is public.
func newID(random io.Reader) (string, error) {
	var b [idBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("access: no randomness: %w", err)
	}
	return letters.EncodeToString(b[:]), nil
}

// newSecret draws a secret for the key of that id.
func newSecret(random io.Reader, id string) (Secret, error) {
	var b [secretBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Secret{}, fmt.Errorf("access: no randomness: %w", err)
	}
	body := tokenPrefix + id + "_" + letters.EncodeToString(b[:])
	return Secret{body + checksum(body)}, nil
}

// checksum lets a scanner, and a gateway under a flood of guesses, tell a key
// from a lookalike without looking anything up. It is no protection.
func checksum(body string) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc32.ChecksumIEEE([]byte(body)))
	return letters.EncodeToString(b[:])
}

// WellFormed reports whether s has the form and the checksum of a key, for
// scanners of leaked secrets. It says nothing about whether the key exists.
func WellFormed(s string) bool {
	_, ok := parseToken(s)
	return ok
}

// parseToken returns the id in a well-formed key.
func parseToken(token string) (id string, ok bool) {
	if len(token) != tokenLen || !strings.HasPrefix(token, tokenPrefix) {
		return "", false
	}
	body := token[:tokenLen-sumLen]
	id = token[len(tokenPrefix) : len(tokenPrefix)+idLen]
	if !isLetters(id) || body[len(tokenPrefix)+idLen] != '_' || !isLetters(body[len(body)-secretLen:]) {
		return "", false
	}
	return id, checksum(body) == token[tokenLen-sumLen:]
}

func isLetters(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// Digest is the SHA-256 of a key, which is all that is kept of it. A key has 256
// bits of its own, so a slow, salted hash as for passwords would protect nothing
// more.
type Digest [sha256.Size]byte

func digestOf(token string) Digest { return sha256.Sum256([]byte(token)) }

// MarshalText writes the hash as hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("got a hash of %d digits, want %d", len(text), hex.EncodedLen(len(d)))
	}
	if _, err := hex.Decode(d[:], text); err != nil {
		return fmt.Errorf("got a hash that is not hexadecimal")
	}
	return nil
}

// Bearer returns the key in the Authorization header of a request (RFC 6750
// §2.1; the scheme in any case, RFC 9110 §11.1), or [ErrNoKey] if there is none,
// another scheme, or more than one header.
func Bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", ErrNoKey
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", ErrNoKey
	}
	return token, nil
}
