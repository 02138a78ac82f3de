package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/llmaas/llmaas-go/tokens"
)

// parts calls f with every part of a multipart body as it stands. One that says
// that it is encoded once more is refused: not all readers would decode it.
func (a *ask) parts(contentType string, f func(part *multipart.Part) error) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return badBody("want multipart/form-data")
	}
	for r := multipart.NewReader(bytes.NewReader(a.raw), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return badBody("the multipart body is not whole")
		}
		switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
		case "", "7bit", "8bit", "binary":
		default:
			return badBody("want parts without a transfer encoding")
		}
		if err := f(part); err != nil {
			return err
		}
	}
}

// form reads the model of a multipart body.
func (a *ask) form(contentType string) error {
	a.metered = true
	err := a.parts(contentType, func(part *multipart.Part) error {
		if part.FormName() != "model" {
			return nil
		}
		value, err := io.ReadAll(io.LimitReader(part, 257))
		if err != nil || len(value) > 256 || a.model != "" {
			return badBody("model: want one part of at most 256 bytes")
		}
		a.model = string(value)
		return nil
	})
	if err == nil && a.model == "" {
		err = badBody("model is missing")
	}
	return err
}

// work is the requests of a file, and the most that they can use.
type work struct {
	requests      int64
	input, output int64    // tokens
	models        []string // distinct; at most maxNames bytes together
	endpoint      string   // of all of them, below /v1
	problem       string   // why they cannot be run as a batch; "" if they can
}

// Bounds of a file whose requests may be run.
const (
	maxRequests = 50_000  // of a batch (the service's batch API, 2026)
	maxNames    = 1 << 10 // of models, in bytes
	maxField    = 256     // a longer part of a form is a file
	maxJudged   = 1 << 20 // of all requests together; each is judged by itself
)

// upload reads a file. It may be the requests of a batch, one a line, whatever
// its purpose says: they are judged now, for nobody sees them later. A line that
// is none is no fault of a file that is no batch, but keeps it from being one: a
// machine might read what the guard could not.
func (a *ask) upload(contentType string) error {
	err := a.parts(contentType, func(part *multipart.Part) error {
		content, err := io.ReadAll(part)
		if err != nil {
			return badBody("the multipart body is not whole")
		}
		if len(content) <= maxField && bytes.IndexByte(content, '{') < 0 {
			return nil // a field, such as the purpose
		}
		for line := range bytes.Lines(content) {
			if a.work.problem != "" {
				return nil // nobody runs it, nobody need judge the rest
			}
			if line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff"))); len(line) == 0 {
				continue
			}
			if line[0] != '{' || validJSON(line) != nil || bytes.IndexByte(line, '\r') >= 0 {
				a.work.refuse("want one JSON object on each line")
				continue
			}
			if err := a.request(line); err != nil {
				return err
			}
		}
		return nil
	})
	a.models = a.work.models
	if a.work.requests == 0 {
		a.work.refuse("want a file of requests")
	}
	return err
}

func (w *work) refuse(why string) {
	if w.problem == "" {
		w.problem = why
	}
}

// request reads one line of a batch.
func (a *ask) request(line []byte) error {
	var url string
	var body []byte
	err := members(line, []string{"body", "url"}, func(name string, value []byte, _ span) (err error) {
		switch {
		case name == "url":
			url, err = unquote(value)
		case name == "body" && value[0] == '{':
			body = value
		}
		return err
	})
	if err != nil {
		return err
	}
	w, to := &a.work, endpoint(url)
	switch {
	case !batched(to):
		w.refuse("url: want /v1/chat/completions, /v1/completions or /v1/embeddings")
	case w.endpoint != "" && w.endpoint != to: // some machines go by the batch's, some by the request's
		w.refuse("url: want the same one in all requests")
	case body == nil:
		w.refuse("want a body in each request")
	}
	w.endpoint = to
	if w.requests++; w.requests > maxRequests || len(a.others) > maxJudged {
		w.refuse("want fewer requests")
	}
	if body == nil {
		return nil
	}
	return a.body(body, to)
}

// body reads the body of one request of a batch.
func (a *ask) body(body []byte, to string) error {
	one := ask{raw: body, choices: 1}
	err := one.chat()
	if err != nil && !errors.Is(err, errNoMessages) {
		return err
	}
	w := &a.work
	w.use(one.model)
	if to == "/embeddings" { // no answer, and none who follows instructions; a token is a byte at least
		w.input += int64(len(body))
		return nil
	}
	if err != nil {
		w.refuse("want messages or a prompt in each request")
	}
	a.others = append(append(a.others, one.prompts...), one.others...)
	w.input += int64(tokens.For(one.model).EstimateMessages(one.messages, one.tools...).Total.High)
	w.output += one.maxTokens * one.choices
	return nil
}

// use adds to the distinct models.
func (w *work) use(model string) {
	if slices.Contains(w.models, model) {
		return
	}
	length := len(model)
	for _, have := range w.models {
		length += len(have)
	}
	if length > maxNames {
		w.refuse("want fewer different models")
		return
	}
	w.models = append(w.models, strings.Clone(model))
}
