package llmaas

import (
	"context"
	"encoding/json"

	openai "github.com/sashabaranov/go-openai"
)

// Response is the answer to [Client.Chat]: go-openai's, and what the service
// and this package know beyond it.
type Response struct {
	openai.ChatCompletionResponse
	Result
}

// Text is the content of the first choice, "" when there is none.
func (r *Response) Text() string {
	if len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Message.Content
}

// chatReply is a reply on the wire. Its own fields win over the embedded ones
// of the same name: what go-openai drops, or fails on.
type chatReply struct {
	openai.ChatCompletionResponse
	Created number          `json:"created"`
	Usage   json.RawMessage `json:"usage"`
	Backend Backend         `json:"backend"`
	Error   json.RawMessage `json:"error"`
}

// Chat sends one request and waits for the whole answer. The request is not
// changed. Every error is an [*Error].
func (c *Client) Chat(ctx context.Context, req openai.ChatCompletionRequest) (*Response, error) {
	known := new(facts)
	resp, err := c.chat(ctx, req, known)
	if err != nil {
		return nil, errorOf(err).fill("chat", known)
	}
	return resp, nil
}

func (c *Client) chat(ctx context.Context, req openai.ChatCompletionRequest, known *facts) (*Response, error) {
	resp := new(Response)
	if err := c.before(ctx, req, &resp.Result); err != nil {
		return nil, err
	}
	req.Stream, req.StreamOptions = false, nil
	body, err := encode(req, callFrom(ctx).Extra)
	if err != nil {
		return nil, &Error{Kind: ErrInvalidRequest, cause: err}
	}
	httpResp, err := c.post(ctx, "/chat/completions", body, known)
	if err != nil {
		return nil, err
	}
	var reply chatReply
	raw, err := readReply(httpResp, &reply)
	if err != nil {
		return nil, err
	}
	if isError(reply.Error) || len(reply.Choices) == 0 {
		return nil, hiddenError(raw)
	}
	resp.ChatCompletionResponse = reply.ChatCompletionResponse
	resp.Created = int64(reply.Created)
	resp.SetHeader(httpResp.Header)
	resp.RequestID, resp.Attempts, resp.Result.Backend = requestID(httpResp.Header), known.attempts, reply.Backend
	_ = json.Unmarshal(reply.Usage, &resp.ChatCompletionResponse.Usage) // a usage that go-openai cannot read is still billed below
	resp.Reasoning = resp.Choices[0].Message.ReasoningContent
	c.settle(req, &resp.Result, reply.Usage, resp.Reasoning+resp.Text())
	return resp, nil
}

// isError reports whether an "error" field holds anything.
func isError(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null"
}

// hiddenError is an error that came with status 200.
func hiddenError(body []byte) *Error {
	e := serviceError(body)
	e.Status, e.Kind = 200, ErrProtocol
	switch {
	case e.Code == "model_not_found":
		e.Kind = ErrModelNotFound
	case e.Type == "rate_limit_error":
		e.Kind = ErrRateLimited
	case e.Type == "server_error", e.Type == "service_unavailable_error":
		e.Kind = ErrOverloaded
	}
	return e
}

// number is a JSON number that may have a fraction where none belongs.
type number int64

// UnmarshalJSON reads any number; what is none counts as 0.
func (n *number) UnmarshalJSON(data []byte) error {
	var f float64
	if json.Unmarshal(data, &f) == nil && f > -1e15 && f < 1e15 {
		*n = number(f)
	}
	return nil
}
