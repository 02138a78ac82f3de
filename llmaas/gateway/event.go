package gateway

import (
	"bytes"
	"encoding/json"
)

// events cuts a stream of server-sent events where each one ends (HTML Standard
// §9.2.6: lines end with CR, LF or both). It looks at every byte once, however
// they come.
type events struct {
	line int // where the line going on began
	at   int // up to where its end has been looked for
}

// next returns where the first event of b ends, behind its blank line. -1 says
// that b must grow first.
func (e *events) next(b []byte) int {
	for {
		end := lineEnd(b, e.at)
		if end < 0 {
			e.at = max(e.line, len(b)-1) // a CR at the end is looked at again
			return -1
		}
		blank := b[e.line] == '\n' || b[e.line] == '\r'
		e.line, e.at = end, end
		if blank {
			*e = events{}
			return end
		}
	}
}

// lineEnd returns where the line ends that goes on at the given byte, or -1. What
// follows a CR at the end of b is not known: it may be the LF that belongs to it.
func lineEnd(b []byte, at int) int {
	line, end := b[at:], -1
	if lf := bytes.IndexByte(line, '\n'); lf >= 0 {
		line, end = line[:lf], at+lf+1
	}
	if cr := bytes.IndexByte(line, '\r'); cr >= 0 && at+cr+1 < len(b) && at+cr+2 != end {
		return at + cr + 1
	}
	return end
}

// eventData joins the data lines of an event, and says whether there is one only;
// then what it returns is a part of the event.
func eventData(event []byte) (data []byte, one bool) {
	for at := 0; at < len(event); {
		end := lineEnd(event, at)
		if end < 0 {
			end = len(event) // the stream ended in it
		}
		value, ok := bytes.CutPrefix(bytes.TrimRight(event[at:end], "\r\n"), []byte("data:"))
		at = end
		if !ok {
			continue
		}
		value = bytes.TrimPrefix(value, []byte(" "))
		if one = data == nil; one {
			data = value
			continue
		}
		data = append(append(bytes.Clone(data), '\n'), value...) // few machines do that
	}
	return data, one
}

// template is an event that has been read, but for its words. The chunks of a
// stream hardly ever differ in more, so that most of them need not be read anew.
type template struct {
	head, tail []byte // up to the quote before the words, and from the quote behind them
	of         source // of whose words
}

// maxTemplate bounds what is kept of an event for a template, in bytes.
const maxTemplate = 4 << 10

// set makes a template of an event that holds the JSON string quoted, and no
// other words.
func (t *template) set(event, quoted []byte, of source) {
	at := cap(event) - cap(quoted) // quoted is a part of event
	t.head = append(t.head[:0], event[:at+1]...)
	t.tail = append(t.tail[:0], event[at+len(quoted)-1:]...)
	t.of = of
}

// read returns the JSON string in an event that is as the template but for it.
func (t *template) read(event []byte) (quoted []byte, ok bool) {
	end := len(event) - len(t.tail)
	if len(t.head) == 0 || end < len(t.head) || !bytes.HasPrefix(event, t.head) || !bytes.HasSuffix(event, t.tail) {
		return nil, false
	}
	quoted = event[len(t.head)-1 : end+1 : end+1]
	for _, c := range quoted[1 : len(quoted)-1] {
		if c < ' ' || c == '"' || c == '\\' {
			return quoted, json.Valid(quoted)
		}
	}
	return quoted, true
}
