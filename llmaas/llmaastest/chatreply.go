package llmaastest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// chatReply is an answer cut into the tokens in which it is streamed.
type chatReply struct {
	head      chatHead
	reasoning []string
	text      []string
	tool      *toolCall
	finish    string
	usage     chatUsage
}

type chatHead struct {
	ID      string      `json:"id"`
	Object  string      `json:"object"`
	Created int64       `json:"created"`
	Model   string      `json:"model"`
	Backend backendInfo `json:"backend"`
}

type backendInfo struct {
	EngineType  string `json:"engine_type"`
	MachineName string `json:"machine_name"`
}

// chatUsage has reasoning_tokens at its top level, as the service sends it, and in
// the details, where OpenAI's clients look for it.
type chatUsage struct {
	PromptTokens     int         `json:"prompt_tokens"`
	CompletionTokens int         `json:"completion_tokens"`
	TotalTokens      int         `json:"total_tokens"`
	ReasoningTokens  int         `json:"reasoning_tokens"`
	Details          chatDetails `json:"completion_tokens_details"`
}

type chatDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}

type chatResponse struct {
	chatHead
	Choices []any      `json:"choices"`
	Usage   *chatUsage `json:"usage,omitempty"`
}

type chatChoice struct {
	Index        int        `json:"index"`
	Message      *chatDelta `json:"message,omitempty"`
	Delta        *chatDelta `json:"delta,omitempty"`
	FinishReason *string    `json:"finish_reason"`
}

type chatDelta struct {
	Role             string        `json:"role,omitempty"`
	Content          *string       `json:"content,omitempty"`
	ReasoningContent string        `json:"reasoning_content,omitempty"`
	ToolCalls        []indexedTool `json:"tool_calls,omitempty"`
}

type indexedTool struct {
	Index    int              `json:"index"`
	ID       string           `json:"id,omitempty"`
	Type     string           `json:"type,omitempty"`
	Function toolCallFunction `json:"function"`
}

// whole is the reply to a request that does not stream.
func (r *chatReply) whole() chatResponse {
	text := strings.Join(r.text, "")
	msg := &chatDelta{Role: "assistant", Content: &text, ReasoningContent: strings.Join(r.reasoning, "")}
	if r.tool != nil {
		msg.ToolCalls = []indexedTool{{ID: r.tool.ID, Type: r.tool.Type, Function: r.tool.Function}}
	}
	head := r.head
	head.Object = "chat.completion"
	return chatResponse{head, []any{chatChoice{Message: msg, FinishReason: &r.finish}}, &r.usage}
}

// deltas are the chunks of a stream, the last of them with the finish reason.
func (r *chatReply) deltas() []chatChoice {
	empty := ""
	all := []chatChoice{{Delta: &chatDelta{Role: "assistant", Content: &empty}}}
	for _, piece := range r.reasoning {
		all = append(all, chatChoice{Delta: &chatDelta{ReasoningContent: piece}})
	}
	for _, piece := range r.text {
		all = append(all, chatChoice{Delta: &chatDelta{Content: &piece}})
	}
	if r.tool != nil {
		all = append(all, chatChoice{Delta: &chatDelta{ToolCalls: []indexedTool{{ID: r.tool.ID, Type: r.tool.Type, Function: toolCallFunction{Name: r.tool.Function.Name}}}}})
		for _, piece := range pieces(r.tool.Function.Arguments) {
			all = append(all, chatChoice{Delta: &chatDelta{ToolCalls: []indexedTool{{Function: toolCallFunction{Arguments: piece}}}}})
		}
	}
	return append(all, chatChoice{Delta: &chatDelta{}, FinishReason: &r.finish})
}

func (b *Backend) streamChat(c *call, req *chatRequest, reply *chatReply) {
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.WriteHeader(http.StatusOK)
	head := reply.head
	head.Object = "chat.completion.chunk"
	for i, choice := range reply.deltas() {
		if i > 0 && !c.wait(c.every) {
			return
		}
		if n := c.reply.CutAfter; n > 0 && i == n {
			panic(http.ErrAbortHandler) // net/http's way to break off a reply
		}
		c.event(chatResponse{chatHead: head, Choices: []any{choice}})
	}
	if req.StreamOptions.IncludeUsage && !c.reply.NoUsage {
		c.event(chatResponse{head, []any{}, &reply.usage})
	}
	if !c.reply.NoDone {
		_, _ = c.w.Write([]byte("data: [DONE]\n\n"))
		c.flush()
	}
}

// event writes v as one server-sent event.
func (c *call) event(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(http.ErrAbortHandler) // every reply of this package marshals
	}
	_, _ = c.w.Write([]byte("data: " + string(data) + "\n\n"))
	c.flush()
}
