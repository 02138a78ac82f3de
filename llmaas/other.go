package llmaas

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// otherCall is what can be known of a call that is no chat by its body. Forms and
// calls without a body leave it empty.
type otherCall struct {
	Model     string                         `json:"model"`
	Prompt    json.RawMessage                `json:"prompt"`
	Messages  []openai.ChatCompletionMessage `json:"messages"`
	Input     json.RawMessage                `json:"input"`     // of embeddings
	Query     string                         `json:"query"`     // of rerank
	Documents json.RawMessage                `json:"documents"` // of rerank
	MaxTokens int                            `json:"max_tokens"`
	N         int                            `json:"n"`
}

// otherExchange reads the body as far as it can be read: what has the wrong type
// must not hide the rest from the guard.
func otherExchange(req *http.Request, body []byte) exchange {
	var call otherCall
	var typ *json.UnmarshalTypeError
	if err := json.Unmarshal(body, &call); err != nil && !errors.As(err, &typ) {
		return exchange{}
	}
	x := exchange{model: call.Model, judged: append(newTexts(call.Messages), stringsOf(call.Prompt)...)}
	switch path := req.URL.Path; {
	case strings.HasSuffix(path, "/embeddings"):
		x.estimate = cost.Usage{Input: likely(x.model, stringsOf(call.Input)...)}
	case strings.HasSuffix(path, "/rerank"):
		x.rerank = true
		x.estimate = cost.Usage{Rerank: likely(x.model, call.Query) + likely(x.model, stringsOf(call.Documents)...)}
	case strings.HasSuffix(path, "/completions"):
		x.estimate = cost.Usage{Input: likely(x.model, x.judged...), Output: int64(cmp.Or(call.MaxTokens, defaultMaxTokens)) * int64(max(call.N, 1))}
	}
	return x
}

// stringsOf are a string, the strings of an array, or any other JSON as it stands.
func stringsOf(raw json.RawMessage) []string {
	var many []string
	switch {
	case len(raw) == 0:
		return nil
	case raw[0] == '[' && json.Unmarshal(raw, &many) == nil:
		return many
	}
	return []string{scalar(raw)}
}

// other passes a call on that is no chat.
func (t *roundTripper) other(req *http.Request, body []byte) (*http.Response, error) {
	ctx := withHeader(req, callFrom(req.Context()))
	x := otherExchange(req, body)
	known := t.c.begin(ctx, strings.Trim(req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:], "/"), x.model)
	result := new(Result)
	resp, err := t.pass(ctx, req, body, x, known, result)
	if err != nil {
		failed := errorOf(err).fill(known)
		t.c.finish(known, result, failed)
		return nil, failed
	}
	t.c.finish(known, result, nil)
	return resp, nil
}

func (t *roundTripper) pass(ctx context.Context, req *http.Request, body []byte, x exchange, known *facts, result *Result) (*http.Response, error) {
	if err := t.c.admitExchange(ctx, x, known, result); err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(req.URL.String(), t.c.base)
	if path == req.URL.String() {
		known.base, path = t.scheme+"://"+t.host, req.URL.RequestURI()
	}
	resp, err := t.c.send(ctx, known, req.Method, path, req.Header.Get("Content-Type"), body)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return resp, err
	}
	var own envelope
	raw, err := readReply(resp, &own)
	if err != nil {
		return nil, err
	}
	if isError(own.Error) {
		return nil, hiddenError(raw, resp.StatusCode)
	}
	result.Backend = own.Backend
	if x.model != "" {
		result.Model = x.model
		t.c.bill(x.model, x.used(own.Usage), result)
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	return resp, nil
}
