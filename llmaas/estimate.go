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
		messages[i] = tokens.Message{Role: m.Role, Content: textOf(m), Name: m.Name, ToolCallID: m.ToolCallID}
		for _, part := range m.MultiContent {
			if part.Type == openai.ChatMessagePartTypeImageURL {
				messages[i].Images++
			}
		}
		for _, call := range m.ToolCalls {
			messages[i].ToolCalls = append(messages[i].ToolCalls,
				tokens.ToolCall{ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
		}
	}
	tools := make([]string, 0, len(req.Tools))
	for _, tool := range req.Tools {
		// A tool that does not marshal fails when the request is encoded.
		if definition, err := json.Marshal(tool); err == nil {
			tools = append(tools, string(definition))
		}
	}
	return tokens.For(req.Model).EstimateMessages(messages, tools...)
}
