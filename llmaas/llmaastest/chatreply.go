package llmaastest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// chatReply is an answer cut into the tokens in which it is streamed.
type chatReply struct {
	head    chatHead
	choices []choice
	usage   chatUsage
	plain   bool // in the shape of completions, which have texts in place of messages

	logprobs bool // how likely each token was is asked for
	top      bool // and so are the likeliest
}

type choice struct {
	reasoning []string
	text      []string
	tool      *toolCall
	finish    string
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
	Choices []chatChoice `json:"choices"`
	Usage   *chatUsage   `json:"usage,omitempty"`
}

type chatChoice struct {
	Index        int        `json:"index"`
	Message      *chatDelta `json:"message,omitempty"`
	Delta        *chatDelta `json:"delta,omitempty"`
	Text         *string    `json:"text,omitempty"`
	Logprobs     *logprobs  `json:"logprobs,omitempty"`
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

type logprobs struct {
	Content []logprob `json:"content"`
}

type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"`
	Bytes   []int     `json:"bytes"`
	Top     []logprob `json:"top_logprobs,omitzero"` // of the token itself alone
}

// certain says of each token that no other could have come: the fake does not doubt.
func (r *chatReply) certain(pieces ...string) *logprobs {
	if !r.logprobs {
		return nil
	}
	all := &logprobs{Content: []logprob{}}
	for _, piece := range pieces {
		one := logprob{Token: piece, Bytes: []int{}}
		for _, b := range []byte(piece) {
			one.Bytes = append(one.Bytes, int(b))
		}
		likeliest := []logprob{}
		if r.top {
			likeliest = append(likeliest, one)
		}
		one.Top = likeliest
		all.Content = append(all.Content, one)
	}
	return all
}

// say adds an answer as one more choice, and counts its tokens.
func (r *chatReply) say(ans answer, model Model, req *chatRequest) {
	if !model.Reasoning || r.plain {
		ans.reasoning = ""
	}
	one, left := choice{tool: ans.tool, finish: "stop"}, req.limit()
	one.reasoning, left = take(pieces(ans.reasoning), left)
	one.text, left = take(pieces(ans.text), left)
	if ans.tool != nil {
		one.finish = "tool_calls"
		r.usage.CompletionTokens += count(ans.tool.Function.Name) + count(ans.tool.Function.Arguments)
	} else if left == 0 && len(one.reasoning)+len(one.text) < count(ans.reasoning)+count(ans.text) {
		one.finish = "length"
	}
	r.usage.ReasoningTokens += len(one.reasoning)
	r.usage.Details.ReasoningTokens += len(one.reasoning)
	r.usage.CompletionTokens += len(one.reasoning) + len(one.text)
	r.choices = append(r.choices, one)
}

func take(all []string, left int) ([]string, int) {
	n := min(len(all), left)
	return all[:n], left - n
}

// response is what the reply and its chunks have in common.
func (r *chatReply) response(object string) chatResponse {
	head := r.head
	head.Object = object
	if r.plain {
		head.Object, head.ID = "text_completion", strings.Replace(head.ID, "chatcmpl", "cmpl", 1)
	}
	return chatResponse{chatHead: head, Choices: []chatChoice{}}
}

// whole is the reply to a request that does not stream.
func (r *chatReply) whole() chatResponse {
	resp := r.response("chat.completion")
	resp.Usage = &r.usage
	for i, c := range r.choices {
		text := strings.Join(c.text, "")
		one := chatChoice{Index: i, FinishReason: &c.finish}
		if r.plain {
			one.Text = &text
		} else {
			one.Message = &chatDelta{Role: "assistant", Content: &text, ReasoningContent: strings.Join(c.reasoning, "")}
			one.Logprobs = r.certain(c.text...)
		}
		if c.tool != nil {
			one.Message.ToolCalls = []indexedTool{{ID: c.tool.ID, Type: c.tool.Type, Function: c.tool.Function}}
		}
		resp.Choices = append(resp.Choices, one)
	}
	return resp
}

// chunks are the choices of the chunks of a stream, one choice after the other.
func (r *chatReply) chunks() []chatChoice {
	var all []chatChoice
	for i, c := range r.choices {
		deltas := c.deltas()
		if r.plain {
			deltas = c.texts()
		}
		for _, d := range deltas {
			d.Index = i
			if d.Delta != nil && d.Delta.Content != nil && *d.Delta.Content != "" {
				d.Logprobs = r.certain(*d.Delta.Content)
			}
			all = append(all, d)
		}
	}
	return all
}

// deltas are the chunks of one choice, the last of them with the finish reason.
func (c *choice) deltas() []chatChoice {
	empty := ""
	all := []chatChoice{{Delta: &chatDelta{Role: "assistant", Content: &empty}}}
	for _, piece := range c.reasoning {
		all = append(all, chatChoice{Delta: &chatDelta{ReasoningContent: piece}})
	}
	for _, piece := range c.text {
		all = append(all, chatChoice{Delta: &chatDelta{Content: &piece}})
	}
	if c.tool != nil {
		all = append(all, chatChoice{Delta: &chatDelta{ToolCalls: []indexedTool{{ID: c.tool.ID, Type: c.tool.Type, Function: toolCallFunction{Name: c.tool.Function.Name}}}}})
		for _, piece := range pieces(c.tool.Function.Arguments) {
			all = append(all, chatChoice{Delta: &chatDelta{ToolCalls: []indexedTool{{Function: toolCallFunction{Arguments: piece}}}}})
		}
	}
	return append(all, chatChoice{Delta: &chatDelta{}, FinishReason: &c.finish})
}

// texts are the chunks of one choice of completions.
func (c *choice) texts() []chatChoice {
	var all []chatChoice
	for _, piece := range c.text {
		all = append(all, chatChoice{Text: &piece})
	}
	return append(all, chatChoice{Text: new(string), FinishReason: &c.finish})
}

func (b *Backend) streamChat(c *call, req *chatRequest, reply *chatReply) {
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.WriteHeader(http.StatusOK)
	chunk := reply.response("chat.completion.chunk")
	for i, one := range reply.chunks() {
		if i > 0 && !c.wait(c.every) {
			return
		}
		if n := c.reply.CutAfter; n > 0 && i == n {
			panic(http.ErrAbortHandler) // net/http's way to break off a reply
		}
		chunk.Choices = []chatChoice{one}
		c.event(chunk)
	}
	if req.StreamOptions.IncludeUsage && !c.reply.NoUsage {
		chunk.Choices, chunk.Usage = []chatChoice{}, &reply.usage
		c.event(chunk)
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
