package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
)

// maxEvent is the largest server-sent event that is passed on, in bytes.
const maxEvent = 16 << 20

// stream passes events on as they come. What the scanner holds
// back waits in a queue of events, so that the bytes stay what they were.
func (x *exchange) stream() error {
	p := &pipe{x: x, flush: http.NewResponseController(x.w).Flush}
	if x.g.Output != nil {
		p.scanner = x.g.Output.Scanner()
	}
	x.status = x.resp.StatusCode
	x.w.Header().Set("Cache-Control", "no-store")
	x.w.Header().Set("X-Accel-Buffering", "no")
	x.w.WriteHeader(x.status)
	r := bufio.NewReaderSize(x.resp.Body, 16<<10)
	for {
		event, err := readEvent(r)
		if len(event) > 0 {
			if err := p.pass(event); err != nil {
				return p.end(err)
			}
		}
		// What came together goes on together; what is next to be waited for
		// keeps nothing back.
		if p.written && !ready(r) {
			p.written = false
			if p.flush() != nil {
				return p.end(errGone)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return p.end(nil)
		case err != nil && x.gone() != nil:
			return p.end(x.gone())
		case err != nil:
			return p.end(errBrokenOff)
		}
	}
}

// ready reports whether another event has come already.
func ready(r *bufio.Reader) bool {
	b, _ := r.Peek(r.Buffered()) // what is buffered can be peeked
	return bytes.Contains(b, []byte("\n\n")) || bytes.Contains(b, []byte("\n\r\n"))
}

// readEvent reads up to and including the blank line that ends an event.
func readEvent(r *bufio.Reader) ([]byte, error) {
	var event []byte
	for {
		line, err := r.ReadSlice('\n')
		event = append(event, line...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return event, err
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			return event, nil
		}
		if len(event) > maxEvent {
			return nil, errBrokenOff
		}
	}
}

// pipe is a stream on its way to the caller.
type pipe struct {
	x       *exchange
	scanner *output.Scanner
	flush   func() error

	queue    []queued
	seen     int // bytes of text given to the scanner
	released int // bytes of text that it gave back
	finished bool
	written  bool // since the last flush
}

// queued is an event that waits until all its text is released.
type queued struct {
	event []byte
	upTo  int
}

// delta is what must be known of an event. Names are exact where it counts: the
// text is taken from all choices.
type delta struct {
	Choices []struct {
		Delta struct {
			Content          string `json:"content"`
			ReasoningContent string `json:"reasoning_content"`
		} `json:"delta"`
		Text         string  `json:"text"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage json.RawMessage `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// pass takes one event.
func (p *pipe) pass(event []byte) error {
	data := eventData(event)
	if string(data) == "[DONE]" {
		p.finished = true
		return p.enqueue(event)
	}
	var d delta
	if len(data) == 0 || json.Unmarshal(data, &d) != nil {
		return p.enqueue(event) // a comment, or what only the caller understands
	}
	if len(d.Usage) > 0 && string(d.Usage) != "null" {
		p.x.usage = append(p.x.usage[:0], d.Usage...)
		if p.x.ask.hidden && len(d.Choices) == 0 {
			return nil // the gateway asked for it
		}
	}
	for _, c := range d.Choices {
		p.finished = p.finished || c.FinishReason != nil
		said := c.Delta.Content + c.Text
		if p.x.first.IsZero() && said+c.Delta.ReasoningContent != "" {
			p.x.first = p.x.g.Now()
		}
		p.x.answered.add(c.Delta.ReasoningContent)
		p.x.answered.add(said)
		if err := p.scan(said); err != nil {
			return err
		}
	}
	return p.enqueue(event)
}

// scan gives text to the scanner.
func (p *pipe) scan(said string) error {
	if p.scanner == nil || said == "" {
		return nil
	}
	release, found := p.scanner.Write([]byte(said))
	p.seen += len(said)
	p.released += len(release)
	if !p.x.found(found) {
		return errOutput
	}
	return nil
}

// enqueue passes an event on when all text up to it is released.
func (p *pipe) enqueue(event []byte) error {
	p.queue = append(p.queue, queued{event, p.seen})
	n := 0
	for _, q := range p.queue {
		if q.upTo > p.released {
			break
		}
		if _, err := p.x.w.Write(q.event); err != nil {
			return errGone
		}
		n++
	}
	p.written = p.written || n > 0
	p.queue = append(p.queue[:0], p.queue[n:]...)
	return nil
}

// end releases what is held back, or tells the caller in the stream why there
// will be no more: its status has long been sent.
func (p *pipe) end(err error) error {
	if err == nil && p.scanner != nil {
		release, found := p.scanner.Close()
		p.released += len(release)
		if p.x.found(found) {
			err = p.enqueue(nil)
		} else {
			err = errOutput
		}
	}
	if err == nil && !p.finished {
		err = errBrokenOff
	}
	if err != nil && !errors.Is(err, errGone) {
		_, _ = p.x.w.Write(append(append([]byte("data: "), failureOf(err).body(p.x.id)...), "\n\n"...))
		_ = p.flush() // the stream is over either way
	}
	return err
}

// found notes findings in an answer, and reports whether it may go on.
func (x *exchange) found(all []guard.Finding) bool {
	points := 0
	for _, f := range all {
		x.decide("flag", f.Rule)
		points = max(points, f.Points())
	}
	return points < guard.DefaultBlock
}

// eventData joins the data lines of an event.
func eventData(event []byte) []byte {
	var data []byte
	for line := range bytes.Lines(event) {
		line = bytes.TrimRight(line, "\r\n")
		value, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			continue
		}
		value = bytes.TrimPrefix(value, []byte(" "))
		if data == nil {
			data = value
		} else {
			data = append(append(bytes.Clone(data), '\n'), value...)
		}
	}
	return data
}

// answerText is what a whole answer says, in all its choices.
func answerText(body []byte) string {
	var reply struct {
		Choices []struct {
			Message struct {
				Content          string `json:"content"`
				ReasoningContent string `json:"reasoning_content"`
			} `json:"message"`
			Text string `json:"text"`
		} `json:"choices"`
	}
	_ = json.Unmarshal(body, &reply) // what is no chat answer says nothing
	var b bytes.Buffer
	for _, c := range reply.Choices {
		b.WriteString(c.Message.ReasoningContent + c.Message.Content + c.Text)
	}
	return b.String()
}
