package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/llmaas/llmaas-go/tokens"
)

const maxLine = 64 << 20

type question struct {
	ID     json.RawMessage `json:"id"`
	Text   *string         `json:"text"`
	Model  string          `json:"model"`
	Family string          `json:"family"`
}

type answer struct {
	ID     json.RawMessage `json:"id"`
	Tokens int             `json:"tokens"`
	Low    int             `json:"low"`
	High   int             `json:"high"`
	Family string          `json:"family"`
}

// lines answers JSON lines, and flushes whenever the input pauses.
func (c *counter) lines(in io.Reader) {
	r := bufio.NewReaderSize(in, 1<<16)
	write := json.NewEncoder(c.out)
	write.SetEscapeHTML(false)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if err == io.EOF {
			return
		}
		if err == nil && len(line) > 0 {
			var a answer
			if a, err = count(line, n); err == nil {
				err = write.Encode(a)
			}
		}
		if err != nil {
			c.complain("line %d: %v", n, err)
			if !errors.Is(err, errLong) && !errors.As(err, new(*lineError)) {
				return
			}
		}
		if r.Buffered() == 0 {
			c.out.Flush()
		}
	}
}

// lineError is what is wrong with one line; the run goes on.
type lineError struct{ text string }

func (e *lineError) Error() string { return e.text }

func count(line []byte, n int) (answer, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{}, &lineError{`got no JSON like {"text": "…", "model": "…"} (` + err.Error() + `); the tokens of a text are counted with tokencount FILE`}
	}
	var e *tokens.Estimator
	switch {
	case q.Text == nil:
		return answer{}, &lineError{`got no "text"`}
	case q.Family != "":
		var err error
		if e, err = tokens.ForFamily(q.Family); err != nil {
			return answer{}, &lineError{err.Error()}
		}
	case q.Model != "":
		e = tokens.For(q.Model)
	default:
		return answer{}, &lineError{`got neither "model" nor "family"`}
	}
	if q.ID == nil {
		q.ID = json.RawMessage(strconv.Itoa(n))
	}
	est := e.Estimate(*q.Text)
	return answer{q.ID, est.Likely, est.Low, est.High, e.Family()}, nil
}

var errLong = fmt.Errorf("got more than %d MB, want less", maxLine>>20)

// readLine returns the next line without its end; a line too long is skipped.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil && (err != io.EOF || len(line) == 0):
			return nil, err
		case len(line) > maxLine:
			return nil, errLong
		}
		for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
			line = line[:len(line)-1]
		}
		return line, nil
	}
}
