package llmaas

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxEvent is the largest server-sent event that is read, in bytes.
const maxEvent = 16 << 20

var errEventTooLong = errors.New("a server-sent event is longer than 16 MiB")

// events reads server-sent events (WHATWG HTML §9.2.6): lines end in LF, CR or
// CRLF; comments and unknown fields are passed over; several data lines of one
// event are joined by LF; a byte order mark at the start is dropped.
type events struct {
	r       *bufio.Reader
	data    []byte
	name    []byte
	started bool
	sawCR   bool
}

func newEvents(r io.Reader) *events {
	return &events{r: bufio.NewReaderSize(r, 16<<10)}
}

// next returns the name and data of the next event that has data. The slices
// are valid until the following call. At the end of the stream it returns
// io.EOF; an event that no blank line ended still counts if it has data.
func (e *events) next() (name, data []byte, err error) {
	e.data, e.name = e.data[:0], e.name[:0]
	has := false
	for {
		line, err := e.line()
		if err != nil {
			if has && errors.Is(err, io.EOF) {
				return e.name, e.data, nil
			}
			return nil, nil, err
		}
		if len(line) == 0 {
			if has {
				return e.name, e.data, nil
			}
			e.name = e.name[:0]
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			if has {
				e.data = append(e.data, '\n')
			}
			if len(e.data)+len(value) > maxEvent {
				return nil, nil, errEventTooLong
			}
			e.data, has = append(e.data, value...), true
		case "event":
			e.name = append(e.name[:0], value...)
		}
	}
}

// line reads one line without its end. A last line without an end counts too.
func (e *events) line() ([]byte, error) {
	var line []byte
	for {
		chunk, err := e.r.Peek(1)
		if err != nil {
			if len(line) > 0 && errors.Is(err, io.EOF) {
				return line, nil
			}
			return nil, err
		}
		if e.sawCR {
			e.sawCR = false
			if chunk[0] == '\n' {
				e.discard(1)
				continue
			}
		}
		chunk, _ = e.r.Peek(e.r.Buffered())
		if !e.started {
			e.started = true
			if chunk = e.dropBOM(chunk); len(chunk) == 0 {
				continue
			}
		}
		end := lineEnd(chunk)
		if end < 0 {
			if len(line)+len(chunk) > maxEvent {
				return nil, errEventTooLong
			}
			line = append(line, chunk...)
			e.discard(len(chunk))
			continue
		}
		e.sawCR = chunk[end] == '\r'
		if line == nil {
			line = chunk[:end:end]
		} else {
			line = append(line, chunk[:end]...)
		}
		e.discard(end + 1)
		return line, nil
	}
}

// lineEnd is the place of the first CR or LF, -1 for none.
func lineEnd(chunk []byte) int {
	end := bytes.IndexByte(chunk, '\n')
	head := chunk
	if end >= 0 {
		head = chunk[:end]
	}
	if cr := bytes.IndexByte(head, '\r'); cr >= 0 {
		return cr
	}
	return end
}

func (e *events) discard(n int) {
	_, _ = e.r.Discard(n) // n bytes are buffered: it cannot fail
}

func (e *events) dropBOM(chunk []byte) []byte {
	bom := []byte("\xef\xbb\xbf")
	if chunk[0] != bom[0] {
		return chunk
	}
	if head, err := e.r.Peek(len(bom)); err != nil || !bytes.Equal(head, bom) {
		return chunk
	}
	e.discard(len(bom))
	chunk, _ = e.r.Peek(e.r.Buffered())
	return chunk
}
