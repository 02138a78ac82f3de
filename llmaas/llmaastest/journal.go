package llmaastest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Request is one request that the fake received, for assertions.
type Request struct {
	Method       string
	Path         string // without /v1
	Header       http.Header
	Body         []byte
	Model        string    // the model that the body names, if it is JSON
	Received     time.Time // by Backend.Now
	Disconnected bool      // the caller went away before the answer was whole
}

func newRequest(r *http.Request, body []byte, now time.Time) *Request {
	var named struct {
		Model string `json:"model"`
	}
	_ = json.Unmarshal(body, &named) // a body that is no JSON names no model
	return &Request{
		Method:   r.Method,
		Path:     strings.TrimPrefix(r.URL.Path, "/v1"),
		Header:   r.Header.Clone(),
		Body:     body,
		Model:    named.Model,
		Received: now,
	}
}

// The last requests are kept, within these bounds.
const (
	maxJournal      = 10_000
	maxJournalBytes = 256 << 20 // of bodies
)

// note writes a request down. The mutex is held.
func (b *Backend) note(r *Request) {
	for len(b.journal) >= maxJournal || len(b.journal) > 0 && b.journalBytes+len(r.Body) > maxJournalBytes {
		old := (len(b.journal) + 9) / 10
		for _, gone := range b.journal[:old] {
			b.journalBytes -= len(gone.Body)
		}
		b.journal = slices.Delete(b.journal, 0, old)
	}
	b.journal = append(b.journal, r)
	b.journalBytes += len(r.Body)
}

// Requests returns copies of the requests received so far, in order; of more than
// 10,000, or 256 MiB of bodies, the last ones.
func (b *Backend) Requests() []Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Request, len(b.journal))
	for i, r := range b.journal {
		all[i] = *r
	}
	return all
}

// Stats counts what the fake has seen.
type Stats struct {
	Requests     int `json:"requests"`
	Disconnected int `json:"cancelled"` // callers that went away before the answer was whole
}

// Stats returns the counts so far.
func (b *Backend) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{b.serial, b.disconnected}
}
