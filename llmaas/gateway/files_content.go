package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// content passes a file on as it comes. One that breaks off is cut off here too,
// so that nobody takes it for whole.
func (x *exchange) content() error {
	x.status = x.resp.StatusCode
	x.w.WriteHeader(x.status)
	to := &patientWriter{x.w, http.NewResponseController(x.w)}
	var err error
	if x.filing.on.results && x.g.Output != nil {
		err = x.scanResults(to)
	} else {
		// Only the machine's own errors are told apart from those of the writer.
		_, err = io.CopyBuffer(to, struct{ io.Reader }{x.resp.Body}, make([]byte, 32<<10))
	}
	switch {
	case err == nil, errors.Is(err, errGone):
		return err
	}
	x.failure = failureOf(x.goneOr(errBrokenOff))
	panic(http.ErrAbortHandler)
}

// patientWriter gives every write its time. What it cannot write is errGone.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) Write(b []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(patience)) // a writer without deadlines still writes
	n, err := w.ResponseWriter.Write(b)
	if err != nil {
		return n, errGone
	}
	return n, nil
}

// scanResults passes the results of a batch on line by line, each scanned as the
// answer that it is. One that must not go on becomes a result that failed: the
// others are the caller's, and paid for.
func (x *exchange) scanResults(to io.Writer) error {
	lines := bufio.NewScanner(x.resp.Body)
	lines.Buffer(nil, maxResult)
	lines.Split(wholeLines)
	for lines.Scan() {
		line := lines.Bytes()
		if !x.safe(line) {
			line = blocked(line)
		}
		if _, err := to.Write(line); err != nil {
			return err
		}
	}
	return lines.Err()
}

// wholeLines is bufio.ScanLines, but each line keeps its end: bytes pass through.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// safe scans one result. What is none is scanned as it stands.
func (x *exchange) safe(line []byte) bool {
	var result struct {
		Response struct {
			Body json.RawMessage `json:"body"`
		} `json:"response"`
	}
	s := speech{x: x}
	if json.Unmarshal(line, &result) == nil {
		(&replyReader{say: s.say}).read(result.Response.Body)
	} else {
		s.say(source{}, line)
	}
	return s.end() == nil
}

// blocked is a result that failed in place of one that is not safe.
func blocked(line []byte) []byte {
	type failure struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	var of struct {
		ID       json.RawMessage `json:"id,omitempty"`
		CustomID json.RawMessage `json:"custom_id,omitempty"`
		Response *struct{}       `json:"response"`
		Error    failure         `json:"error"`
	}
	_ = json.Unmarshal(line, &of) // what is no result has no names
	f := failureOf(errOutput)
	of.Response, of.Error = nil, failure{f.code, f.message}
	data, err := json.Marshal(of)
	if err != nil {
		return []byte("{}\n") // plain values always marshal
	}
	return append(data, '\n')
}
