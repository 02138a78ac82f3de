package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxLine is the longest line that is read.
const maxLine = 64 << 20

// prompt is one line of the input.
type prompt struct {
	id      json.RawMessage
	text    string
	session string
}

// reader reads prompts from lines.
type reader struct {
	in         *bufio.Reader
	complaints io.Writer
	max        int // the longest line, in bytes
	plain      bool
	decided    bool // plain is settled
	line       int
	bad        int
	buf        []byte
}

func newReader(in io.Reader, plain bool, complaints io.Writer) *reader {
	return &reader{in: bufio.NewReaderSize(in, 1<<16), complaints: complaints, max: maxLine, plain: plain, decided: plain}
}

// waits reports whether the next line has yet to arrive.
func (r *reader) waits() bool { return r.in.Buffered() == 0 }

// lost says at the end how many lines were not read.
func (r *reader) lost() error {
	if r.bad > 0 {
		return fmt.Errorf("%d of %d lines could not be read", r.bad, r.line)
	}
	return nil
}

// next reads the next prompt. It reports bad lines and goes on behind them; its
// error is io.EOF or that of the input.
func (r *reader) next() (prompt, error) {
	for {
		line, err := r.readLine()
		if err == io.EOF {
			return prompt{}, err
		}
		if err == errTooLong {
			r.complain(fmt.Errorf("got more than %d MB, want less", r.max>>20))
			continue
		}
		if err != nil {
			return prompt{}, fmt.Errorf("line %d: %w", r.line, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if !r.decided {
			r.decided = true
			r.plain = bytes.TrimLeft(line, " \t\ufeff")[0] != '{'
		}
		if r.plain {
			return prompt{id: r.number(), text: string(line)}, nil
		}
		p, err := r.parse(line)
		if err != nil {
			r.complain(err)
			continue
		}
		return p, nil
	}
}

func (r *reader) complain(err error) {
	r.bad++
	fmt.Fprintf(r.complaints, "promptscan: line %d: %v\n", r.line, err)
}

func (r *reader) number() json.RawMessage { return strconv.AppendInt(nil, int64(r.line), 10) }

// parse reads a line of JSON. Its errors carry nothing of the line.
func (r *reader) parse(line []byte) (prompt, error) {
	var fields struct {
		ID      json.RawMessage `json:"id"`
		Text    *string         `json:"text"`
		Session *string         `json:"session"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(line, []byte("\ufeff")), &fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return prompt{}, fmt.Errorf("got no JSON from byte %d on, want an object", syntax.Offset)
		}
		return prompt{}, errors.New(`got other types, want {"id", "text", "session"} with text and session as strings`)
	}
	if fields.Text == nil {
		return prompt{}, errors.New(`got no "text", want a string`)
	}
	p := prompt{id: bytes.ToValidUTF8(fields.ID, []byte("\ufffd")), text: *fields.Text}
	if fields.Session != nil {
		p.session = *fields.Session
	}
	if len(p.id) == 0 || string(p.id) == "null" {
		p.id = r.number()
	} else if c := p.id[0]; c == '{' || c == '[' || c == 't' || c == 'f' {
		return prompt{}, errors.New(`got another type of "id", want a string or a number`)
	}
	return p, nil
}

var errTooLong = errors.New("line too long")

// readLine reads one line without its end. A line that is too long is passed
// over to its end.
func (r *reader) readLine() ([]byte, error) {
	r.line++
	r.buf = r.buf[:0]
	tooLong := false
	for {
		piece, err := r.in.ReadSlice('\n')
		if !tooLong {
			r.buf = append(r.buf, piece...)
			tooLong = len(r.buf) > r.max
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case tooLong && (err == nil || err == io.EOF):
			r.buf = nil
			return nil, errTooLong
		case err == io.EOF && len(r.buf) == 0:
			r.line--
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(r.buf, []byte("\n")), []byte("\r")), nil
	}
}
