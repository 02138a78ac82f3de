package llmaas

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

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
	Usage   usage           `json:"usage"`
	Backend Backend         `json:"backend"`
	Error   json.RawMessage `json:"error"`
}

// Chat sends one request and waits for the whole answer. The request is not
// changed. Every error is an [*Error].
func (c *Client) Chat(ctx context.Context, req openai.ChatCompletionRequest) (*Response, error) {
	known := c.begin(ctx, "chat", req.Model)
	resp := new(Response)
	err := c.judge(ctx, req.Messages, &resp.Result)
	if err == nil {
		err = c.tryTargets(ctx, known, &resp.Result, req.Model, func(t target) error {
			once := req
			once.Model = t.Model
			known.target(t)
			return c.chat(ctx, once, known, resp)
		})
		if err != nil && c.fallbackText != "" && mayFallBack(ctx, err) {
			resp.Fallbacks = append(resp.Fallbacks, errorOf(err).fill(known))
			resp.ChatCompletionResponse = cannedResponse(c.fallbackText)
			err = nil
		}
	}
	if err != nil {
		failed := errorOf(err).fill(known)
		c.finish(known, &resp.Result, failed)
		return nil, failed
	}
	c.finish(known, &resp.Result, nil)
	return resp, nil
}

func (c *Client) chat(ctx context.Context, req openai.ChatCompletionRequest, known *facts, resp *Response) error {
	if err := c.before(ctx, req, known, &resp.Result); err != nil {
		return err
	}
	req.Stream, req.StreamOptions = false, nil
	body, err := encodeChat(req, callFrom(ctx).Extra)
	if err != nil {
		return &Error{Kind: ErrInvalidRequest, cause: err}
	}
	ctx, cancel := c.withReplyTimeout(ctx)
	defer cancel()
	httpResp, err := c.post(ctx, "/chat/completions", body, known)
	if err != nil {
		return cause(ctx, err)
	}
	resp.note(httpResp.Header, known)
	raw, err := readAll(httpResp)
	if err != nil {
		return cause(ctx, err)
	}
	used, err := resp.read(raw, httpResp.StatusCode)
	if err != nil {
		return err
	}
	resp.SetHeader(httpResp.Header)
	c.settle(req, &resp.Result, used, resp.received)
	if err := c.cleanChoices(resp); err != nil {
		return err
	}
	resp.Reasoning = resp.Choices[0].Message.ReasoningContent
	return nil
}

// read takes a reply of success apart and returns its usage. An error in it is an
// error.
func (r *Response) read(raw []byte, status int) (*usage, error) {
	var reply chatReply
	if err := json.Unmarshal(raw, &reply); err != nil {
		return nil, &Error{Kind: ErrProtocol, Status: status, cause: decodeError(err, len(raw))}
	}
	if isError(reply.Error) || len(reply.Choices) == 0 {
		return nil, hiddenError(raw, status)
	}
	r.ChatCompletionResponse = reply.ChatCompletionResponse
	r.Created = int64(reply.Created)
	r.Result.Backend = reply.Backend
	if shown := reply.Usage.shown(); shown != nil {
		r.Usage = *shown
	}
	nameReasoning(raw, r.Choices)
	return &reply.Usage, nil
}

// received is all that the model wrote, to estimate by.
func (r *Response) received() string {
	var b strings.Builder
	for _, choice := range r.Choices {
		b.WriteString(choice.Message.ReasoningContent)
		b.WriteString(choice.Message.Content)
		for _, call := range choice.Message.ToolCalls {
			b.WriteString(call.Function.Name)
			b.WriteString(call.Function.Arguments)
		}
	}
	return b.String()
}

// cleanChoices parts thinking from answers and scans them.
func (c *Client) cleanChoices(resp *Response) error {
	for i := range resp.Choices {
		m := &resp.Choices[i].Message
		var think thinking
		thought, text := think.write(m.Content)
		lastThought, lastText := think.flush()
		text, err := newScan(c.output).write(text+lastText, true, &resp.Output)
		if err != nil {
			return err
		}
		m.Content, m.ReasoningContent = text, m.ReasoningContent+thought+lastThought
	}
	return nil
}

// nameReasoning fills in the thinking of servers that call it "reasoning".
// go-openai's messages decode themselves, so it takes a second look.
func nameReasoning(raw []byte, choices []openai.ChatCompletionChoice) {
	if !bytes.Contains(raw, []byte(`"reasoning"`)) {
		return
	}
	var wire struct {
		Choices []struct {
			Message struct {
				Reasoning string `json:"reasoning"`
			} `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(raw, &wire) != nil || len(wire.Choices) != len(choices) {
		return // a "reasoning" of another shape: there is none to show
	}
	for i := range choices {
		if m := &choices[i].Message; m.ReasoningContent == "" {
			m.ReasoningContent = wire.Choices[i].Message.Reasoning
		}
	}
}

// isError reports whether an "error" field holds anything.
func isError(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null"
}

// hiddenError is an error that came with a status of success.
func hiddenError(body []byte, status int) *Error {
	e := serviceError(body)
	e.Status, e.Kind = status, ErrProtocol
	switch {
	case e.Code == "model_not_found":
		e.Kind = ErrModelNotFound
	case e.Type == "rate_limit_error":
		e.Kind = ErrRateLimited
	case e.Type == "server_error", e.Type == "service_unavailable_error":
		e.Kind = ErrOverloaded
	case e.Type == "authentication_error":
		e.Kind = ErrUnauthorized
	case e.Type == "invalid_request_error", e.Type == "BadRequestError":
		e.Kind = ErrInvalidRequest
	case status >= http.StatusBadRequest:
		e.Kind = kindOf(status, e.Code)
	}
	return e
}

// number is a JSON number that may have a fraction where none belongs.
type number int64

// UnmarshalJSON reads any number; what is none counts as 0.
func (n *number) UnmarshalJSON(data []byte) error {
	if f, err := strconv.ParseFloat(string(data), 64); err == nil && f > -1e15 && f < 1e15 {
		*n = number(f)
	}
	return nil
}
