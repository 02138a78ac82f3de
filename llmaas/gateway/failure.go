package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/lifecycle"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// What the gateway itself refuses.
var (
	errFull        = errors.New("gateway: too many requests under way")
	errLimits      = errors.New("gateway: limits")
	errNoEndpoint  = errors.New("gateway: no such endpoint")
	errMethod      = errors.New("gateway: method")
	errEncoding    = errors.New("gateway: the body is compressed")
	errTooLarge    = errors.New("gateway: the body is too large")
	errBody        = errors.New("gateway: the body")
	errNoModel     = errors.New("gateway: no such model")
	errNoFile      = errors.New("gateway: no such file or batch")
	errManyBatches = errors.New("gateway: too many batches at once")
	errManyFiles   = errors.New("gateway: too many files and batches")
	errBlocked     = errors.New("gateway: blocked by the guard")
	errOutput      = errors.New("gateway: the answer was stopped by the guard")
	errGone        = errors.New("gateway: the caller went away")
	errTimeout     = errors.New("gateway: out of time")
	errCompressed  = errors.New("gateway: the machine compressed its answer")
	errBrokenOff   = errors.New("gateway: the machine broke off its answer")
	errUnrecorded  = errors.New("gateway: the audit cannot be written")
	statusCanceled = 499 // nginx's word for a caller that went away; seen only by one that still reads
)

// failure is an error as the caller is told it.
type failure struct {
	status  int
	kind    string // error.type
	code    string // error.code
	message string
}

// failures is the one table from errors to answers. The first row that fits counts.
var failures = []struct {
	err error
	failure
}{
	{errGone, failure{statusCanceled, "canceled", "", "The caller went away."}},
	{errTimeout, failure{504, "server_error", "timeout", "The request took too long."}},
	{errFull, failure{503, "service_unavailable_error", "overloaded", "The gateway is busy. Try again soon."}},
	{errUnrecorded, failure{503, "service_unavailable_error", "audit_unavailable", "The request cannot be recorded, so it is not served."}},
	{access.ErrUnauthenticated, failure{401, "authentication_error", "invalid_api_key", "Invalid or missing API key."}},
	{access.ErrModel, failure{403, "permission_error", "model_not_allowed", "This key may not use this model."}},
	{access.ErrForbidden, failure{403, "permission_error", "endpoint_not_allowed", "This key may not use this endpoint."}},
	{errNoEndpoint, failure{404, "invalid_request_error", "unknown_url", "There is no such endpoint."}},
	{errMethod, failure{405, "invalid_request_error", "method_not_allowed", "The endpoint does not take this method."}},
	{errEncoding, failure{415, "invalid_request_error", "unsupported_encoding", "The request body must not be compressed."}},
	{errTooLarge, failure{413, "invalid_request_error", "request_too_large", "The request body is too large."}},
	{errNoModel, failure{404, "invalid_request_error", "model_not_found", "The requested model does not exist."}},
	{errNoFile, failure{404, "invalid_request_error", "not_found", "There is no such file or batch."}},
	{errManyBatches, failure{429, "rate_limit_error", "too_many_batches", "Ten batches are under way, or have ended unseen."}},
	{errManyFiles, failure{429, "rate_limit_error", "too_many_files", "There are too many files and batches. Delete some."}},
	{lifecycle.ErrUnknownModel, failure{404, "invalid_request_error", "model_not_found", "The requested model does not exist."}},
	{lifecycle.ErrGone, failure{410, "invalid_request_error", "model_gone", "The requested model is no longer served."}},
	{errBlocked, failure{400, "invalid_request_error", "prompt_blocked", "The prompt analysis refused this prompt."}},
	{errOutput, failure{502, "server_error", "answer_blocked", "The answer was stopped because it is not safe to pass on."}},
	{limit.ErrFull, failure{503, "service_unavailable_error", "overloaded", "The gateway is busy. Try again soon."}},
	{cost.ErrFull, failure{503, "service_unavailable_error", "overloaded", "The gateway is busy. Try again soon."}},
	{errLimits, failure{503, "service_unavailable_error", "limits_unavailable", "The limits cannot be read, so the request is not served."}},
	{balance.ErrNoBackend, failure{503, "service_unavailable_error", "no_backend", "No machine can serve this model now."}},
	{errCompressed, failure{502, "server_error", "upstream_encoding", "The machine answered in an encoding that nobody asked for."}},
	{errBrokenOff, failure{502, "server_error", "upstream_broken_off", "The machine broke off its answer."}},
}

// machineError is an error of a machine that did not say what it is.
type machineError struct{ status int }

func (e *machineError) Error() string {
	return "gateway: the machine answered " + strconv.Itoa(e.status)
}

// failureOf finds the row of an error. Errors of the body say what is wrong with
// it; a budget is an error of its own kind; all else is the machine's fault.
func failureOf(err error) *failure {
	var bad *bodyError
	var machine *machineError
	var over *cost.OverBudgetError
	switch {
	case errors.As(err, &bad):
		return &failure{400, "invalid_request_error", "invalid_body", bad.what}
	case errors.As(err, &machine):
		return &failure{machine.status, "server_error", "upstream_error", "The machine failed, and did not say why."}
	case errors.As(err, &over):
		return &failure{429, "rate_limit_error", "budget_exceeded", "The monthly budget is used up until " + over.Resets.UTC().Format("2006-01-02") + "."}
	}
	for _, row := range failures {
		if errors.Is(err, row.err) {
			return &row.failure
		}
	}
	return &failure{502, "server_error", "bad_gateway", "No machine answered."}
}

// fail tells the caller, unless an answer has begun.
func (x *exchange) fail(err error) {
	if gone := x.gone(); gone != nil {
		err = gone
	}
	var exceeded *limit.ExceededError
	if errors.As(err, &exceeded) && x.status == 0 {
		x.failure = &failure{status: 429, code: exceeded.Limit}
		x.status = 429
		exceeded.Respond(x.w)
		return
	}
	x.failure = failureOf(err)
	switch x.failure.code {
	case "bad_gateway", "limits_unavailable":
		// package balance keeps what a machine sent out of its errors
		x.g.Log.Warn("gateway: "+x.failure.code, "request", x.id, "backend", x.hint.Backend, "err", err)
	}
	if x.status != 0 {
		return
	}
	x.w.Header().Del("Content-Disposition") // of an answer that is not passed on
	var over *cost.OverBudgetError
	switch {
	case x.failure.status == 503:
		x.w.Header().Set("Retry-After", "1")
	case errors.As(err, &over) && over.Most <= over.Cap: // else waiting is of no use
		seconds := (over.Resets.Sub(x.begun) + time.Second - 1) / time.Second
		x.w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	x.refuse(x.failure)
}

// refuse writes a failure in the service's words.
func (x *exchange) refuse(f *failure) {
	x.status = f.status
	body := f.body(x.id)
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(f.status)
	_, _ = x.w.Write(body) // the caller went away: nobody to tell
}

// body is the failure as an OpenAI error object.
func (f *failure) body(id string) []byte {
	type object struct {
		Message   string `json:"message"`
		Type      string `json:"type"`
		Code      string `json:"code,omitempty"`
		RequestID string `json:"request_id"`
	}
	data, err := json.Marshal(map[string]object{"error": {f.message, f.kind, f.code, id}})
	if err != nil {
		return []byte(`{"error":{"message":"","type":"server_error"}}`) // strings always marshal
	}
	return data
}

var _ http.Handler = (*Gateway)(nil)
