package limit

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Requests is the state of a tenant's limit of requests per minute.
type Requests struct {
	Limit     int64 // Unlimited if there is none
	Remaining int64
	Reset     time.Time // when the minute is over
}

func requestsOf(c Counter, value int64) Requests {
	return Requests{Limit: c.Max, Remaining: max(c.Max-value, 0), Reset: time.Unix(c.End, 0).UTC()}
}

// Set writes the service's headers: X-RateLimit-Limit-Requests,
// X-RateLimit-Remaining-Requests and X-RateLimit-Reset-Requests (Unix seconds).
// Where requests are not limited it writes none.
func (r Requests) Set(h http.Header) {
	if r.Limit == Unlimited {
		return
	}
	// Keys in net/http's own spelling need not be made anew for each request.
	h.Set("X-Ratelimit-Limit-Requests", strconv.FormatInt(r.Limit, 10))
	h.Set("X-Ratelimit-Remaining-Requests", strconv.FormatInt(r.Remaining, 10))
	h.Set("X-Ratelimit-Reset-Requests", strconv.FormatInt(r.Reset.Unix(), 10))
}

// ExceededError says that a request could pass a limit of its tenant. If it
// could pass several, it names the one that holds it up longest.
type ExceededError struct {
	Limit string // one of the names of this package
	Max   int64
	Used  int64 // what is used and reserved already
	Asked int64 // what the request may use at worst

	// RetryAfter is how long to wait: after it, and not before, the windows the
	// request did not fit are over. Requests under way may free something
	// earlier, and others may take it. Zero means never: the request alone is
	// above the limit.
	RetryAfter time.Duration

	Requests Requests
}

// exceeded explains why a request did not fit.
func exceeded(counters []Counter, values []int64, now time.Time) *ExceededError {
	e := &ExceededError{Requests: requestsOf(counters[minute], values[minute])}
	for i, c := range counters {
		if values[i] <= c.Max && c.Add <= c.Max-values[i] {
			continue
		}
		wait := time.Second // requests under way end when they end
		switch {
		case c.Add > c.Max:
			wait = math.MaxInt64 // never
		case c.End != 0:
			wait = time.Unix(c.End, 0).Sub(now)
		}
		if wait > e.RetryAfter {
			e.Limit, e.Max, e.Used, e.Asked, e.RetryAfter = c.Name, c.Max, values[i], c.Add, wait
		}
	}
	if e.RetryAfter == math.MaxInt64 {
		e.RetryAfter = 0
	}
	return e
}

// Error says which limit, in numbers only.
func (e *ExceededError) Error() string {
	if e.RetryAfter == 0 {
		return fmt.Sprintf("limit: %s: got a request for up to %d, want at most %d", e.Limit, e.Asked, e.Max)
	}
	return fmt.Sprintf("limit: %s: %d of %d are used or reserved, and the request asks for up to %d more; retry after %v",
		e.Limit, e.Used, e.Max, e.Asked, e.RetryAfter)
}

// Set writes the headers of [Requests.Set] and Retry-After in whole seconds,
// rounded up (RFC 9110 §10.2.3); the latter not where waiting is of no use.
func (e *ExceededError) Set(h http.Header) {
	e.Requests.Set(h)
	if e.RetryAfter > 0 {
		seconds := (e.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
}

// Respond writes the service's answer: status 429, the headers of
// [ExceededError.Set], and an error object of type rate_limit_error and code
// rate_limit_exceeded.
func (e *ExceededError) Respond(w http.ResponseWriter) {
	type object struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    string `json:"code"`
	}
	// Strings of our own make cannot fail to encode.
	body, _ := json.Marshal(map[string]object{"error": {e.message(), "rate_limit_error", "rate_limit_exceeded"}})
	e.Set(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	w.Write(append(body, '\n'))
}

// message is Error for the caller of the API.
func (e *ExceededError) message() string {
	unit, used, most, asked := "", strconv.FormatInt(e.Used, 10), strconv.FormatInt(e.Max, 10), strconv.FormatInt(e.Asked, 10)
	if e.Limit == MonthlyBudget {
		unit, used, most, asked = " €", euros(e.Used), euros(e.Max), euros(e.Asked)
	}
	if e.RetryAfter == 0 {
		return fmt.Sprintf("Rate limit %s: this request alone asks for up to %s%s, and the limit is %s%s.", e.Limit, asked, unit, most, unit)
	}
	return fmt.Sprintf("Rate limit %s reached: %s of %s%s used or reserved, and this request asks for up to %s%s more.", e.Limit, used, most, unit, asked, unit)
}

// euros is for people to read, who need 15 digits at most.
func euros(nano int64) string { return strconv.FormatFloat(float64(nano)/nanoEuro, 'f', -1, 64) }
