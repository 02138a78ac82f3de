package redisstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/redis/go-redis/v9"
)

//go:embed append.lua
var appendScript string

// DefaultTimeout is how long a prompt waits for Redis at most.
const DefaultTimeout = 100 * time.Millisecond

// Options configure a [Store]. Only URL must be set.
type Options struct {
	// URL is the server: "redis://user:password@host:6379/0", or "rediss://" for
	// TLS. See redis.ParseURL in go-redis for its parameters.
	URL string

	// Prefix begins every key. Empty means "llmaas:guard:".
	Prefix string

	// Secret is the key of the HMAC that hides tenants and sessions in the names
	// of keys. All gateways on one server need the same. Without it the names are
	// plain SHA-256: whoever guesses a session's name can tell that it is there.
	Secret []byte

	// Window and HalfLife are those of [behavior.MemoryOptions]; zero means the
	// same defaults. All gateways on one server need the same.
	Window, HalfLife time.Duration

	// Timeout is how long an Append waits for Redis, connecting included; what is
	// tried again, of limits and budgets, waits twice. Zero means DefaultTimeout.
	Timeout time.Duration

	// Connections bounds the connections to the server. Zero means go-redis's
	// default: ten for each processor.
	Connections int
}

// Store is a [behavior.History] on a Redis or Valkey server. It is safe for
// concurrent use. It connects when needed, and again when a connection is lost.
type Store struct {
	client *redis.Client
	script *redis.Script
	opts   Options
}

var _ behavior.History = (*Store)(nil)

// New returns a Store. It does not connect yet; see [Store.Ping].
func New(opts Options) (*Store, error) {
	for _, o := range []struct {
		name string
		n    int64
	}{
		{"Window", int64(opts.Window)},
		{"HalfLife", int64(opts.HalfLife)},
		{"Timeout", int64(opts.Timeout)},
		{"Connections", int64(opts.Connections)},
	} {
		if o.n < 0 {
			return nil, fmt.Errorf("redisstore: Options.%s: got %d, want 0 (the default) or more", o.name, o.n)
		}
	}
	config, err := redis.ParseURL(opts.URL)
	if err != nil {
		// The URL holds a password, and the error may hold the URL.
		return nil, errors.New("redisstore: Options.URL: got no Redis URL, want redis://user:password@host:port/database or rediss://…")
	}
	if opts.Prefix == "" {
		opts.Prefix = "llmaas:guard:"
	}
	if opts.Window == 0 {
		opts.Window = behavior.DefaultWindow
	}
	if opts.HalfLife == 0 {
		opts.HalfLife = behavior.DefaultHalfLife
	}
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	config.MaxRetries = -1 // a prompt whose fate is unknown must not count twice
	config.DialerRetries = 1
	config.ContextTimeoutEnabled = true
	config.DialTimeout = opts.Timeout
	config.ReadTimeout = opts.Timeout
	config.WriteTimeout = opts.Timeout
	config.PoolTimeout = opts.Timeout
	if opts.Connections > 0 {
		config.PoolSize = opts.Connections
	}
	return &Store{client: redis.NewClient(config), script: redis.NewScript(appendScript), opts: opts}, nil
}

// Ping reports whether the server answers in time.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redisstore: ping: %w", err)
	}
	return nil
}

// Close closes the connections. An Append after it fails.
func (s *Store) Close() error { return s.client.Close() }

// Append implements [behavior.History] in one round trip. After a restart of the
// server it takes two, once, to load the script again.
func (s *Store) Append(ctx context.Context, key behavior.Key, e *behavior.Entry, past *behavior.Past) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	before, err := s.script.Run(ctx, s.client, []string{s.name(key)},
		arguments(e, s.opts.Window, s.opts.HalfLife), packPiece(e), max(s.opts.Window.Milliseconds(), 1)).Text()
	if err != nil {
		return fmt.Errorf("redisstore: append: %w", err)
	}
	tell([]byte(before), e, s.opts.Window, s.opts.HalfLife, past)
	return nil
}

// name returns the key of a session: 128 bits that say nothing about it.
func (s *Store) name(key behavior.Key) string {
	mac := hmac.New(sha256.New, s.opts.Secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(key.Tenant)))) // ("a", "bc") is not ("ab", "c")
	mac.Write([]byte(key.Tenant))
	mac.Write([]byte(key.Session))
	return s.opts.Prefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
