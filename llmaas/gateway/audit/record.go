package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Record is one access. Empty fields are left out on disk.
type Record struct {
	Time      time.Time `json:"time"`
	Tenant    string    `json:"tenant,omitempty"`
	KeyID     string    `json:"key_id,omitempty"` // of the API key, never the key
	Session   string    `json:"session,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Endpoint  string    `json:"endpoint,omitempty"`
	Model     string    `json:"model,omitempty"`
	Backend   string    `json:"backend,omitempty"`
	Stream    bool      `json:"stream,omitempty"`
	Status    int       `json:"status,omitempty"` // HTTP

	Steps []Step `json:"steps,omitempty"` // in the order in which they were taken

	Input     int64 `json:"input,omitempty"`     // tokens
	Output    int64 `json:"output,omitempty"`    // tokens, reasoning included
	Reasoning int64 `json:"reasoning,omitempty"` // tokens
	Cost      int64 `json:"cost,omitempty"`      // nano-euro
	Estimated bool  `json:"estimated,omitempty"` // the counts are estimates

	Duration time.Duration `json:"duration,omitempty"` // nanoseconds
	TTFT     time.Duration `json:"ttft,omitempty"`     // nanoseconds to the first token

	Objects []Object `json:"objects,omitempty"` // files and batches that it created, settled or deleted

	PromptDigest string `json:"prompt_sha256,omitempty"` // see [Digest]
	AnswerDigest string `json:"answer_sha256,omitempty"`
	Prompt       string `json:"prompt,omitempty"` // only where the tenant asked for it
	Answer       string `json:"answer,omitempty"`
	Cut          bool   `json:"cut,omitempty"` // set by the log: a text was longer than 2 MiB, or a name than 1 KiB

	// Note is set by the log itself: what it has to say about itself.
	Note *Note `json:"note,omitempty"`
}

// Bounds of what callers write into a record, in bytes.
const (
	maxText = 2 << 20
	maxName = 1 << 10
)

// bound cuts what is longer than its bound: no caller can make a record that is
// too long to be written. The digests tell what was cut.
func (r *Record) bound() {
	for _, name := range []*string{&r.Tenant, &r.KeyID, &r.Session, &r.RequestID, &r.Endpoint, &r.Model, &r.Backend} {
		r.cut(name, maxName)
	}
	r.cut(&r.Prompt, maxText)
	r.cut(&r.Answer, maxText)
}

func (r *Record) cut(s *string, most int) {
	if len(*s) > most {
		*s, r.Cut = (*s)[:most], true
	}
}

// Step is a decision on the way of a request.
type Step struct {
	Name     string   `json:"name"`     // "access", "limit", "lifecycle", "guard", "backend"
	Decision string   `json:"decision"` // "allow", "flag", "refuse", …
	Rules    []string `json:"rules,omitempty"`
}

// Object is what became of a file or batch in a request. Whose it is, and on
// which machine it lies, stands in the record.
type Object struct {
	Event string `json:"event"` // "created", "settled" (a batch is over and billed) or "deleted"
	ID    string `json:"id"`

	// Of a file of requests, and of a batch of them: what they can use at worst.
	Requests int64 `json:"requests,omitempty"`
	Input    int64 `json:"input,omitempty"`  // tokens
	Output   int64 `json:"output,omitempty"` // tokens

	Models   []string `json:"models,omitempty"`   // that the requests ask for
	Endpoint string   `json:"endpoint,omitempty"` // that they go to, below /v1
	Results  []string `json:"results,omitempty"`  // files that a batch has written
	Backend  string   `json:"backend,omitempty"`  // where it lies, if the record names another machine
}

// Note is what a log records about itself.
type Note struct {
	Kind string `json:"kind"` // "recovered", "lost" or "pruned"

	// Bytes were dropped from the end after a crash ("recovered").
	Bytes int64 `json:"bytes,omitempty"`
	// Records could not be written ("lost") or were removed ("pruned").
	Records int64 `json:"records,omitempty"`
	// From and To are the numbers of the removed records, Prev and Last the
	// hashes that the chain had before and at their end ("pruned").
	From uint64 `json:"from,omitempty"`
	To   uint64 `json:"to,omitempty"`
	Prev string `json:"prev,omitempty"`
	Last string `json:"last,omitempty"`
}

// Digest is the SHA-256 of a text in hex, for the digests of a [Record].
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
