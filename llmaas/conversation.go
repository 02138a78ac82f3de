package llmaas

import (
	"cmp"
	"context"
	"slices"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/tokens"
)

// Fitter shortens a conversation to what a model can take. [*tokens.Estimator],
// as [tokens.For] gives it, is one.
type Fitter interface {
	Fit(messages []tokens.Message, o tokens.FitOptions) (tokens.Fitted, error)
}

// Conversation keeps the messages of a dialogue and sends as many of them as the
// model's context window holds: system messages and the newest turns stay. It is
// for one goroutine.
type Conversation struct {
	// Client makes the calls. It must be set.
	Client *Client

	// Request is what each call is made of: model, tools, max_tokens. Its
	// Messages are what the conversation begins with, as a system prompt.
	Request openai.ChatCompletionRequest

	// Context is the model's window in tokens. 0 means what the catalogue says,
	// and 32,000 if it does not know.
	Context int

	// Fitter shortens. Nil means [tokens.For] of the model.
	Fitter Fitter

	said []openai.ChatCompletionMessage
}

// unknownContext is taken for the window of a model that the catalogue does not know.
const unknownContext = 32_000

// Messages are all that were said so far, those that no longer fit too.
func (v *Conversation) Messages() []openai.ChatCompletionMessage {
	return slices.Concat(v.Request.Messages, v.said)
}

// Say streams the answer to messages, which are a user's or the results of tools.
// When the stream ends well, call [Conversation.Keep] with it; what is not kept
// was never said.
func (v *Conversation) Say(ctx context.Context, messages ...openai.ChatCompletionMessage) (*Stream, error) {
	req, err := v.fit(messages)
	if err != nil {
		return nil, err
	}
	return v.Client.Stream(ctx, req), nil
}

// Keep adds a turn: what was said and what was answered.
func (v *Conversation) Keep(s *Stream, messages ...openai.ChatCompletionMessage) {
	v.said = append(v.said, messages...)
	if answer := s.Response(); len(answer.Choices) > 0 {
		m := answer.Choices[0].Message
		m.ReasoningContent = "" // models are not to see again what they thought
		v.said = append(v.said, m)
	}
}

// fit is the request with as many messages as fit.
func (v *Conversation) fit(messages []openai.ChatCompletionMessage) (openai.ChatCompletionRequest, error) {
	req := v.Request
	all := slices.Concat(v.Request.Messages, v.said, messages)
	plain := make([]tokens.Message, len(all))
	for i, m := range all {
		plain[i] = message(m)
	}
	fitter := v.Fitter
	if fitter == nil {
		fitter = tokens.For(req.Model)
	}
	model, _ := v.Client.catalogue.Model(req.Model)
	//lint:ignore SA1019 the service knows max_tokens by this name only
	reserve := cmp.Or(req.MaxCompletionTokens, req.MaxTokens, defaultMaxTokens)
	fitted, err := fitter.Fit(plain, tokens.FitOptions{Context: cmp.Or(v.Context, model.Context, unknownContext), Reserve: reserve, Tools: definitions(req.Tools)})
	if err != nil {
		return req, (&Error{Kind: ErrInvalidRequest, cause: err}).fill(&facts{op: "conversation"})
	}
	req.Messages = nil
	dropped := fitted.Dropped
	for i, m := range all {
		if len(dropped) > 0 && dropped[0] == i {
			dropped = dropped[1:]
			continue
		}
		if i == fitted.Cut {
			m = cut(m, fitted.Messages[len(req.Messages)].Content)
		}
		req.Messages = append(req.Messages, m)
	}
	return req, nil
}

// cut is the message with a shorter text; pictures in it stay.
func cut(m openai.ChatCompletionMessage, text string) openai.ChatCompletionMessage {
	if len(m.MultiContent) == 0 {
		m.Content = text
		return m
	}
	parts := []openai.ChatMessagePart{{Type: openai.ChatMessagePartTypeText, Text: text}}
	for _, part := range m.MultiContent {
		if part.Type != openai.ChatMessagePartTypeText {
			parts = append(parts, part)
		}
	}
	m.MultiContent = parts
	return m
}
