package llmaas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
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
	token := NewToken(secret)
	return TokenFunc(func(context.Context) (Token, error) {
		if secret == "" {
			return Token{}, errors.New("the token is empty")
		}
		return token, nil
	})
}

var errNoToken = errors.New("no token")

// credentials are a token source and the tokens of it that were accepted last:
// while tokens rotate, the newest one or the one before it may be what counts.
type credentials struct {
	source TokenSource

	mu       sync.Mutex // guards what follows
	now, old Token
}

// token asks the source, and refuses what cannot stand in a header.
func (c *credentials) token(ctx context.Context) (Token, error) {
	token, err := c.source.Token(ctx)
	if err != nil {
		return Token{}, &Error{Kind: ErrUnauthorized, cause: fmt.Errorf("%w: %w", errNoToken, err)}
	}
	for _, c := range []byte(token.Reveal()) {
		if c < ' ' || c >= 0x7f {
			return Token{}, &Error{Kind: ErrUnauthorized, cause: fmt.Errorf("%w: it holds a character that no header may", errNoToken)}
		}
	}
	return token, nil
}

// keep remembers a token that the service accepted.
func (c *credentials) keep(t Token, resp *http.Response) {
	if resp == nil || resp.StatusCode > 299 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.Reveal() != t.Reveal() {
		c.now, c.old = t, c.now
	}
}

// another is a token to try in place of one that was refused: what the source has
// by now, else the one that was accepted last.
func (c *credentials) another(ctx context.Context, refused Token) (Token, bool) {
	if t, err := c.token(ctx); err == nil && t.Reveal() != refused.Reveal() {
		return t, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range []Token{c.now, c.old} {
		if t.Reveal() != "" && t.Reveal() != refused.Reveal() {
			return t, true
		}
	}
	return Token{}, false
}
