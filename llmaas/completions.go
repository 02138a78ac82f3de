package llmaas

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// CompletionResponse is the answer to [Client.Complete].
type CompletionResponse struct {
	openai.CompletionResponse
	Result
}

// Text is the text of the first choice, "" when there is none.
func (r *CompletionResponse) Text() string {
	if len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Text
}

// completionReply is a reply on the wire: the service's choices have messages,
// others have texts.
type completionReply struct {
	openai.CompletionResponse
	Created number `json:"created"`
	Choices []struct {
		openai.CompletionChoice
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
	} `json:"choices"`
}

// Complete asks the older endpoint for one text, which must be the prompt of the
// request. The service takes messages there, so the prompt is sent as one too.
// Answers are whole; to stream, use [Client.Stream].
func (c *Client) Complete(ctx context.Context, req openai.CompletionRequest) (*CompletionResponse, error) {
	prompt, ok := req.Prompt.(string)
	if !ok || prompt == "" {
		return nil, &Error{Op: "complete", Kind: ErrInvalidRequest, cause: errors.New("the prompt is no text")}
	}
	req.Stream, req.StreamOptions = false, nil
	extra := map[string]any{"messages": []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: prompt}}}
	maps.Copy(extra, callFrom(ctx).Extra)
	body, err := encode(req, extra)
	if err != nil {
		return nil, &Error{Op: "complete", Kind: ErrInvalidRequest, cause: err}
	}
	x := exchange{
		op: "complete", method: http.MethodPost, path: "/completions", model: req.Model, judged: []string{prompt},
		contentType: "application/json", body: body,
		estimate: cost.Usage{Input: likely(req.Model, prompt), Output: int64(cmp.Or(req.MaxTokens, defaultMaxTokens)) * int64(max(req.N, 1))},
	}
	resp := new(CompletionResponse)
	var wire completionReply
	x.check = func() error { return c.completed(resp, wire) }
	if err := c.do(ctx, x, &wire, &resp.Result); err != nil {
		return nil, err
	}
	return resp, nil
}

// completed parts thinking from texts and scans them.
func (c *Client) completed(resp *CompletionResponse, wire completionReply) (err error) {
	if len(wire.Choices) == 0 {
		return &Error{Kind: ErrProtocol, cause: errors.New("a reply without choices")}
	}
	resp.CompletionResponse = wire.CompletionResponse
	resp.Created = int64(wire.Created)
	for _, choice := range wire.Choices {
		var think thinking
		thought, text := think.write(cmp.Or(choice.Text, choice.Message.Content))
		lastThought, lastText := think.flush()
		if choice.Text, err = newScan(c.output).write(text+lastText, true, &resp.Output); err != nil {
			return err
		}
		if resp.Reasoning == "" {
			resp.Reasoning = thought + lastThought
		}
		resp.Choices = append(resp.Choices, choice.CompletionChoice)
	}
	return nil
}
