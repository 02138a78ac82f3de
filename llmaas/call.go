package llmaas

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Call says whose call it is and what go-openai's request types cannot. The
// zero value says nothing.
type Call struct {
	// Tenant and Session are passed to the guard: policies go by tenant, and
	// the prompts of one session are judged together.
	Tenant, Session string

	// Header is added to the HTTP request.
	Header http.Header

	// Extra fields are put into the request body, over those of the same name:
	// parameters that go-openai does not know, or zeros that it leaves out.
	Extra map[string]any
}

type callKey struct{}

// WithCall returns a context whose calls are made as call says.
func WithCall(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

func callFrom(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
}

// encode marshals a request and puts the call's extra fields in.
func encode(req any, extra map[string]any) ([]byte, error) {
	body, err := json.Marshal(req)
	if err != nil || len(extra) == 0 {
		return body, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, err
	}
	for name, value := range extra {
		if fields[name], err = json.Marshal(value); err != nil {
			return nil, fmt.Errorf("extra field %q: %w", name, err)
		}
	}
	return json.Marshal(fields)
}
