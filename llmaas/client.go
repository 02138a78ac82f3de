package llmaas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/lifecycle"
)

// DefaultBaseURL is where the service listens.
const DefaultBaseURL = "https://api.ai.cloud-temple.com/v1"

// maxReply is the largest reply that is read whole, in bytes.
const maxReply = 256 << 20

// Guard judges a prompt before it is sent. [*guard.Guard] is one.
type Guard interface {
	Inspect(ctx context.Context, in guard.Input) guard.Report
}

// Config configures [New]. Token is the one field that must be set.
type Config struct {
	// Token gives the bearer token of each request, as [Static] does.
	Token TokenSource

	// BaseURL is the root of the API, with its /v1. "" means [DefaultBaseURL].
	BaseURL string

	// Transport sends the requests. Nil means a pool of connections of the
	// client's own, over TLS 1.3.
	Transport http.RoundTripper

	// Guard judges what is new in each turn. Nil means that nothing is judged.
	Guard Guard

	// Prices are the tariffs to bill by. Nil means [cost.Default].
	Prices *cost.PriceBook

	// Energy is what models take. Nil means [cost.DefaultEnergy].
	Energy *cost.EnergyTable

	// Catalogue knows the models and their dates. Nil means [lifecycle.Default].
	Catalogue *lifecycle.Catalogue

	// Retry says when a request is sent again.
	Retry Retry

	// Hedge sends slow requests a second time. The zero value means that it does not.
	Hedge Hedge

	// Timeouts bound the waits of a call.
	Timeouts Timeouts

	// Output scans answers. What it finds of high severity ends the answer with
	// [ErrWithheld]; all findings stand in [Result.Output]. Nil means no scan.
	Output Output

	// Limits are the client's own, for all its calls together.
	Limits Limits

	// Budget sets money aside for each call. Nil means that none is asked.
	Budget Budget

	// Fallbacks are asked in turn when a call fails by the service's fault.
	Fallbacks []Fallback

	// FallbackText is the answer when no model gives one, with [Result.Fallbacks]
	// saying why. "" means that the call fails.
	FallbackText string

	// Observer sees what happens to each call. Nil means nobody.
	Observer Observer

	// Log gets one line a day for each model in use whose end is near. Nil means none.
	Log *slog.Logger

	// Now is the clock for dates: of prices, of models, of Retry-After. Nil means time.Now.
	Now func() time.Time
}

// Client calls the service. It is safe for concurrent use.
type Client struct {
	base      string
	transport *transport
	guard     Guard
	prices    *cost.PriceBook
	energy    *cost.EnergyTable
	catalogue *lifecycle.Catalogue
	now       func() time.Time
	retry     Retry
	timeouts  Timeouts
	output    Output
	limits    *limiter
	budget    Budget
	fallbacks []target
	observer  Observer
	warnings  *warnings

	fallbackText string
	noReply      *Error // the cause of a reply's time-out; each call gets a copy
}

// New makes a client. The error says which field of the config is wrong.
func New(cfg Config) (*Client, error) {
	if cfg.Token == nil {
		return nil, errors.New("llmaas: Config.Token: got none, want a TokenSource such as llmaas.Static(key)")
	}
	if cfg.Retry.Attempts < 0 || cfg.Retry.MaxWait < 0 {
		return nil, errors.New("llmaas: Config.Retry: got a negative value, want 0 or more")
	}
	if err := errors.Join(cfg.Timeouts.check(), cfg.Limits.check(), cfg.Hedge.check()); err != nil {
		return nil, err
	}
	base, err := baseURL("Config.BaseURL", cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: base, guard: cfg.Guard, prices: cfg.Prices, energy: cfg.Energy, catalogue: cfg.Catalogue, now: cfg.Now,
		retry: cfg.Retry, timeouts: cfg.Timeouts.defaults(), output: cfg.Output, limits: newLimiter(cfg.Limits), budget: cfg.Budget,
		observer: cfg.Observer, warnings: newWarnings(cfg.Log), fallbackText: cfg.FallbackText,
	}
	for i, f := range cfg.Fallbacks {
		if f.BaseURL != "" {
			if f.BaseURL, err = baseURL(fmt.Sprintf("Config.Fallbacks[%d].BaseURL", i), f.BaseURL); err != nil {
				return nil, err
			}
		}
		t := target{Model: f.Model, BaseURL: f.BaseURL}
		if f.Token != nil {
			t.token = &credentials{source: f.Token}
		}
		c.fallbacks = append(c.fallbacks, t)
	}
	if c.prices == nil {
		c.prices = cost.Default()
	}
	if c.energy == nil {
		c.energy = cost.DefaultEnergy()
	}
	if c.catalogue == nil {
		c.catalogue = lifecycle.Default()
	}
	if c.now == nil {
		c.now = time.Now
	}
	if cfg.Transport == nil {
		cfg.Transport = newBase(c.timeouts.Connect)
	}
	if cfg.Hedge.Quantile > 0 {
		cfg.Transport = newHedger(cfg.Hedge, cfg.Transport)
	}
	c.transport = &transport{base: cfg.Transport, token: &credentials{source: cfg.Token}, retry: cfg.Retry, now: c.now, jitter: defaultJitter}
	c.noReply = &Error{Kind: ErrTimeout, cause: fmt.Errorf("no reply within %v", c.timeouts.Reply)}
	return c, nil
}

func baseURL(field, raw string) (string, error) {
	if raw == "" {
		return DefaultBaseURL, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("llmaas: " + field + `: want a plain http or https address such as "` + DefaultBaseURL + `"`)
	}
	return strings.TrimRight(raw, "/"), nil
}

// post sends body as JSON and returns the reply if its status is one of success.
// The caller closes the reply's body.
func (c *Client) post(ctx context.Context, path string, body []byte, known *facts) (*http.Response, error) {
	return c.send(ctx, known, http.MethodPost, path, "application/json", body)
}

func (c *Client) send(ctx context.Context, known *facts, method, path, contentType string, body []byte) (*http.Response, error) {
	ctx = context.WithValue(ctx, factsKey{}, known)
	req, err := http.NewRequestWithContext(ctx, method, known.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range callFrom(ctx).Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	// No http.Client: it would follow redirects, which could carry token and
	// prompt to another host.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	c.limits.heed(resp.Header, c.now())
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer func() { _ = resp.Body.Close() }()
		head, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what can be read of it will do
		return nil, statusError(resp, head, c.now())
	}
	return resp, nil
}

// readReply reads a whole reply and decodes it into v.
func readReply(resp *http.Response, v any) ([]byte, error) {
	body, err := readAll(resp)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, v); err != nil {
		// The decoder's words may quote the reply: its type and offset must do.
		return nil, &Error{Kind: ErrProtocol, Status: resp.StatusCode, cause: decodeError(err, len(body))}
	}
	return body, nil
}

func tooLong(status int) *Error {
	return &Error{Kind: ErrProtocol, Status: status, cause: fmt.Errorf("a reply longer than %d bytes", maxReply)}
}

func decodeError(err error, size int) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON at byte %d of %d", syntax.Offset, size)
	case errors.As(err, &typ):
		return fmt.Errorf("field %s at byte %d has the wrong type", typ.Field, typ.Offset)
	}
	return fmt.Errorf("no JSON in %d bytes", size)
}
