package llmaastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/llmaas/llmaas-go/tokens"
)

const (
	// defaultMaxTokens is the service's max_tokens when a request names none.
	defaultMaxTokens = 1024

	// maxChoices is how many answers one request may ask for.
	maxChoices = 128
)

// chatRequest asks for a chat, or without messages for completions of prompts.
type chatRequest struct {
	Model               string            `json:"model"`
	Messages            []chatMessage     `json:"messages"`
	Prompt              texts             `json:"prompt"`
	Stream              bool              `json:"stream"`
	N                   *int              `json:"n"`
	MaxTokens           *int              `json:"max_tokens"`
	MaxCompletionTokens *int              `json:"max_completion_tokens"`
	Stop                texts             `json:"stop"`
	Logprobs            json.RawMessage   `json:"logprobs"` // true, or in completions a number, which is passed over
	TopLogprobs         int               `json:"top_logprobs"`
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

// texts are a string, or an array of them.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*t = make(texts, 1)
		return json.Unmarshal(data, &(*t)[0])
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// last returns the text of the newest message with the role.
func last(messages []chatMessage, role string) (string, bool) {
	for _, m := range slices.Backward(messages) {
		if m.Role == role {
			return string(m.Content), true
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

func (r *chatRequest) n() int {
	if r.N == nil {
		return 1
	}
	return *r.N
}

// plain reports whether the request is for completions, which call no tools.
func (r *chatRequest) plain() bool { return len(r.Messages) == 0 }

// conversations are what is to be answered: the messages, or each prompt alone.
func (r *chatRequest) conversations() [][]chatMessage {
	if !r.plain() {
		return [][]chatMessage{r.Messages}
	}
	all := make([][]chatMessage, len(r.Prompt))
	for i, prompt := range r.Prompt {
		all[i] = []chatMessage{{Role: "user", Content: content(prompt)}}
	}
	return all
}

// wrong says what is wrong with the request, "" for nothing.
func (r *chatRequest) wrong() string {
	switch {
	case r.plain() && len(r.Prompt) == 0:
		return "messages must not be empty."
	case r.limit() < 1:
		return "max_tokens must be at least 1."
	case r.n() < 1 || r.n()*max(len(r.Prompt), 1) > maxChoices:
		return fmt.Sprintf("n must be at least 1, and the choices at most %d.", maxChoices)
	case r.chosen() == nil:
		return "tool_choice must name one of the tools."
	}
	return ""
}

// chosen is the tool that is to be called: the one that tool_choice names, or the
// first. It is nil when there is no such tool, and has no name when none is to be called.
func (r *chatRequest) chosen() *tool {
	var named tool
	if string(r.ToolChoice) == `"none"` || r.plain() {
		return &tool{}
	}
	_ = json.Unmarshal(r.ToolChoice, &named) // a word names no tool
	for _, raw := range r.Tools {
		var one tool
		_ = json.Unmarshal(raw, &one) // a tool of another shape has no name
		if want := named.Function.Name; want == "" || want == one.Function.Name {
			return &one
		}
	}
	if named.Function.Name != "" {
		return nil
	}
	return &tool{}
}

func (b *Backend) serveChat(c *call) {
	var req chatRequest
	if !c.decode(&req) {
		return
	}
	if wrong := req.wrong(); wrong != "" {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", wrong)
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
	reply := &chatReply{
		head: chatHead{
			ID:      fmt.Sprintf("chatcmpl-%08d", c.serial),
			Created: b.now().Unix(),
			Model:   req.Model,
			Backend: backendInfo{EngineType: "fake", MachineName: c.machine},
		},
		plain:    req.plain(),
		logprobs: string(req.Logprobs) == "true",
		top:      req.TopLogprobs > 0,
	}
	for _, messages := range req.conversations() {
		reply.usage.PromptTokens += promptTokens(req, messages)
		for i := range req.n() {
			reply.say(b.answer(c, req, messages, i), model, req)
		}
	}
	reply.usage.TotalTokens = reply.usage.PromptTokens + reply.usage.CompletionTokens
	return reply
}

// answer is what the model says to a conversation, as the choice with the number.
func (b *Backend) answer(c *call, req *chatRequest, messages []chatMessage, choice int) answer {
	ans := answer{reasoning: fmt.Sprintf("The conversation has %d messages; an echo will do.", len(messages))}
	call := func(name, arguments string) answer {
		id := fmt.Sprintf("call-%08d", c.serial)
		if choice > 0 {
			id = fmt.Sprintf("%s-%d", id, choice)
		}
		ans.tool = &toolCall{ID: id, Type: "function", Function: toolCallFunction{Name: name, Arguments: arguments}}
		return ans
	}
	chosen := req.chosen()
	_, hasToolResult := last(messages, "tool")
	switch {
	case c.reply.Tool != "" && !req.plain():
		return call(c.reply.Tool, c.reply.Text)
	case c.reply.Text != "":
		ans.text = c.reply.Text
	case chosen.Function.Name != "" && !hasToolResult:
		return call(chosen.Function.Name, instance(chosen.Function.Parameters))
	case req.ResponseFormat.Type == "json_schema":
		ans.text = instance(req.ResponseFormat.JSONSchema.Schema)
	case req.ResponseFormat.Type == "json_object":
		ans.text = `{"answer":"Paris"}`
	default:
		prompt, ok := last(messages, "user")
		if !ok {
			prompt = string(messages[len(messages)-1].Content)
		}
		ans.text = echo(prompt)
	}
	for _, stop := range req.Stop {
		if stop != "" {
			ans.text, _, _ = strings.Cut(ans.text, stop)
		}
	}
	return ans
}

// promptTokens is the estimate of package tokens: the fake's truth is what a
// program under test expects.
func promptTokens(req *chatRequest, conversation []chatMessage) int {
	messages := make([]tokens.Message, len(conversation))
	for i, m := range conversation {
		messages[i] = tokens.Message{Role: m.Role, Content: string(m.Content)}
	}
	tools := make([]string, len(req.Tools))
	for i, t := range req.Tools {
		tools[i] = string(t)
	}
	return tokens.For(req.Model).EstimateMessages(messages, tools...).Total.Likely
}
