package gateway

import (
	"strings"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/tokens"
)

// The names that machines read. encoding/json, which some machines use, would
// take "Content" for "content"; members refuses that.
var (
	messageNames = []string{"role", "content", "name", "tool_call_id", "tool_calls"}
	partNames    = []string{"type", "text", "image_url", "file", "file_id"}
	fileNames    = []string{"file_id"}
)

// roles are those of the Chat Completions API. A template would print any other
// into the prompt, and nobody could tell whose words follow it.
var roles = map[string]bool{"system": true, "developer": true, "user": true, "assistant": true, "tool": true, "function": true}

// unreadNames are members without words for a model: ids, kinds, and data of
// pictures and sounds.
var unreadNames = map[string]bool{
	"type": true, "id": true, "detail": true, "format": true,
	"image_url": true, "input_audio": true, "audio_url": true, "video_url": true, "file": true, "image": true,
}

var errFileID = badBody("messages: file: want its data, not its id")

// message is a chat message, counted and read.
type message struct {
	tokens.Message
	parts  []string // its content, if it comes in parts
	others []string // further texts in it that a machine might read
}

// chatMessages reads the conversation: all of it is counted. What is new in this
// turn is judged with the session. What callers and tools said before is judged
// without it, because the conversation is the caller's to write: an answer of
// the model that never was must not hide what stands before it.
func (a *ask) chatMessages(value []byte) error {
	var all []message
	err := elements(value, func(raw []byte) error {
		m, err := readMessage(raw)
		all = append(all, m)
		return err
	})
	if err != nil {
		return err
	}
	for i := range all {
		a.messages = append(a.messages, all[i].Message)
		if r := all[i].Role; r == "user" || r == "tool" || r == "function" {
			a.others = append(a.others, all[i].others...)
		}
	}
	places := make([]int, len(all))
	for i := range all {
		places[i] = i
	}
	turn := behavior.NewTurn(places, func(i int) string { return all[i].Role })
	for i := range all {
		switch r := all[i].Role; {
		case len(turn) > 0 && turn[0] == i:
			turn = turn[1:]
			a.prompts = appendText(a.prompts, all[i].Content)
		case r == "user" || r == "tool" || r == "function":
			a.others = appendText(a.others, all[i].Content)
		}
	}
	return nil
}

func appendText(all []string, s string) []string {
	if s == "" {
		return all
	}
	return append(all, s)
}

func readMessage(raw []byte) (m message, err error) {
	err = members(raw, messageNames, func(name string, value []byte, _ span) (err error) {
		switch name {
		case "role":
			m.Role, err = unquote(value)
		case "content":
			err = m.content(value)
		case "name":
			m.Name, err = optional(value)
			m.others = appendText(m.others, m.Name)
		case "tool_call_id":
			m.ToolCallID, err = optional(value)
		case "tool_calls":
			err = m.calls(value)
		default:
			err = texts(value, unreadNames, func(s string) { m.others = appendText(m.others, s) })
		}
		return err
	})
	switch {
	case err != nil:
		return m, err
	case !roles[m.Role]:
		return m, badBody("messages: role: want system, developer, user, assistant, tool or function")
	}
	switch len(m.parts) {
	case 0:
	case 1:
		m.Content = m.parts[0]
	default: // some machines join them without a break
		m.Content = strings.Join(m.parts, "\n")
		m.others = append(m.others, strings.Join(m.parts, ""))
	}
	return m, nil
}

// content is a string, or parts.
func (m *message) content(value []byte) error {
	switch value[0] {
	case 'n':
		return nil
	case '[':
		return elements(value, m.part)
	}
	s, err := unquote(value)
	if err != nil && value[0] != '"' {
		return badBody("messages: content: want a string or an array of parts")
	}
	m.Content = s
	return in("content", err)
}

func (m *message) part(raw []byte) error {
	return members(raw, partNames, func(name string, value []byte, _ span) error {
		switch name {
		case "image_url", "image":
			m.Images++
		case "text":
			s, err := optional(value)
			m.parts = appendText(m.parts, s)
			return err
		case "file": // an id could be of another tenant's; the guard would not see what it names
			return members(value, fileNames, func(name string, _ []byte, _ span) error {
				if name == "file_id" {
					return errFileID
				}
				return nil
			})
		case "file_id":
			return errFileID
		default:
			if !unreadNames[name] {
				return texts(value, unreadNames, func(s string) { m.others = appendText(m.others, s) })
			}
		}
		return nil
	})
}

// calls counts what the model was said to have called. It stands in messages of
// the model, so the guard leaves it alone.
func (m *message) calls(value []byte) error {
	if string(value) == "null" {
		return nil
	}
	return elements(value, func(raw []byte) error {
		var c tokens.ToolCall
		err := members(raw, nil, func(name string, value []byte, _ span) (err error) {
			switch name {
			case "id":
				c.ID, err = optional(value)
			case "function":
				err = members(value, nil, func(name string, value []byte, _ span) (err error) {
					switch name {
					case "name":
						c.Name, err = optional(value)
					case "arguments":
						c.Arguments, err = optional(value)
					}
					return err
				})
			}
			return err
		})
		m.ToolCalls = append(m.ToolCalls, c)
		return err
	})
}
