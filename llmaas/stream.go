package llmaas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// Stream is an answer that arrives piece by piece. It is for one goroutine; to
// stop it from another one, cancel the context it was opened with.
type Stream struct {
	c         *Client
	req       openai.ChatCompletionRequest
	known     *facts
	ctx       context.Context
	cancel    context.CancelCauseFunc
	watch     *time.Timer // cancels when the next event takes too long
	header    http.Header
	body      io.Closer
	events    *events
	result    Result
	showUsage bool // the caller asked for the chunk that carries the usage

	wire     chunkWire
	all      answer
	usage    usage
	finished bool // a finish reason or [DONE] came
	first    bool // a token came
	over     bool
	canned   *Chunk // the fallback text, which no service sent
	err      *Error
}

// Stream sends one request whose answer is streamed. It returns when the answer
// begins; a call that fails before shows its error in [Stream.All] and
// [Stream.Err]. The caller ranges over All or calls Close.
func (c *Client) Stream(ctx context.Context, req openai.ChatCompletionRequest) *Stream {
	s := &Stream{c: c, req: req, known: c.begin(ctx, "stream", req.Model), ctx: ctx, cancel: func(error) {}}
	s.showUsage = req.StreamOptions != nil && req.StreamOptions.IncludeUsage
	if err := c.judge(ctx, req.Messages, &s.result); err != nil {
		s.end(err)
		return s
	}
	err := c.tryTargets(ctx, s.known, &s.result, req.Model, func(t target) error { return s.open(ctx, t) })
	switch {
	case err != nil && c.fallbackText != "" && mayFallBack(ctx, err):
		s.result.Fallbacks = append(s.result.Fallbacks, errorOf(err).fill(s.known))
		s.canned = cannedChunk(c.fallbackText)
	case err != nil:
		s.end(err)
	}
	return s
}

// open sends the request to one target.
func (s *Stream) open(ctx context.Context, t target) error {
	req := s.req
	req.Model = t.Model
	s.known.target(t)
	if err := s.c.before(ctx, req, s.known, &s.result); err != nil {
		return err
	}
	req.Stream, req.StreamOptions = true, &openai.StreamOptions{IncludeUsage: true}
	body, err := encodeChat(req, callFrom(ctx).Extra)
	if err != nil {
		return &Error{Kind: ErrInvalidRequest, cause: err}
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.watchFor(s.c.timeouts.FirstToken, "no token")
	if err := s.connect(body); err != nil {
		err = cause(s.ctx, err)
		s.stop()
		return err
	}
	s.req = req
	return nil
}

func (s *Stream) connect(body []byte) error {
	resp, err := s.c.post(s.ctx, "/chat/completions", body, s.known)
	if err != nil {
		return err
	}
	s.header = resp.Header
	s.result.note(resp.Header, s.known)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		raw, err := readAll(resp)
		if err != nil {
			return err
		}
		return hiddenError(raw, http.StatusOK)
	}
	s.body, s.events = resp.Body, newEvents(resp.Body)
	return nil
}

// watchFor cancels the stream when nothing comes for d. Comments do not count: a
// machine that only says that it lives does not answer.
func (s *Stream) watchFor(d time.Duration, missing string) {
	if s.watch != nil {
		s.watch.Stop()
	}
	cancel := s.cancel
	s.watch = time.AfterFunc(d, func() {
		cancel(&Error{Kind: ErrTimeout, cause: fmt.Errorf("%s within %v", missing, d)})
	})
}

// All yields the chunks in order, then at most one error, which is an [*Error].
// Leaving the loop early closes the stream.
func (s *Stream) All() iter.Seq2[*Chunk, error] {
	return func(yield func(*Chunk, error) bool) {
		for chunk := s.step(); chunk != nil; chunk = s.step() {
			if !yield(chunk, nil) {
				_ = s.Close()
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// step returns the next chunk to show, nil when the stream is over.
func (s *Stream) step() *Chunk {
	for !s.over {
		chunk, err := s.next()
		if err == nil && chunk != nil {
			return chunk
		}
		if err == nil {
			continue
		}
		// What was held back is the caller's, however the stream ended.
		var held *Chunk
		if !errors.Is(err, ErrWithheld) {
			var bad error
			if held, bad = s.last(); bad != nil {
				err = bad
			}
		}
		if errors.Is(err, io.EOF) && s.finished {
			s.end(nil)
		} else {
			s.end(cause(s.ctx, err))
		}
		return held
	}
	return nil
}

// next reads one event. A nil chunk without an error says that it was none to show.
func (s *Stream) next() (*Chunk, error) {
	if s.canned != nil {
		chunk := s.canned
		s.canned = nil
		s.events, s.finished = newEvents(strings.NewReader("")), true
		p, _ := s.all.part(0, nil) // 0 is an index
		_ = p.take(&chunk.Choices[0], nil)
		return chunk, nil
	}
	name, data, err := s.events.next()
	switch {
	case errors.Is(err, io.EOF) && s.finished:
		return nil, io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &Error{Kind: ErrTruncated}
	case errors.Is(err, errEventTooLong):
		return nil, &Error{Kind: ErrProtocol, cause: err}
	case err != nil:
		return nil, err
	case string(data) == "[DONE]":
		s.finished = true
		return nil, io.EOF
	case string(name) == "error":
		return nil, hiddenError(data, http.StatusOK)
	}
	chunk, err := s.decode(data)
	switch {
	case err != nil:
	case s.first:
		s.watch.Reset(s.c.timeouts.Idle)
	default:
		s.first = true
		s.watchFor(s.c.timeouts.Idle, "no chunk")
		s.known.event(FirstToken, nil)
	}
	return chunk, err
}

// stop ends the connection.
func (s *Stream) stop() {
	s.watch.Stop()
	s.cancel(context.Canceled)
	if s.body != nil {
		_ = s.body.Close()
	}
}

// end closes the connection, bills what was received and keeps the error.
func (s *Stream) end(err error) {
	if s.over {
		return
	}
	s.over = true
	if err != nil {
		s.err = errorOf(err).fill(s.known)
		s.err.Backend = s.result.Backend.Machine
	}
	if s.body != nil {
		s.stop()
		// An error that the service reports in place of an answer costs nothing.
		if s.all.some() || s.usage.raw != nil || s.err == nil || s.err.Status == 0 {
			s.c.settle(s.req, &s.result, &s.usage, s.all.text)
		}
	}
	s.c.finish(s.known, &s.result, s.Err())
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

// Response is what was received so far as [Client.Chat] would have returned it:
// fragments of text, thinking and tool calls joined, choices by index.
func (s *Stream) Response() *Response {
	resp := &Response{ChatCompletionResponse: s.all.response(), Result: s.result}
	resp.Object = "chat.completion"
	if shown := s.usage.shown(); shown != nil {
		resp.Usage = *shown
	}
	if len(resp.Choices) > 0 {
		resp.Reasoning = resp.Choices[0].Message.ReasoningContent
	}
	return resp
}
