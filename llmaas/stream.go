package llmaas

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"

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

// Stream is an answer that arrives piece by piece. It is for one goroutine; to
// stop it from another one, cancel the context it was opened with.
type Stream struct {
	c         *Client
	req       openai.ChatCompletionRequest
	known     *facts
	cancel    context.CancelFunc
	body      io.Closer
	events    *events
	result    Result
	showUsage bool // the caller asked for the chunk that carries the usage

	usage    json.RawMessage
	received strings.Builder // text so far, to estimate by if no usage comes
	finished bool            // a finish reason or [DONE] came
	over     bool
	err      *Error
}

// Stream sends one request whose answer is streamed. It returns when the answer
// begins; a call that fails before shows its error in [Stream.All] and
// [Stream.Err]. The caller ranges over All or calls Close.
func (c *Client) Stream(ctx context.Context, req openai.ChatCompletionRequest) *Stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &Stream{c: c, req: req, known: new(facts), cancel: cancel}
	if err := s.open(ctx); err != nil {
		s.end(err)
	}
	return s
}

func (s *Stream) open(ctx context.Context) error {
	if err := s.c.before(ctx, s.req, &s.result); err != nil {
		return err
	}
	req := s.req
	s.showUsage = req.StreamOptions != nil && req.StreamOptions.IncludeUsage
	req.Stream, req.StreamOptions = true, &openai.StreamOptions{IncludeUsage: true}
	body, err := encode(req, callFrom(ctx).Extra)
	if err != nil {
		return &Error{Kind: ErrInvalidRequest, cause: err}
	}
	resp, err := s.c.post(ctx, "/chat/completions", body, s.known)
	if err != nil {
		return err
	}
	s.result.RequestID, s.result.Attempts = requestID(resp.Header), s.known.attempts
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		var reply json.RawMessage
		raw, err := readReply(resp, &reply)
		if err != nil {
			return err
		}
		return hiddenError(raw)
	}
	s.body, s.events = resp.Body, newEvents(resp.Body)
	return nil
}

// All yields the chunks in order, then at most one error, which is an [*Error].
// Leaving the loop early closes the stream.
func (s *Stream) All() iter.Seq2[*Chunk, error] {
	return func(yield func(*Chunk, error) bool) {
		for !s.over {
			chunk, err := s.next()
			switch {
			case errors.Is(err, io.EOF):
				s.end(nil)
			case err != nil:
				s.end(err)
			case chunk != nil && !yield(chunk, nil):
				_ = s.Close()
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// next reads one event. A nil chunk without an error says that it was none to show.
func (s *Stream) next() (*Chunk, error) {
	name, data, err := s.events.next()
	switch {
	case errors.Is(err, io.EOF) && !s.finished, errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &Error{Kind: ErrTruncated}
	case errors.Is(err, errEventTooLong):
		return nil, &Error{Kind: ErrProtocol, cause: err}
	case err != nil:
		return nil, err
	case string(data) == "[DONE]":
		s.finished = true
		return nil, io.EOF
	case string(name) == "error":
		return nil, hiddenError(data)
	}
	return s.decode(data)
}

// chunkWire is a chunk on the wire; its own fields win over the embedded ones.
type chunkWire struct {
	openai.ChatCompletionStreamResponse
	Object  string          `json:"object"`
	Created number          `json:"created"`
	Usage   json.RawMessage `json:"usage"`
	Backend Backend         `json:"backend"`
	Error   json.RawMessage `json:"error"`
}

func (s *Stream) decode(data []byte) (*Chunk, error) {
	var wire chunkWire
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, &Error{Kind: ErrProtocol, cause: decodeError(err, len(data))}
	}
	if isError(wire.Error) || wire.Object == "error" {
		return nil, hiddenError(data)
	}
	chunk := &Chunk{wire.ChatCompletionStreamResponse, wire.Backend}
	chunk.Object, chunk.Created = wire.Object, int64(wire.Created)
	if wire.Backend.Machine != "" {
		s.result.Backend = wire.Backend
	}
	if isError(wire.Usage) {
		s.usage = append(s.usage[:0], wire.Usage...)
		if json.Unmarshal(wire.Usage, &chunk.Usage) != nil {
			chunk.Usage = nil
		}
	}
	if len(chunk.Choices) == 0 && !s.showUsage {
		return nil, nil // callers of plain streams index choices without looking
	}
	for _, choice := range chunk.Choices {
		s.received.WriteString(choice.Delta.ReasoningContent)
		s.received.WriteString(choice.Delta.Content)
		s.finished = s.finished || choice.FinishReason != "" && choice.FinishReason != openai.FinishReasonNull
	}
	return chunk, nil
}

// end closes the connection, bills what was received and keeps the error.
func (s *Stream) end(err error) {
	if s.over {
		return
	}
	s.over = true
	s.cancel()
	if err != nil {
		s.err = errorOf(err).fill("stream", s.known)
		s.err.Backend = s.result.Backend.Machine
	}
	if s.body == nil {
		return
	}
	_ = s.body.Close()
	// An error that the service reports in place of an answer costs nothing.
	if answered := s.received.Len() > 0 || s.usage != nil; answered || s.err == nil || s.err.Status == 0 {
		s.c.settle(s.req, &s.result, s.usage, s.received.String())
	}
}

// Close ends the stream, closes its connection and bills what was received.
// Further calls do nothing. It returns no error.
func (s *Stream) Close() error {
	s.end(nil)
	return nil
}

// Err is the error that ended the stream, nil while it runs and when it ended well.
func (s *Stream) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Result is what is known of the call. Usage and bill stand in it once the
// stream has ended.
func (s *Stream) Result() Result { return s.result }
