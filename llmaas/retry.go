package llmaas

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry says when a request is sent again. The zero value means the defaults.
type Retry struct {
	// Attempts is how many requests one call may send. 0 means 3; 1 means no retry.
	Attempts int

	// MaxWait bounds the wait before one retry. When the service asks for more,
	// the call ends with its error. 0 means 30 s.
	MaxWait time.Duration
}

const (
	defaultAttempts = 3
	defaultMaxWait  = 30 * time.Second
	firstBackoff    = 500 * time.Millisecond
	maxBackoff      = 8 * time.Second
)

func (r Retry) attempts() int {
	if r.Attempts == 0 {
		return defaultAttempts
	}
	return r.Attempts
}

func (r Retry) maxWait() time.Duration {
	if r.MaxWait == 0 {
		return defaultMaxWait
	}
	return r.MaxWait
}

// retryable reports whether the reply is worth another attempt. The service's
// own word, x-should-retry, overrules the status.
func retryable(resp *http.Response) bool {
	switch resp.Header.Get("X-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return resp.StatusCode >= 500
}

// retryAfter reads Retry-After-Ms, else Retry-After as seconds, with or without
// a fraction, or as an HTTP date (RFC 9110 §10.2.3).
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	if d, ok := duration(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d, true
	}
	value := h.Get("Retry-After")
	if d, ok := duration(value, time.Second); ok {
		return d, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

func duration(value string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(n >= 0 && n < float64(365*24*time.Hour)/float64(unit)) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

// backoff is the wait before retry number n, counted from 0: full jitter over
// an interval that doubles. jitter is in [0, 1).
func backoff(n int, jitter float64) time.Duration {
	ceiling := maxBackoff
	if n < 4 {
		ceiling = firstBackoff << n
	}
	return time.Duration(jitter * float64(ceiling))
}
