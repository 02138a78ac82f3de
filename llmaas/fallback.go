package llmaas

import (
	"cmp"
	"context"
	"errors"

	openai "github.com/sashabaranov/go-openai"
)

// Fallback is who to ask when a call fails in a way that another model or
// service may not: see [Config.Fallbacks].
type Fallback struct {
	Model   string      // "" means the one that the request names
	BaseURL string      // "" means the client's
	Token   TokenSource // nil means the client's; needed for another service
}

// target is a [Fallback] with nothing left out but the token.
type target struct {
	Model, BaseURL string
	token          *credentials // nil means the client's
}

// tryTargets calls do for the model that was asked for, then for the fallbacks
// in turn, until one does not fail in a way that the next may make good for.
func (c *Client) tryTargets(ctx context.Context, known *facts, result *Result, model string, do func(target) error) error {
	err := do(target{Model: model, BaseURL: c.base})
	for _, f := range c.fallbacks {
		if err == nil || !mayFallBack(ctx, err) {
			break
		}
		failed := errorOf(err).fill(known)
		result.Fallbacks = append(result.Fallbacks, failed)
		known.model = cmp.Or(f.Model, model)
		known.event(FellBack, failed)
		err = do(target{Model: known.model, BaseURL: cmp.Or(f.BaseURL, c.base), token: f.token})
	}
	if err == nil {
		result.Model = known.model
	}
	return err
}

// mayFallBack reports whether err is the service's trouble and not the request's,
// and the caller still waits.
func mayFallBack(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	e := errorOf(err)
	for _, kind := range []error{ErrOverloaded, ErrConnection, ErrTimeout, ErrRateLimited, ErrModelGone, ErrModelNotFound, ErrTruncated, ErrProtocol} {
		if errors.Is(e.Kind, kind) {
			return true
		}
	}
	return false
}

func cannedResponse(text string) openai.ChatCompletionResponse {
	return openai.ChatCompletionResponse{
		Object: "chat.completion",
		Choices: []openai.ChatCompletionChoice{{
			Message:      openai.ChatCompletionMessage{Role: openai.ChatMessageRoleAssistant, Content: text},
			FinishReason: openai.FinishReasonStop,
		}},
	}
}

func cannedChunk(text string) *Chunk {
	return &Chunk{ChatCompletionStreamResponse: openai.ChatCompletionStreamResponse{
		Object: "chat.completion.chunk",
		Choices: []openai.ChatCompletionStreamChoice{{
			Delta:        openai.ChatCompletionStreamChoiceDelta{Role: openai.ChatMessageRoleAssistant, Content: text},
			FinishReason: openai.FinishReasonStop,
		}},
	}}
}
