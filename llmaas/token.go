package llmaas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Token is a secret bearer token. Every way of printing it prints
// "[redacted]": fmt verbs, slog, JSON and text encoding. The zero Token is empty.
type Token struct {
	// A pointer, because fmt reads unexported fields of other structs without
	// asking Format: it prints an address there.
	secret *string
}

// NewToken wraps a secret.
func NewToken(secret string) Token { return Token{&secret} }

// Reveal returns the secret itself, for the one place that sends it.
func (t Token) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return *t.secret
}

const redacted = "[redacted]"

// String returns "[redacted]".
func (Token) String() string { return redacted }

// Format writes "[redacted]" under every verb and flag.
func (Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]".
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", which JSON uses too.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// TokenSource gives the token for the next request. It is called once an
// attempt, so that a token may rotate between two of them, and must be safe for
// concurrent use.
type TokenSource interface {
	Token(ctx context.Context) (Token, error)
}

// TokenFunc is a function as a [TokenSource].
type TokenFunc func(ctx context.Context) (Token, error)

// Token calls f.
func (f TokenFunc) Token(ctx context.Context) (Token, error) { return f(ctx) }

// Static is a [TokenSource] that always gives the same secret.
func Static(secret string) TokenSource {
	return TokenFunc(func(context.Context) (Token, error) {
		if secret == "" {
			return Token{}, errors.New("the token is empty")
		}
		return NewToken(secret), nil
	})
}
