package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
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

// upload reads a file. It may be the requests of a batch, one a line, whatever
// its purpose says: they are judged now, for nobody sees them later.
func (a *ask) upload(contentType string) error {
	return a.parts(contentType, func(part *multipart.Part) error {
		content, err := io.ReadAll(part)
		if err != nil {
			return badBody("the multipart body is not whole")
		}
		for line := range bytes.Lines(content) {
			if line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff"))); len(line) == 0 || line[0] != '{' || validJSON(line) != nil {
				continue // no request: a machine that runs a batch refuses it
			}
			if err := members(line, []string{"body"}, a.batched); err != nil {
				return err
			}
		}
		return nil
	})
}

// batched reads one request of a batch.
func (a *ask) batched(name string, value []byte, _ span) error {
	if name != "body" || value[0] != '{' {
		return nil
	}
	one := ask{raw: value, choices: 1}
	if err := one.chat(); err != nil && !errors.Is(err, errNoMessages) {
		return err
	}
	a.others = append(append(a.others, one.prompts...), one.others...)
	a.models = append(a.models, one.model)
	return nil
}
