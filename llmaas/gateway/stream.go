package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
)

// maxEvent is the largest server-sent event that is passed on, in bytes.
const maxEvent = 16 << 20

// stream passes events on as they come. What the scanner holds
// back waits in a queue of events, so that the bytes stay what they were.
func (x *exchange) stream() error {
	p := &pipe{x: x, control: http.NewResponseController(x.w), reader: newReplyReader()}
	if x.g.Output != nil {
		p.scanner = x.g.Output.Scanner()
	}
	x.status = x.resp.StatusCode
	x.w.Header().Set("Cache-Control", "no-store")
	x.w.Header().Set("X-Accel-Buffering", "no")
	x.w.WriteHeader(x.status)
	r := bufio.NewReaderSize(x.resp.Body, 16<<10)
	var event []byte
	for {
		var err error
		event, err = readEvent(r, event[:0])
		if len(event) > 0 {
			p.bound()
			if err := p.pass(event); err != nil {
				return p.end(err)
			}
		}
		// What came together goes on together; what is next to be waited for
		// keeps nothing back.
		if p.written && !ready(r) {
			p.written = false
			if p.control.Flush() != nil {
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

// readEvent appends to event what comes, up to and including the blank line that
// ends it.
func readEvent(r *bufio.Reader, event []byte) ([]byte, error) {
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
	control *http.ResponseController
	reader  *replyReader
	bounded time.Time // when the deadline of writes was last moved

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

// pass takes one event.
func (p *pipe) pass(event []byte) error {
	data := eventData(event)
	if string(data) == "[DONE]" {
		p.finished = true
		return p.enqueue(event)
	}
	r := p.reader.read(data) // of a comment, nothing
	if len(r.usage) > 0 {
		p.x.usage = append(p.x.usage[:0], r.usage...)
		if p.x.ask.hidden && !r.chose {
			return nil // the gateway asked for it
		}
	}
	p.finished = p.finished || r.finished
	if p.x.first.IsZero() && r.said+r.thought != "" {
		p.x.first = p.x.g.Now()
	}
	p.x.answered.add(r.thought)
	p.x.answered.add(r.said)
	if err := p.scan(r.said); err != nil {
		return err
	}
	return p.enqueue(event)
}

// bound moves the deadline of writes along with the stream, once a second.
func (p *pipe) bound() {
	if now := time.Now(); now.Sub(p.bounded) > time.Second {
		p.bounded = now
		_ = p.control.SetWriteDeadline(now.Add(patience)) // a writer without deadlines still writes
	}
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
	if len(p.queue) == 0 && p.seen <= p.released {
		p.written = true
		if _, err := p.x.w.Write(event); err != nil {
			return errGone
		}
		return nil
	}
	p.queue = append(p.queue, queued{bytes.Clone(event), p.seen})
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
		_ = p.control.Flush() // the stream is over either way
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
