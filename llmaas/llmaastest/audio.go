package llmaastest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// secondsPerKilobyte is how long the fake takes a recording to be: that of
// 16 kbit/s.
const secondsPerKilobyte = 0.5

// serveTranscription says how long the recording is in place of what is in it.
func (b *Backend) serveTranscription(c *call) {
	fields, file, ok := c.form()
	if !ok || len(file.data) == 0 {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "file must be a part of a multipart/form-data body.")
		return
	}
	if f := fields["response_format"]; f != "" && f != "json" {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "response_format must be json.")
		return
	}
	if _, ok := b.serves(c, fields["model"]); !ok {
		return
	}
	seconds := float64(len(file.data)) / 1000 * secondsPerKilobyte
	text := c.reply.Text
	if text == "" {
		text = "A recording."
	}
	language := fields["language"]
	if language == "" {
		language = "en"
	}
	c.send(http.StatusOK, map[string]any{
		"text": text, "language": language, "duration": seconds,
		"segments": []any{map[string]any{
			"id": 0, "seek": 0, "start": 0, "end": seconds, "text": text, "tokens": []int{},
			"temperature": 0, "avg_logprob": 0, "compression_ratio": 1, "no_speech_prob": 0,
		}},
		"usage": map[string]any{"type": "duration", "seconds": seconds},
	})
}

// upload is a file in a multipart body.
type upload struct {
	name string
	data []byte
}

// form reads the fields of a multipart body, and its file.
func (c *call) form() (fields map[string]string, file upload, ok bool) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, upload{}, false
	}
	fields = make(map[string]string)
	for r := multipart.NewReader(bytes.NewReader(c.Body), params["boundary"]); ; {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, file, true
		}
		if err != nil {
			return nil, upload{}, false
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, upload{}, false
		}
		if name := part.FileName(); name != "" {
			file = upload{name, data}
			continue
		}
		fields[part.FormName()] = string(data)
	}
}

// silence is the shortest WAV file: a header and no sample.
var silence = []byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00")

func (b *Backend) serveSpeech(c *call) {
	var req struct {
		Model string `json:"model"`
		Input string `json:"input"`
	}
	if !c.decode(&req) {
		return
	}
	if req.Input == "" {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "input must not be empty.")
		return
	}
	if _, ok := b.serves(c, req.Model); !ok {
		return
	}
	c.w.Header().Set("Content-Type", "audio/wav")
	_, _ = c.w.Write(silence) // the caller went away: nobody to tell
}
