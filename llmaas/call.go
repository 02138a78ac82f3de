package llmaas

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	openai "github.com/sashabaranov/go-openai"
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

// encodeChat marshals a chat request. go-openai leaves an empty content out, which
// some servers refuse in the messages of tools and assistants.
func encodeChat(req openai.ChatCompletionRequest, extra map[string]any) ([]byte, error) {
	empty := func(m openai.ChatCompletionMessage) bool { return m.Content == "" && len(m.MultiContent) == 0 }
	if !slices.ContainsFunc(req.Messages, empty) {
		return encode(req, extra)
	}
	messages := make([]json.RawMessage, len(req.Messages))
	for i, m := range req.Messages {
		data, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		if empty(m) {
			data = append([]byte(`{"content":"",`), data[1:]...) // a role follows always
		}
		messages[i] = data
	}
	all := map[string]any{"messages": messages}
	maps.Copy(all, extra)
	return encode(req, all)
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
