package host

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// config is what the gateway runs with. Without a file it is a demonstration.
type config struct {
	Addr        string            `json:"addr"`
	Backends    []balance.Backend `json:"backends"`
	Keys        string            `json:"keys"`         // file of the API keys
	Audit       string            `json:"audit"`        // folder of the audit trail
	AuditKey    string            `json:"audit_key"`    // 64 hexadecimal digits, or "$NAME" of an environment variable
	AuditKeep   string            `json:"audit_keep"`   // how long, like "8760h"; "" is for ever
	Redis       string            `json:"redis"`        // URL of the server that gateways share, or "$NAME" of a variable
	RedisSecret string            `json:"redis_secret"` // 64 hexadecimal digits or "$NAME", the same for all of them
	RedisOpen   []string          `json:"redis_fail_open"`
	Alerts      []metrics.Alert   `json:"alerts"`

	// Requests are requests per minute by tier, which the service's own table
	// does not print. A tier that is not here is not limited by them.
	Requests map[string]int64 `json:"requests_per_minute"`

	auditKey    audit.Key
	auditKeep   time.Duration
	redisSecret []byte
}

// readConfig reads a JSON file; a field it does not know is an error.
func readConfig(path string) (config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return config{}, err
	}
	c, err := parseConfig(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseConfig(data []byte) (c config, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, err
	}
	if d.Decode(&struct{}{}) != io.EOF {
		return c, errors.New("got more than one JSON value, want one object")
	}
	for tier, most := range c.Requests {
		if !slices.ContainsFunc(limit.Tiers(), func(t limit.Tier) bool { return t.ID == tier }) || most < 0 {
			return c, fmt.Errorf("requests_per_minute: got %d for %.40q, want 0 or more for a tier of the service", most, tier)
		}
	}
	if c.AuditKeep != "" {
		if c.auditKeep, err = time.ParseDuration(c.AuditKeep); err != nil || c.auditKeep < 744*time.Hour {
			return c, fmt.Errorf("audit_keep: got %.40q, want 744h, which is a month, or more", c.AuditKeep)
		}
	}
	if strings.HasPrefix(c.Redis, "$") { // elsewhere a $ may be of the password
		if c.Redis = os.ExpandEnv(c.Redis); c.Redis == "" {
			return c, errors.New("redis: got a variable that is not set")
		}
	}
	if c.redisSecret, err = unhex("redis_secret", c.RedisSecret); err != nil {
		return c, err
	}
	secret, err := unhex("audit_key", c.AuditKey)
	if err != nil {
		return c, err
	}
	if secret != nil {
		c.auditKey = audit.Key{ID: "config", Secret: [32]byte(secret)}
	}
	return c, nil
}

// unhex reads a secret that stands in a configuration or in the environment.
func unhex(name, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	secret, err := hex.DecodeString(os.ExpandEnv(text))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("%s: want 64 hexadecimal digits, as openssl rand -hex 32 prints", name)
	}
	return secret, nil
}

// notify prints an alert. A real host would call its pager here.
func (c *config) notify(n metrics.Notice) {
	fmt.Fprintf(os.Stderr, "alert %s: firing=%v value=%g above=%g %s\n", n.Alert, n.Firing, n.Value, n.Above, n.Measure)
}

// forgot says that what a session said before could not be read.
func forgot(err error) { slog.Warn("gateway: history", "err", err) }

// tierOf looks a tenant's tier up in the service's own table, and its requests
// per minute in the configuration.
func (c *config) tierOf(keys *access.Keys) func(string) limit.Tier {
	tiers := make(map[string]limit.Tier)
	for _, t := range limit.Tiers() {
		if most, ok := c.Requests[t.ID]; ok {
			t.RequestsPerMinute = most
		}
		tiers[t.ID] = t
	}
	return func(tenant string) limit.Tier {
		known, _ := keys.Tenant(tenant)
		return tiers[known.Tier]
	}
}
