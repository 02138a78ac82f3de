package llmaas

import (
	"encoding/json"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/tokens"
)

// estimate is what the request's prompt will probably be, in tokens.
func estimate(req openai.ChatCompletionRequest) tokens.MessagesEstimate {
	messages := make([]tokens.Message, len(req.Messages))
	for i, m := range req.Messages {
		messages[i] = message(m)
	}
	return tokens.For(req.Model).EstimateMessages(messages, definitions(req.Tools)...)
}

// message is a message as package tokens counts it.
func message(m openai.ChatCompletionMessage) tokens.Message {
	out := tokens.Message{Role: m.Role, Content: textOf(m), Name: m.Name, ToolCallID: m.ToolCallID}
	for _, part := range m.MultiContent {
		if part.Type == openai.ChatMessagePartTypeImageURL {
			out.Images++
		}
	}
	for _, call := range m.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, tokens.ToolCall{ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
	}
	return out
}

// definitions are the tools as JSON.
func definitions(tools []openai.Tool) []string {
	out := make([]string, 0, len(tools))
	for _, tool := range tools {
		// A tool that does not marshal fails when the request is encoded.
		if definition, err := json.Marshal(tool); err == nil {
			out = append(out, string(definition))
		}
	}
	return out
}
