package llmaastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/llmaas/llmaas-go/tokens"
)

// defaultMaxTokens is the service's max_tokens when a request names none.
const defaultMaxTokens = 1024

type chatRequest struct {
	Model               string            `json:"model"`
	Messages            []chatMessage     `json:"messages"`
	Prompt              string            `json:"prompt"`
	Stream              bool              `json:"stream"`
	MaxTokens           *int              `json:"max_tokens"`
	MaxCompletionTokens *int              `json:"max_completion_tokens"`
	Tools               []json.RawMessage `json:"tools"`
	ToolChoice          json.RawMessage   `json:"tool_choice"`
	ResponseFormat      struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type tool struct {
	Function struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is the text of a message, whether it came as a string or as parts.
type content string

func (c *content) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		var parts []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		texts := make([]string, 0, len(parts))
		for _, p := range parts {
			texts = append(texts, p.Text)
		}
		*c = content(strings.Join(texts, " "))
		return nil
	}
	var s *string
	if err := json.Unmarshal(data, &s); err != nil || s == nil {
		return err
	}
	*c = content(*s)
	return nil
}

// last returns the text of the newest message with the role.
func (r *chatRequest) last(role string) (string, bool) {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == role {
			return string(r.Messages[i].Content), true
		}
	}
	return "", false
}

func (r *chatRequest) limit() int {
	for _, n := range []*int{r.MaxCompletionTokens, r.MaxTokens} {
		if n != nil {
			return *n
		}
	}
	return defaultMaxTokens
}

func (b *Backend) serveChat(c *call) {
	var req chatRequest
	if !c.decode(&req) {
		return
	}
	if req.Prompt != "" {
		req.Messages = append(req.Messages, chatMessage{Role: "user", Content: content(req.Prompt)})
	}
	switch {
	case len(req.Messages) == 0:
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "messages must not be empty.")
		return
	case req.limit() < 1:
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "max_tokens must be at least 1.")
		return
	}
	model, ok := b.serves(c, req.Model)
	if !ok || b.triggered(c, &req) {
		return
	}
	reply := b.compose(c, &req, model)
	if !c.wait(c.ttft) {
		return
	}
	if req.Stream {
		b.streamChat(c, &req, reply)
		return
	}
	whole := reply.whole()
	if c.reply.NoUsage {
		whole.Usage = nil
	}
	c.send(http.StatusOK, whole)
}

// compose works out the whole answer, cut to the tokens that the request allows.
func (b *Backend) compose(c *call, req *chatRequest, model Model) *chatReply {
	ans := b.answer(c, req)
	if model.Reasoning {
		ans.reasoning = fmt.Sprintf("The conversation has %d messages; an echo will do.", len(req.Messages))
	}
	reply := &chatReply{
		head: chatHead{
			ID:      fmt.Sprintf("chatcmpl-%08d", c.serial),
			Created: b.now().Unix(),
			Model:   req.Model,
			Backend: backendInfo{EngineType: "fake", MachineName: c.machine},
		},
		tool:   ans.tool,
		finish: "stop",
	}
	left := req.limit()
	reply.reasoning, left = take(pieces(ans.reasoning), left)
	reply.text, left = take(pieces(ans.text), left)
	if ans.tool != nil {
		reply.finish = "tool_calls"
		reply.usage.CompletionTokens = count(ans.tool.Function.Name) + count(ans.tool.Function.Arguments)
	} else if left == 0 && len(reply.reasoning)+len(reply.text) < count(ans.reasoning)+count(ans.text) {
		reply.finish = "length"
	}
	reply.usage.PromptTokens = promptTokens(req)
	reply.usage.ReasoningTokens = len(reply.reasoning)
	reply.usage.Details.ReasoningTokens = len(reply.reasoning)
	reply.usage.CompletionTokens += len(reply.reasoning) + len(reply.text)
	reply.usage.TotalTokens = reply.usage.PromptTokens + reply.usage.CompletionTokens
	return reply
}

func (b *Backend) answer(c *call, req *chatRequest) answer {
	_, hasToolResult := req.last("tool")
	switch {
	case c.reply.Tool != "":
		return answer{tool: &toolCall{
			ID:       fmt.Sprintf("call-%08d", c.serial),
			Type:     "function",
			Function: toolCallFunction{Name: c.reply.Tool, Arguments: c.reply.Text},
		}}
	case c.reply.Text != "":
		return answer{text: c.reply.Text}
	case len(req.Tools) > 0 && !hasToolResult && string(req.ToolChoice) != `"none"`:
		var first tool
		_ = json.Unmarshal(req.Tools[0], &first) // a tool of another shape is called without a name
		fn := first.Function
		return answer{tool: &toolCall{
			ID:       fmt.Sprintf("call-%08d", c.serial),
			Type:     "function",
			Function: toolCallFunction{Name: fn.Name, Arguments: instance(fn.Parameters)},
		}}
	case req.ResponseFormat.Type == "json_schema":
		return answer{text: instance(req.ResponseFormat.JSONSchema.Schema)}
	case req.ResponseFormat.Type == "json_object":
		return answer{text: `{"answer":"Paris"}`}
	}
	prompt, ok := req.last("user")
	if !ok {
		prompt = string(req.Messages[len(req.Messages)-1].Content)
	}
	return answer{text: echo(prompt)}
}

func take(all []string, left int) ([]string, int) {
	n := min(len(all), left)
	return all[:n], left - n
}

// promptTokens is the estimate of package tokens: the fake's truth is what a
// program under test expects.
func promptTokens(req *chatRequest) int {
	messages := make([]tokens.Message, len(req.Messages))
	for i, m := range req.Messages {
		messages[i] = tokens.Message{Role: m.Role, Content: string(m.Content)}
	}
	tools := make([]string, len(req.Tools))
	for i, t := range req.Tools {
		tools[i] = string(t)
	}
	return tokens.For(req.Model).EstimateMessages(messages, tools...).Total.Likely
}
