package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxEvent is the most of a stream that is kept, in bytes: an event that is not
// whole, and those that wait for words that are held back.
const maxEvent = 16 << 20

// buffers are what streams are read into. One that had to grow is not kept.
var buffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}

// stream passes events on as they come, byte for byte. What came together goes on
// together; what is next to be waited for keeps nothing back.
func (x *exchange) stream() error {
	buffer := buffers.Get().(*[16 << 10]byte)
	defer buffers.Put(buffer)
	p := &pipe{x: x, control: http.NewResponseController(x.w), speech: speech{x: x}, bytes: buffer[:0]}
	p.reader.say = p.speech.say
	x.status = x.resp.StatusCode
	x.w.Header().Set("Cache-Control", "no-store")
	x.w.Header().Set("X-Accel-Buffering", "no")
	x.w.WriteHeader(x.status)
	for {
		ended, err := p.fill()
		if stop := p.pass(ended); stop != nil {
			err = stop
		}
		if gone := p.send(); gone != nil {
			return gone
		}
		if ended || err != nil {
			return p.end(err)
		}
	}
}

// pipe is a stream on its way to the caller.
type pipe struct {
	x        *exchange
	control  *http.ResponseController
	reader   replyReader
	speech   speech
	events   events
	template template
	bounded  time.Time // when the deadline of writes was last moved

	bytes    []byte // what came and was not sent yet
	read     int    // of it, the events that have been read
	waits    []wait
	begun    bool // the first event has been read
	open     bool // the last event has no end
	finished bool
	failed   bool // the machine said so
}

// wait says that the event that begins at a byte, and all after it, wait until so
// much of a text is released.
type wait struct {
	begin int
	text  *spoken
	upTo  int
}

// fill takes in what has come, and waits if nothing has.
func (p *pipe) fill() (ended bool, err error) {
	if len(p.bytes) == cap(p.bytes) {
		if len(p.bytes) > maxEvent {
			return false, errBrokenOff
		}
		p.bytes = append(p.bytes, 0)[:len(p.bytes)]
	}
	n, err := p.x.resp.Body.Read(p.bytes[len(p.bytes):cap(p.bytes)])
	p.bytes = p.bytes[:len(p.bytes)+n]
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, io.EOF):
		return true, nil
	case p.x.gone() != nil:
		return false, p.x.gone()
	}
	return false, errBrokenOff
}

// pass reads the events that are whole, and at the end of the stream what is left.
func (p *pipe) pass(ended bool) error {
	for {
		size := p.events.next(p.bytes[p.read:])
		open := size < 0
		if open {
			if size = len(p.bytes) - p.read; !ended || size == 0 {
				return nil
			}
			p.events = events{}
		}
		keep, err := p.event(p.bytes[p.read : p.read+size])
		switch {
		case err != nil:
			return err
		case keep:
			p.read, p.open = p.read+size, open
		default:
			p.bytes = append(p.bytes[:p.read], p.bytes[p.read+size:]...)
		}
	}
}

// event reads one event, and says whether the caller gets it.
func (p *pipe) event(event []byte) (keep bool, err error) {
	if quoted, ok := p.template.read(event); ok {
		p.speech.say(p.template.of, p.reader.plain(quoted))
		return true, p.wait()
	}
	if !p.begun { // a byte order mark is no part of the first event
		p.begun = true
		event = bytes.TrimPrefix(event, []byte("\ufeff"))
	}
	data, one := eventData(event)
	if string(data) == "[DONE]" {
		p.finished = true
		return true, nil
	}
	r := p.reader.read(data) // of a comment, nothing
	p.finished = p.finished || r.finished
	p.failed = p.failed || r.failed
	if len(r.usage) > 0 {
		p.x.usage = append(p.x.usage[:0], r.usage...)
		if p.x.ask.hidden && !r.chose {
			return false, nil // the gateway asked for it
		}
	} else if one && r.pieces == 1 && !r.finished && !r.failed && len(event)-len(r.quoted) <= maxTemplate {
		p.template.set(event, r.quoted, r.of)
	}
	return true, p.wait()
}

// wait keeps the event that begins at p.read until all its words are released.
func (p *pipe) wait() error {
	err := p.speech.turn()
	for _, t := range p.speech.texts {
		if t.released < t.seen && t.waited < t.seen {
			t.waited = t.seen
			p.waits = append(p.waits, wait{p.read, t, t.seen})
		}
	}
	return err
}

// send passes on what need not wait, and flushes it.
func (p *pipe) send() error {
	done := 0
	for done < len(p.waits) && p.waits[done].text.released >= p.waits[done].upTo {
		done++
	}
	p.waits = append(p.waits[:0], p.waits[done:]...)
	n := p.read
	if len(p.waits) > 0 {
		n = p.waits[0].begin
	}
	if n == 0 {
		return nil
	}
	err := p.write(p.bytes[:n])
	p.bytes = p.bytes[:copy(p.bytes, p.bytes[n:])]
	p.read -= n
	for i := range p.waits {
		p.waits[i].begin -= n
	}
	return err
}

// write sends bytes to the caller at once. The deadline of writes moves along.
func (p *pipe) write(b []byte) error {
	if now := time.Now(); now.Sub(p.bounded) > time.Second {
		p.bounded = now
		_ = p.control.SetWriteDeadline(now.Add(patience)) // a writer without deadlines still writes
	}
	if _, err := p.x.w.Write(b); err != nil || p.control.Flush() != nil {
		return errGone
	}
	return nil
}

// end releases what is held back, or tells the caller in the stream why there
// will be no more: its status has long been sent.
func (p *pipe) end(err error) error {
	if err == nil {
		if err = p.speech.end(); err == nil {
			err = p.send()
		}
	}
	switch {
	case errors.Is(err, errGone):
		return err
	case err == nil && p.failed:
		return &machineError{http.StatusBadGateway} // in its own words
	case err == nil && p.finished:
		return nil
	case err == nil:
		err = errBrokenOff
	}
	var last []byte
	if p.open {
		last = append(last, "\n\n"...)
	}
	last = append(append(append(last, "data: "...), failureOf(err).body(p.x.id)...), "\n\n"...)
	_ = p.write(last) // the stream is over either way
	return err
}
