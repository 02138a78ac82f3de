package llmaas

import (
	"encoding/json"
	"fmt"
	"net/http"

	openai "github.com/sashabaranov/go-openai"
)

// Chunk is one piece of a streamed answer: go-openai's, and the machine it came from.
type Chunk struct {
	openai.ChatCompletionStreamResponse
	Backend Backend
}

// Text is the new text of the first choice.
func (c *Chunk) Text() string {
	if len(c.Choices) == 0 {
		return ""
	}
	return c.Choices[0].Delta.Content
}

// Reasoning is the new thinking of the first choice.
func (c *Chunk) Reasoning() string {
	if len(c.Choices) == 0 {
		return ""
	}
	return c.Choices[0].Delta.ReasoningContent
}

// chunkWire is a chunk on the wire; its own fields win over the embedded ones.
type chunkWire struct {
	openai.ChatCompletionStreamResponse
	Object  string          `json:"object"`
	Created number          `json:"created"`
	Choices []choiceWire    `json:"choices"`
	Usage   usage           `json:"usage"`
	Backend Backend         `json:"backend"`
	Error   json.RawMessage `json:"error"`
}

type choiceWire struct {
	openai.ChatCompletionStreamChoice
	Delta struct {
		openai.ChatCompletionStreamChoiceDelta
		Reasoning string `json:"reasoning"` // what some servers call reasoning_content
	} `json:"delta"`
}

// decode reads the data of one event. A nil chunk without an error is one that
// has nothing to show.
func (s *Stream) decode(data []byte) (*Chunk, error) {
	if s.all.size += len(data); s.all.size > maxReply {
		return nil, &Error{Kind: ErrProtocol, cause: fmt.Errorf("an answer longer than %d bytes", maxReply)}
	}
	// One for all chunks. Cleared, because the decoder leaves what is not in data.
	wire := &s.wire
	clear(wire.Choices)
	*wire = chunkWire{Choices: wire.Choices[:0]}
	if err := json.Unmarshal(data, wire); err != nil {
		return nil, &Error{Kind: ErrProtocol, cause: decodeError(err, len(data))}
	}
	if isError(wire.Error) || wire.Object == "error" {
		return nil, hiddenError(data, http.StatusOK)
	}
	chunk := &Chunk{wire.ChatCompletionStreamResponse, wire.Backend}
	chunk.Object, chunk.Created = wire.Object, int64(wire.Created)
	if s.all.head.ID == "" {
		s.all.head.ID, s.all.head.Model, s.all.head.Created = chunk.ID, chunk.Model, chunk.Created
		s.all.head.SystemFingerprint = chunk.SystemFingerprint
	}
	if wire.Backend.Machine != "" {
		s.result.Backend = wire.Backend
	}
	if wire.Usage.raw != nil {
		s.usage = wire.Usage
		chunk.Usage = wire.Usage.shown()
	}
	if len(wire.Choices) == 0 {
		if !s.showUsage {
			return nil, nil // callers of plain streams index choices without looking
		}
		return chunk, nil
	}
	return chunk, s.takeChoices(chunk, wire.Choices)
}

// takeChoices adds the fragments to the answer and shows in chunk what may be shown.
func (s *Stream) takeChoices(chunk *Chunk, choices []choiceWire) error {
	chunk.Choices = make([]openai.ChatCompletionStreamChoice, len(choices))
	for i, c := range choices {
		choice := &chunk.Choices[i]
		*choice = c.ChatCompletionStreamChoice
		choice.Delta = c.Delta.ChatCompletionStreamChoiceDelta
		if choice.Delta.ReasoningContent == "" {
			choice.Delta.ReasoningContent = c.Delta.Reasoning
		}
		p, err := s.all.part(choice.Index, s.c.output)
		if err != nil {
			return err
		}
		if err := p.take(choice, &s.result.Output); err != nil {
			return err
		}
		s.finished = s.finished || finished(choice.FinishReason)
	}
	return nil
}

// last is the chunk of what was held back when a stream ends without a finish
// reason; nil when nothing was.
func (s *Stream) last() (*Chunk, error) {
	var chunk *Chunk
	for i, p := range s.all.parts {
		choice, err := p.rest(i, &s.result.Output)
		if err != nil {
			return nil, err
		}
		if choice.Delta.Content == "" && choice.Delta.ReasoningContent == "" {
			continue
		}
		if chunk == nil {
			chunk = &Chunk{Backend: s.result.Backend}
			chunk.ID, chunk.Model, chunk.Created = s.all.head.ID, s.all.head.Model, s.all.head.Created
			chunk.Object = "chat.completion.chunk"
		}
		chunk.Choices = append(chunk.Choices, choice)
	}
	return chunk, nil
}
