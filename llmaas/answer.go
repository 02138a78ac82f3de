package llmaas

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/guard"
)

// What one answer may hold: a service out of order must not fill the memory.
const (
	maxChoices = 128
	maxCalls   = 1024
)

// part is one choice of an answer while it comes in.
type part struct {
	think    thinking
	scan     *outputScan
	content  strings.Builder
	thought  strings.Builder
	calls    []*toolCall
	finish   openai.FinishReason
	message  openai.ChatCompletionMessage // role and refusal
	complete bool
}

// toolCall is a tool call while its fragments come in.
type toolCall struct {
	openai.ToolCall
	index     int
	arguments strings.Builder
}

// answer is the whole of what has been streamed.
type answer struct {
	head  openai.ChatCompletionResponse
	parts []*part
	size  int
}

// part returns the choice with the index.
func (a *answer) part(index int, scan Output) (*part, error) {
	if index < 0 || index >= maxChoices {
		return nil, &Error{Kind: ErrProtocol, cause: fmt.Errorf("choice %d, want less than %d", index, maxChoices)}
	}
	for len(a.parts) <= index {
		p := &part{}
		p.scan = newScan(scan)
		a.parts = append(a.parts, p)
	}
	return a.parts[index], nil
}

// take adds the fragment, and changes it to what may be passed on: thinking
// apart from the answer, nothing that the output scan holds back.
func (p *part) take(choice *openai.ChatCompletionStreamChoice, found *[]guard.Finding) error {
	d := &choice.Delta
	thought, text := p.think.write(d.Content)
	if finished(choice.FinishReason) {
		p.finish, p.complete = choice.FinishReason, true
		lastThought, lastText := p.think.flush()
		thought, text = thought+lastThought, text+lastText
	}
	text, err := p.scan.write(text, p.complete, found)
	d.Content, d.ReasoningContent = text, d.ReasoningContent+thought
	p.message.Role = cmp.Or(p.message.Role, d.Role)
	p.message.Refusal += d.Refusal
	p.content.WriteString(d.Content)
	p.thought.WriteString(d.ReasoningContent)
	for _, call := range d.ToolCalls {
		if err := p.join(call); err != nil {
			return err
		}
	}
	return err
}

// rest is what was held back when the stream ended without a finish reason.
func (p *part) rest(index int, found *[]guard.Finding) (openai.ChatCompletionStreamChoice, error) {
	choice := openai.ChatCompletionStreamChoice{Index: index}
	if p.complete {
		return choice, nil
	}
	p.complete = true
	thought, text := p.think.flush()
	text, err := p.scan.write(text, true, found)
	choice.Delta.Content, choice.Delta.ReasoningContent = text, thought
	p.content.WriteString(text)
	p.thought.WriteString(thought)
	return choice, err
}

// join adds a fragment of a tool call to the call with its index. A fragment
// without one belongs to the call with its id, else to the latest.
func (p *part) join(f openai.ToolCall) error {
	at := len(p.calls) - 1
	switch {
	case f.Index != nil:
		at = slices.IndexFunc(p.calls, func(c *toolCall) bool { return c.index == *f.Index })
	case f.ID != "":
		at = slices.IndexFunc(p.calls, func(c *toolCall) bool { return c.ID == f.ID })
	}
	if at < 0 {
		if len(p.calls) == maxCalls {
			return &Error{Kind: ErrProtocol, cause: fmt.Errorf("more than %d tool calls", maxCalls)}
		}
		index := len(p.calls)
		if f.Index != nil {
			index = *f.Index
		}
		p.calls = append(p.calls, &toolCall{index: index})
		at = len(p.calls) - 1
	}
	call := p.calls[at]
	call.ID = cmp.Or(call.ID, f.ID)
	call.Type = cmp.Or(call.Type, f.Type)
	call.Function.Name = cmp.Or(call.Function.Name, f.Function.Name)
	call.arguments.WriteString(f.Function.Arguments)
	return nil
}

// whole is the choice as a reply that was not streamed has it.
func (p *part) whole(index int) openai.ChatCompletionChoice {
	m := p.message
	m.Role = cmp.Or(m.Role, openai.ChatMessageRoleAssistant)
	m.Content, m.ReasoningContent = p.content.String(), p.thought.String()
	for i := range p.calls {
		call := p.calls[i].ToolCall
		call.Type = cmp.Or(call.Type, openai.ToolTypeFunction)
		call.Function.Arguments = p.calls[i].arguments.String()
		m.ToolCalls = append(m.ToolCalls, call)
	}
	return openai.ChatCompletionChoice{Index: index, Message: m, FinishReason: p.finish}
}

func (a *answer) response() openai.ChatCompletionResponse {
	resp := a.head
	for i, p := range a.parts {
		resp.Choices = append(resp.Choices, p.whole(i))
	}
	return resp
}

// some reports whether anything was received.
func (a *answer) some() bool {
	for _, p := range a.parts {
		if p.content.Len() > 0 || p.thought.Len() > 0 || len(p.calls) > 0 {
			return true
		}
	}
	return false
}

// text is all that was received, to estimate by.
func (a *answer) text() string {
	var b strings.Builder
	for _, p := range a.parts {
		b.WriteString(p.thought.String())
		b.WriteString(p.content.String())
		for i := range p.calls {
			b.WriteString(p.calls[i].Function.Name)
			b.WriteString(p.calls[i].arguments.String())
		}
	}
	return b.String()
}

func finished(reason openai.FinishReason) bool {
	return reason != "" && reason != openai.FinishReasonNull
}
