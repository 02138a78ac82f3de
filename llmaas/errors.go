package llmaas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/guard"
)

// What went wrong, for [errors.Is]. Every error of a call is an [*Error] that
// is one of these.
var (
	ErrRefused        = errors.New("refused by the guard before sending")
	ErrWithheld       = errors.New("the answer was withheld by the output scan")
	ErrBudget         = errors.New("the budget is spent")
	ErrModelGone      = errors.New("the model is no longer served")
	ErrInvalidRequest = errors.New("the service does not accept the request")
	ErrUnauthorized   = errors.New("the token is not accepted")
	ErrForbidden      = errors.New("the token may not do this")
	ErrModelNotFound  = errors.New("the service does not know the model")
	ErrRateLimited    = errors.New("a rate limit is reached")
	ErrOverloaded     = errors.New("the service is overloaded or out of order")
	ErrConnection     = errors.New("the service cannot be reached")
	ErrTimeout        = errors.New("out of time")
	ErrTruncated      = errors.New("the answer was cut off")
	ErrProtocol       = errors.New("the answer is not what the API promises")
	ErrCanceled       = errors.New("canceled by the caller")
)

// Error is what every call of this package returns when it fails. Its text
// names the operation, the kind, the status and the request id; it never holds
// a token, a prompt or a reply body.
type Error struct {
	Op         string        // the operation, as "chat"
	Kind       error         // one of the Err… of this package
	Status     int           // HTTP status; 0 when there was no reply
	Type       string        // error.type of the service, if it is a plain word
	Code       string        // error.code of the service, if it is a plain word
	Param      string        // error.param of the service, if it is a plain word
	RequestID  string        // the service's id of the request
	RetryAfter time.Duration // how long the service asks to wait; 0 when it did not say
	Attempts   int           // requests sent for this call
	Backend    string        // machine that answered, if it said so
	Report     *guard.Report // why, when Kind is ErrRefused or ErrWithheld
	Successor  string        // what to call instead, when Kind is ErrModelGone

	detail string
	cause  error
}

// Error says where, what and why in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "llmaas: %s: %v", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d", e.Status)
		for _, word := range []string{e.Type, e.Code, e.Param} {
			if word != "" {
				b.WriteString(" " + word)
			}
		}
		b.WriteString(")")
	}
	if e.Report != nil && len(e.Report.Findings) > 0 {
		f := e.Report.Findings[0]
		fmt.Fprintf(&b, ": %s at bytes %d to %d: %s", f.Rule, f.Span.Start, f.Span.End, f.Why)
	}
	if e.Successor != "" {
		fmt.Fprintf(&b, ": use %s", e.Successor)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry in %v", e.RetryAfter)
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// Unwrap gives the kind and the cause to [errors.Is] and [errors.As].
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// As gives code that was written for go-openai the *openai.APIError that it
// looks for, when the error came from the service. Its text is that of Detail.
func (e *Error) As(target any) bool {
	api, ok := target.(**openai.APIError)
	if !ok || e.Status == 0 {
		return false
	}
	*api = &openai.APIError{
		Type: e.Type, Message: e.detail,
		HTTPStatusCode: e.Status, HTTPStatus: strconv.Itoa(e.Status) + " " + http.StatusText(e.Status),
	}
	if e.Code != "" {
		(*api).Code = e.Code
	}
	if e.Param != "" {
		(*api).Param = &e.Param
	}
	return true
}

// Detail is the message that the service sent, at most 1 KiB of it. It may
// quote the prompt, so it is no part of the error's text; log it knowingly.
func (e *Error) Detail() string { return e.detail }

// fill adds what is known about the call to an error that has no such facts yet.
func (e *Error) fill(facts *facts) *Error {
	if e.Op == "" {
		e.Op = facts.op
	}
	e.Attempts = facts.attempts
	if e.RequestID == "" {
		e.RequestID = facts.requestID
	}
	return e
}

// errorOf turns any failure of a round trip or of reading a body into an *Error.
func errorOf(err error) *Error {
	var e *Error
	var timeout net.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled):
		return &Error{Kind: ErrCanceled, cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: ErrTimeout, cause: context.DeadlineExceeded}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Kind: ErrTimeout, cause: err}
	}
	return &Error{Kind: ErrConnection, cause: quiet(err)}
}

// statusError reads the service's error reply.
func statusError(resp *http.Response, body []byte, now time.Time) *Error {
	e := serviceError(body)
	e.Status = resp.StatusCode
	e.RequestID = requestID(resp.Header)
	e.RetryAfter, _ = retryAfter(resp.Header, now)
	e.Kind = kindOf(e.Status, e.Code)
	return e
}

// serviceError reads an error in any of the shapes that are seen: an object
// under "error" or flat, a string, FastAPI's "detail", or no JSON at all.
func serviceError(body []byte) *Error {
	var outer struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return &Error{}
	}
	inner := body
	switch {
	case len(outer.Error) > 0:
		inner = outer.Error
	case len(outer.Detail) > 0:
		inner = outer.Detail
	}
	var text string
	if json.Unmarshal(inner, &text) == nil {
		return &Error{detail: clip(text)}
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(inner, &fields) // no object: all fields stay empty
	return &Error{
		Type:   word(fields["type"]),
		Code:   word(fields["code"]),
		Param:  word(fields["param"]),
		detail: clip(scalar(fields["message"])),
	}
}

// scalar is a JSON string, or any other JSON value as it stands.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// word lets through what can only be a name: a service that quotes the prompt
// in a field must not get it into an error's text.
func word(raw json.RawMessage) string {
	s := scalar(raw)
	if len(s) > 64 || s == "null" {
		return ""
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.', c == '[', c == ']':
		default:
			return ""
		}
	}
	return s
}

func clip(s string) string {
	const most = 1 << 10
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// kindOf maps a status and code to one of the Err….
func kindOf(status int, code string) error {
	switch {
	case code == "model_not_found":
		return ErrModelNotFound
	case status == http.StatusUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusGone:
		return ErrModelGone
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return ErrTimeout
	case status >= 500:
		return ErrOverloaded
	case status >= 400:
		return ErrInvalidRequest
	}
	return ErrProtocol
}
