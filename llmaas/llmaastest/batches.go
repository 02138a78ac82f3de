package llmaastest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The service's limits for batches (API page, 2026).
const (
	maxBatchLines = 50_000
	maxBatches    = 10 // under way at once
)

// batch moves on by one state each time it is asked for.
type batch struct {
	ID         string      `json:"id"`
	Object     string      `json:"object"`
	Endpoint   string      `json:"endpoint"`
	Status     string      `json:"status"`
	InputFile  string      `json:"input_file_id"`
	OutputFile *string     `json:"output_file_id"`
	ErrorFile  *string     `json:"error_file_id"`
	Window     string      `json:"completion_window"`
	Created    int64       `json:"created_at"`
	Counts     batchCounts `json:"request_counts"`

	Metadata json.RawMessage `json:"metadata,omitempty"` // the caller's own

	input [][]byte // until it is worked off
}

type batchCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// states are those of a batch that ends well, in order.
var states = []string{"validating", "in_progress", "finalizing", "completed"}

func (s *batch) over() bool {
	return s.Status == "completed" || s.Status == "cancelled" || s.Status == "failed"
}

func (b *Backend) serveBatches(c *call) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.Path, "/batches"), "/"), "/")
	switch way := c.Method + " " + rest; {
	case id == "" && way == "POST ":
		b.createBatch(c)
	case id == "" && way == "GET ":
		b.mu.Lock()
		all := slices.Clone(b.batches)
		b.mu.Unlock()
		list := make([]batch, len(all))
		for i, one := range all {
			list[i] = *one
		}
		c.send(http.StatusOK, map[string]any{"object": "list", "data": list, "has_more": false})
	case id != "" && (way == "GET " || way == "POST cancel"):
		b.moveBatch(c, id, rest != "")
	default:
		c.fail(http.StatusMethodNotAllowed, "invalid_request_error", "", "This endpoint does not take the method.")
	}
}

func (b *Backend) createBatch(c *call) {
	var req struct {
		Input    string `json:"input_file_id"`
		Endpoint string `json:"endpoint"`
		Window   string `json:"completion_window"`

		Metadata json.RawMessage `json:"metadata"`
	}
	if !c.decode(&req) {
		return
	}
	b.mu.Lock()
	file := b.files[req.Input]
	under := 0
	for _, s := range b.batches {
		if !s.over() {
			under++
		}
	}
	b.mu.Unlock()
	switch {
	case file == nil:
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "input_file_id names no file.")
		return
	case req.Window != "24h":
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "completion_window must be 24h.")
		return
	case under >= maxBatches:
		c.fail(http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded", "Ten batches are under way.")
		return
	}
	lines := linesOf(file.data)
	b.mu.Lock()
	s := &batch{
		ID: fmt.Sprintf("batch-%04d", len(b.batches)+1), Object: "batch", Endpoint: req.Endpoint, Status: states[0],
		InputFile: req.Input, Window: req.Window, Created: b.now().Unix(), Counts: batchCounts{Total: len(lines)},
		Metadata: req.Metadata, input: lines,
	}
	if len(lines) == 0 || len(lines) > maxBatchLines {
		s.Status = "failed"
	}
	b.batches = append(b.batches, s)
	shown := *s
	b.mu.Unlock()
	c.send(http.StatusOK, shown)
}

// moveBatch shows a batch, one state further than the last time.
func (b *Backend) moveBatch(c *call, id string, cancel bool) {
	b.mu.Lock()
	i := slices.IndexFunc(b.batches, func(s *batch) bool { return s.ID == id })
	if i < 0 {
		b.mu.Unlock()
		c.fail(http.StatusNotFound, "invalid_request_error", "", "There is no such batch.")
		return
	}
	s := b.batches[i]
	var input [][]byte
	switch {
	case s.over():
	case cancel:
		s.Status = "cancelled"
	case s.Status == "finalizing":
		input, s.input = s.input, nil
	default:
		s.Status = states[slices.Index(states, s.Status)+1]
	}
	b.mu.Unlock()
	if input != nil {
		b.finishBatch(c, s, input)
	}
	b.mu.Lock()
	shown := *s
	b.mu.Unlock()
	c.send(http.StatusOK, shown)
}

// finishBatch answers every line. The results stand in the reverse order: callers
// must go by custom_id.
func (b *Backend) finishBatch(c *call, s *batch, input [][]byte) {
	var results [][]byte
	counts := batchCounts{Total: len(input)}
	for _, line := range input {
		result, good := b.batchLine(c, line)
		if good {
			counts.Completed++
		} else {
			counts.Failed++
		}
		results = append(results, result)
	}
	slices.Reverse(results)
	out := b.store("batch_output", s.ID+".jsonl", append(bytes.Join(results, []byte("\n")), '\n'))
	b.mu.Lock()
	defer b.mu.Unlock()
	if !s.over() { // it may have been canceled meanwhile
		s.Status, s.OutputFile, s.Counts = "completed", &out.ID, counts
	}
}

// linesOf are the lines that are not blank.
func linesOf(data []byte) [][]byte {
	var all [][]byte
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			all = append(all, line)
		}
	}
	return all
}

// batchLine sends one line through the fake as a request of its own.
func (b *Backend) batchLine(c *call, line []byte) (result []byte, good bool) {
	var req struct {
		ID     string          `json:"custom_id"`
		Method string          `json:"method"`
		URL    string          `json:"url"`
		Body   json.RawMessage `json:"body"`
	}
	_ = json.Unmarshal(line, &req) // a line that is none asks for nothing, which is an error below
	inner, err := http.NewRequestWithContext(c.r.Context(), req.Method, "http://fake"+req.URL, bytes.NewReader(req.Body))
	type failure struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	type response struct {
		Status    int             `json:"status_code"`
		RequestID string          `json:"request_id"`
		Body      json.RawMessage `json:"body"`
	}
	type row struct {
		ID       string    `json:"id"`
		CustomID string    `json:"custom_id"`
		Response *response `json:"response"`
		Error    *failure  `json:"error"`
	}
	out := row{ID: "batch_req-" + req.ID, CustomID: req.ID}
	if err != nil || len(req.Body) == 0 || req.ID == "" {
		out.Error = &failure{"invalid_request", "The line is no request."}
	} else {
		inner.Header.Set("Authorization", c.Header.Get("Authorization"))
		w := &memory{header: http.Header{}, status: http.StatusOK}
		b.ServeHTTP(w, inner)
		body := bytes.TrimSpace(w.body.Bytes())
		if !json.Valid(body) {
			body = []byte("null")
		}
		out.Response = &response{w.status, w.header.Get("Id"), body}
	}
	data, err := json.Marshal(out)
	if err != nil {
		data = []byte(`{"error":{"code":"server_error"}}`) // plain values always marshal
	}
	return data, out.Error == nil && out.Response.Status == http.StatusOK
}

// memory is a ResponseWriter that keeps what is written.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header         { return m.header }
func (m *memory) WriteHeader(status int)      { m.status = status }
func (m *memory) Write(p []byte) (int, error) { return m.body.Write(p) }
