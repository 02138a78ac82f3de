package gateway

import (
	"encoding/json"
	"strings"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/tokens"
)

// message is a chat message by its exact names. A struct would take "Content"
// for "content", as encoding/json does, and a machine would not: the guard must
// read what the machine reads.
type message map[string]json.RawMessage

func (m message) text(name string) string {
	var s string
	_ = json.Unmarshal(m[name], &s) // absent, null or not a string: empty
	return s
}

func (m message) role() string { return m.text("role") }

// content is the text of a message, a string or parts, and how many images are
// among the parts.
func (m message) content() (text string, images int, err error) {
	raw := m["content"]
	var s *string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil {
		if s == nil {
			return "", 0, nil
		}
		return *s, 0, nil
	}
	var parts []message
	if json.Unmarshal(raw, &parts) != nil {
		return "", 0, badBody("messages: content: want a string or an array of parts")
	}
	var b strings.Builder
	for _, p := range parts {
		switch p.text("type") {
		case "image_url", "image":
			images++
		default:
			if t := p.text("text"); t != "" {
				b.WriteString(t)
				b.WriteByte('\n')
			}
		}
	}
	return b.String(), images, nil
}

// chatMessages reads the conversation: all of it to be counted, and what is new
// in this turn to be judged.
func (a *ask) chatMessages(value json.RawMessage) error {
	var all []message
	if json.Unmarshal(value, &all) != nil {
		return badBody("messages: want an array of objects")
	}
	for _, m := range all {
		text, images, err := m.content()
		if err != nil {
			return err
		}
		counted := tokens.Message{Role: m.role(), Content: text, Name: m.text("name"), ToolCallID: m.text("tool_call_id"), Images: images}
		var calls []struct {
			ID       string
			Function struct{ Name, Arguments string }
		}
		_ = json.Unmarshal(m["tool_calls"], &calls) // only for the count
		for _, c := range calls {
			counted.ToolCalls = append(counted.ToolCalls, tokens.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		}
		a.messages = append(a.messages, counted)
	}
	for _, m := range behavior.NewTurn(all, message.role) {
		if text, _, err := m.content(); err == nil && text != "" {
			a.prompts = append(a.prompts, text)
		}
	}
	return nil
}
