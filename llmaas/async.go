package llmaas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// The service's limits for a batch (its Batch API page, May 2026).
const (
	maxBatchBytes    = 100_000_000
	maxBatchRequests = 50_000
	maxCustomID      = 512 // bytes; the page names none, this one keeps lines sane
	batchWindow      = "24h"
)

// AsyncRequest is one line of a batch at the service.
type AsyncRequest struct {
	ID      string // yours, unique in the batch: results are joined by it
	Request openai.ChatCompletionRequest
}

// AsyncBatch is a batch that the service works off at half the price, within a
// day. Keep its ID: [Client.AsyncBatch] finds it again from another process. It is
// safe for concurrent use.
type AsyncBatch struct {
	ID string
	c  *Client
}

// BatchLines checks the requests and writes them as the file that the Batch API
// takes, one JSON line each. Errors name the request by its place.
func BatchLines(reqs []AsyncRequest) ([]byte, error) {
	if len(reqs) == 0 || len(reqs) > maxBatchRequests {
		return nil, fmt.Errorf("llmaas: batch: got %d requests, want 1 to %d", len(reqs), maxBatchRequests)
	}
	seen := make(map[string]int, len(reqs))
	var file bytes.Buffer
	for i, r := range reqs {
		if r.ID == "" || len(r.ID) > maxCustomID {
			return nil, fmt.Errorf("llmaas: batch: request %d: got an ID of %d bytes, want 1 to %d", i, len(r.ID), maxCustomID)
		}
		if first, twice := seen[r.ID]; twice {
			return nil, fmt.Errorf("llmaas: batch: request %d: its ID is that of request %d too", i, first)
		}
		seen[r.ID] = i
		r.Request.Stream, r.Request.StreamOptions = false, nil
		body, err := encodeChat(r.Request, nil)
		if err != nil {
			return nil, fmt.Errorf("llmaas: batch: request %d: %w", i, err)
		}
		line, err := json.Marshal(struct {
			CustomID string          `json:"custom_id"`
			Method   string          `json:"method"`
			URL      string          `json:"url"`
			Body     json.RawMessage `json:"body"`
		}{r.ID, http.MethodPost, "/v1/chat/completions", body})
		if err != nil {
			return nil, fmt.Errorf("llmaas: batch: request %d: %w", i, err)
		}
		file.Write(append(line, '\n'))
		if file.Len() > maxBatchBytes {
			return nil, fmt.Errorf("llmaas: batch: request %d takes the file beyond %d bytes", i, maxBatchBytes)
		}
	}
	return file.Bytes(), nil
}

// SubmitBatch checks the requests, has the guard judge what is new in each, and
// hands them to the service. One that the guard refuses refuses them all: nothing
// is sent, and the error names its place. [Limits] and [Config.Budget] do not count
// it: what it costs is known with the results. After a failure that leaves open
// whether the service took the batch it is not submitted again, for it would be
// paid twice.
func (c *Client) SubmitBatch(ctx context.Context, reqs []AsyncRequest) (*AsyncBatch, error) {
	lines, err := BatchLines(reqs)
	if err != nil {
		return nil, &Error{Op: "batch", Kind: ErrInvalidRequest, cause: err}
	}
	for i, r := range reqs {
		var result Result
		if err := errors.Join(c.advise(ctx, r.Request.Model, c.now(), &result), c.judge(ctx, r.Request.Messages, &result)); err != nil {
			refused := errorOf(err)
			refused.Op, refused.cause = "batch", fmt.Errorf("request %d", i)
			return nil, refused
		}
	}
	contentType, body, err := form(map[string]string{"purpose": "batch"}, "batch.jsonl", bytes.NewReader(lines))
	if err != nil {
		return nil, &Error{Op: "batch", Kind: ErrInvalidRequest, cause: err}
	}
	var file struct {
		ID string `json:"id"`
	}
	var result Result
	upload := exchange{op: "upload", method: http.MethodPost, path: "/files", contentType: contentType, body: body}
	if err := c.do(ctx, upload, &file, &result); err != nil {
		return nil, err
	}
	body, err = json.Marshal(openai.CreateBatchRequest{InputFileID: file.ID, Endpoint: openai.BatchEndpointChatCompletions, CompletionWindow: batchWindow})
	if err != nil {
		return nil, &Error{Op: "batch", Kind: ErrInvalidRequest, cause: err}
	}
	var made openai.Batch
	create := exchange{op: "batch", method: http.MethodPost, path: "/batches", contentType: "application/json", body: body, once: true}
	if err := c.do(ctx, create, &made, &result); err != nil {
		return nil, err
	}
	if made.ID == "" {
		return nil, &Error{Op: "batch", Kind: ErrProtocol, cause: errors.New("a batch without an id")}
	}
	return c.AsyncBatch(made.ID), nil
}

// AsyncBatch is the batch with the id, which need not be of this process.
func (c *Client) AsyncBatch(id string) *AsyncBatch { return &AsyncBatch{ID: id, c: c} }

func (b *AsyncBatch) path() string { return "/batches/" + url.PathEscape(b.ID) }

// Status asks how far the batch is: validating, in_progress, finalizing,
// completed, failed, cancelling, cancelled or expired.
func (b *AsyncBatch) Status(ctx context.Context) (*openai.Batch, error) {
	return b.ask(ctx, http.MethodGet, b.path())
}

// Cancel asks the service to stop. What was answered by then is billed, and can
// be had with [AsyncBatch.Results].
func (b *AsyncBatch) Cancel(ctx context.Context) (*openai.Batch, error) {
	return b.ask(ctx, http.MethodPost, b.path()+"/cancel")
}

func (b *AsyncBatch) ask(ctx context.Context, method, path string) (*openai.Batch, error) {
	state := new(openai.Batch)
	var result Result
	if err := b.c.do(ctx, exchange{op: "batch", method: method, path: path}, state, &result); err != nil {
		return nil, err
	}
	return state, nil
}

const (
	firstPoll = 2 * time.Second
	maxPoll   = time.Minute
)

// Wait asks again and again, ever more slowly up to once a minute, until the batch
// is over. A poll that fails for a reason that may pass is made again; give ctx a
// deadline.
func (b *AsyncBatch) Wait(ctx context.Context) (*openai.Batch, error) {
	for wait := firstPoll; ; wait = min(wait*3/2, maxPoll) {
		state, err := b.Status(ctx)
		switch {
		case err != nil && !mayFallBack(ctx, err), errors.Is(err, ErrModelNotFound):
			return nil, err
		case err == nil && batchOver(state.Status):
			return state, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, errorOf(err).fill(&facts{op: "batch"})
		}
	}
}

func batchOver(status string) bool {
	switch status {
	case "completed", "failed", "cancelled", "expired":
		return true
	}
	return false
}

// Results fetches what a batch that is over has answered, by the IDs of its
// requests, each with its own error or its bill at the price of batches. What is
// not in the map was not answered.
func (b *AsyncBatch) Results(ctx context.Context) (map[string]BatchItem, error) {
	state, err := b.Status(ctx)
	if err != nil {
		return nil, err
	}
	if !batchOver(state.Status) {
		return nil, &Error{Op: "batch", Kind: ErrInvalidRequest, cause: errors.New("the batch is not over")}
	}
	items := make(map[string]BatchItem)
	for _, file := range []*string{state.OutputFileID, state.ErrorFileID} {
		if file == nil || *file == "" {
			continue
		}
		if err := b.fetch(ctx, *file, items); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (b *AsyncBatch) fetch(ctx context.Context, file string, items map[string]BatchItem) error {
	var data []byte
	var result Result
	x := exchange{op: "batch", method: http.MethodGet, path: "/files/" + url.PathEscape(file) + "/content"}
	err := b.c.doWith(ctx, x, &result, func(resp *http.Response) (_ cost.Usage, err error) {
		data, err = readAll(resp)
		return cost.Usage{}, err
	})
	if err != nil {
		return err
	}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		id, item, err := b.c.lineOf(line)
		if err != nil {
			return &Error{Op: "batch", Kind: ErrProtocol, cause: fmt.Errorf("line %d of the results: %w", n, err)}
		}
		items[id] = item
	}
	return nil
}

// lineOf reads one line of the results.
func (c *Client) lineOf(line []byte) (string, BatchItem, error) {
	var wire struct {
		CustomID string `json:"custom_id"`
		Response *struct {
			Status    int             `json:"status_code"`
			RequestID string          `json:"request_id"`
			Body      json.RawMessage `json:"body"`
		} `json:"response"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(line, &wire); err != nil {
		return "", BatchItem{}, decodeError(err, len(line))
	}
	if wire.CustomID == "" {
		return "", BatchItem{}, errors.New("it has no custom_id")
	}
	fail := func(e *Error) (string, BatchItem, error) {
		e.Op = "batch"
		return wire.CustomID, BatchItem{Err: e}, nil
	}
	switch r := wire.Response; {
	case isError(wire.Error):
		return fail(hiddenError(line, http.StatusOK))
	case r == nil:
		return fail(&Error{Kind: ErrProtocol, cause: errors.New("neither a response nor an error")})
	case r.Status < 200 || r.Status > 299:
		e := hiddenError(r.Body, r.Status)
		e.RequestID = r.RequestID
		return fail(e)
	}
	resp := new(Response)
	sent, err := resp.read(wire.Response.Body, wire.Response.Status)
	if err != nil {
		return fail(errorOf(err))
	}
	resp.RequestID, resp.Result.Model = wire.Response.RequestID, resp.ChatCompletionResponse.Model
	// Without a usage there is an estimate of the answer alone: the prompt is not here.
	used := sent.used(func() cost.Usage { return cost.Usage{Output: likely(resp.Result.Model, resp.received())} })
	used.Batch = true
	c.bill(resp.Result.Model, used, &resp.Result)
	if err := c.cleanChoices(resp); err != nil {
		return fail(errorOf(err))
	}
	resp.Reasoning = resp.Choices[0].Message.ReasoningContent
	return wire.CustomID, BatchItem{Response: resp}, nil
}
