package llmaas

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// maxUpload is the largest file that is sent, in bytes.
const maxUpload = 256 << 20

// Transcription is the answer to [Client.Transcribe].
type Transcription struct {
	openai.AudioResponse
	Result
}

// Transcribe writes down a recording. [Call.Extra] takes what go-openai's request
// lacks, such as "task": "translate". Each started minute is billed; when the
// service does not say how long the recording is, the end of its last segment counts.
func (c *Client) Transcribe(ctx context.Context, req openai.AudioRequest) (*Transcription, error) {
	fields := map[string]string{
		"model": req.Model, "language": req.Language, "initial_prompt": req.Prompt,
		"response_format": cmp.Or(string(req.Format), string(openai.AudioResponseFormatJSON)),
	}
	if req.Temperature != 0 {
		fields["temperature"] = fmt.Sprint(req.Temperature)
	}
	for name, value := range callFrom(ctx).Extra {
		fields[name] = fmt.Sprint(value)
	}
	file, closeFile, err := audioFile(req)
	if err != nil {
		return nil, &Error{Op: "transcribe", Kind: ErrInvalidRequest, cause: err}
	}
	defer closeFile()
	contentType, body, err := form(fields, cmp.Or(filepath.Base(req.FilePath), "audio"), file)
	if err != nil {
		return nil, &Error{Op: "transcribe", Kind: ErrInvalidRequest, cause: err}
	}
	x := exchange{
		op: "transcribe", method: http.MethodPost, path: "/audio/transcriptions", model: req.Model, judged: []string{req.Prompt},
		contentType: contentType, body: body,
	}
	resp := new(Transcription)
	if err := c.do(ctx, x, &resp.AudioResponse, &resp.Result); err != nil {
		return nil, err
	}
	if resp.Billed.Audio == 0 {
		seconds := resp.Duration
		if n := len(resp.Segments); seconds == 0 && n > 0 {
			seconds = resp.Segments[n-1].End
		}
		if seconds > 0 && seconds < 1e6 {
			used := cost.Usage{Audio: time.Duration(seconds * float64(time.Second)), Estimated: resp.Duration == 0}
			c.bill(req.Model, used, &resp.Result)
		}
	}
	return resp, nil
}

func audioFile(req openai.AudioRequest) (io.Reader, func(), error) {
	if req.Reader != nil {
		return req.Reader, func() {}, nil
	}
	f, err := os.Open(req.FilePath)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { _ = f.Close() }, nil
}

// form is a multipart body of the fields that are not empty and one file.
func form(fields map[string]string, name string, file io.Reader) (contentType string, body []byte, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for field, value := range fields {
		if value != "" {
			err = errors.Join(err, w.WriteField(field, value))
		}
	}
	part, err2 := w.CreateFormFile("file", name)
	if err = errors.Join(err, err2); err != nil {
		return "", nil, err
	}
	n, err := io.Copy(part, io.LimitReader(file, maxUpload+1))
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("read the file: %w", err)
	case n > maxUpload:
		return "", nil, fmt.Errorf("the file is longer than %d bytes", maxUpload)
	}
	err = w.Close()
	return w.FormDataContentType(), b.Bytes(), err
}

// Speech is the answer to [Client.Speak].
type Speech struct {
	Audio       []byte
	ContentType string
	Result
}

// Speak reads a text aloud. The service publishes no price for it: the bill is
// empty.
func (c *Client) Speak(ctx context.Context, req openai.CreateSpeechRequest) (*Speech, error) {
	body, err := encode(req, callFrom(ctx).Extra)
	if err != nil {
		return nil, &Error{Op: "speak", Kind: ErrInvalidRequest, cause: err}
	}
	x := exchange{op: "speak", method: http.MethodPost, path: "/audio/speech", model: string(req.Model), contentType: "application/json", body: body}
	speech := new(Speech)
	err = c.doWith(ctx, x, &speech.Result, func(resp *http.Response) (cost.Usage, error) {
		speech.ContentType = resp.Header.Get("Content-Type")
		speech.Audio, err = readAll(resp)
		if err == nil && strings.HasPrefix(speech.ContentType, "application/json") {
			err = hiddenError(speech.Audio, resp.StatusCode)
		}
		return cost.Usage{}, err
	})
	if err != nil {
		return nil, err
	}
	return speech, nil
}
