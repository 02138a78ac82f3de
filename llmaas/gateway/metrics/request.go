package metrics

import (
	"slices"
	"strings"
	"time"
)

// Request is what is known of one request when it has ended. It holds no prompt,
// answer or key.
type Request struct {
	Time     time.Time `json:"time"`
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant"`
	Endpoint string    `json:"endpoint"` // "/chat/completions"
	Model    string    `json:"model"`
	Backend  string    `json:"backend,omitempty"`
	Status   int       `json:"status"` // HTTP
	Stream   bool      `json:"stream,omitempty"`

	Input     int64 `json:"input"`     // tokens
	Output    int64 `json:"output"`    // tokens, reasoning included
	Reasoning int64 `json:"reasoning"` // tokens
	Cost      int64 `json:"cost"`      // nano-euro
	Energy    int64 `json:"energy"`    // microwatt-hours

	Duration time.Duration `json:"duration"`
	TTFT     time.Duration `json:"ttft"` // 0 when no token came

	Action string   `json:"action,omitempty"` // the guard's: "flag", "block"
	Rules  []string `json:"rules,omitempty"`  // that fired
	Limit  string   `json:"limit,omitempty"`  // that was hit: "requests", "output_tokens_hour", "budget"
}

// Bounds of what the history keeps of one request.
const (
	maxName  = 256 // bytes of a name
	maxRules = 64
)

// bound cuts what callers wrote, and takes a copy of what the host may change.
func (r *Request) bound() {
	for _, name := range []*string{&r.ID, &r.Tenant, &r.Endpoint, &r.Model, &r.Backend, &r.Action, &r.Limit} {
		if len(*name) > maxName {
			*name = strings.Clone((*name)[:maxName])
		}
	}
	r.Rules = slices.Clone(r.Rules[:min(len(r.Rules), maxRules)])
}

// failed reports whether the service, not the caller, is at fault.
func (r *Request) failed() bool { return r.Status >= 500 }
