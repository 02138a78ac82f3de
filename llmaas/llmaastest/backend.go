package llmaastest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBody is the largest request body that the fake reads, in bytes: more than the
// largest file of a batch.
const maxBody = 128 << 20

// Backend is the fake service as an [http.Handler]. The zero value is ready;
// set the fields before the first request. It is safe for concurrent use, and
// works inside a testing/synctest bubble.
type Backend struct {
	// Keys are the bearer tokens that it accepts. None means any but the empty one.
	Keys []string

	// Models are what it serves. Nil means what the catalogue has in production.
	Models []Model

	// Machines are the names that answer in turn. Nil means gpu-01 to gpu-12.
	Machines []string

	// TTFT is how long it waits before the first token of an answer.
	TTFT time.Duration

	// TokenDelay is how long it waits before each further token of a stream.
	TokenDelay time.Duration

	// Triggers lets prompts ask for faults. Nil means that they cannot.
	Triggers *Triggers

	// Now is the clock for time stamps and for the catalogue. Nil means time.Now.
	Now func() time.Time

	setup  sync.Once
	models []Model

	mu           sync.Mutex // guards what follows
	serial       int
	scripts      []Reply
	journal      []*Request
	journalBytes int // of the bodies in it
	files        map[string]*storedFile
	fileSerial   int
	batches      []*batch
	disconnected int
}

func (b *Backend) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}

// call is one request on its way through the fake.
type call struct {
	*Request
	w       http.ResponseWriter
	r       *http.Request
	serial  int
	machine string
	reply   Reply         // the scripted reply, if any
	ttft    time.Duration // before the first token of this answer
	every   time.Duration // between its tokens
	left    bool          // the caller went away before the answer was whole
}

// ServeHTTP answers as the service does. Paths may begin with /v1 or not.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.setup.Do(func() { b.models = b.Models; b.defaults() })
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	c := b.begin(w, r, body)
	w.Header().Set("id", fmt.Sprintf("req-%08d", c.serial))
	switch {
	case err != nil:
		c.fail(http.StatusRequestEntityTooLarge, "invalid_request_error", "", "The request body could not be read.")
	case !b.authorized(r):
		c.fail(http.StatusUnauthorized, "authentication_error", "invalid_api_key", "Invalid or missing API key.")
	case c.scripted():
	default:
		b.route(c)
	}
	if c.left {
		b.mu.Lock()
		c.Disconnected = true
		b.disconnected++
		b.mu.Unlock()
	}
}

// begin gives the request a number and a machine, writes it down, and takes the
// scripted reply that it matches.
func (b *Backend) begin(w http.ResponseWriter, r *http.Request, body []byte) *call {
	c := &call{w: w, r: r, Request: newRequest(r, body, b.now())}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serial++
	c.serial = b.serial
	c.machine = fmt.Sprintf("gpu-%02d", (c.serial-1)%12+1)
	if len(b.Machines) > 0 {
		c.machine = b.Machines[(c.serial-1)%len(b.Machines)]
	}
	b.note(c.Request)
	c.reply = b.take(c.Request)
	c.ttft = cmp.Or(c.reply.TTFT, b.TTFT)
	c.every = cmp.Or(c.reply.TokenDelay, b.TokenDelay)
	return c
}

func (b *Backend) authorized(r *http.Request) bool {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || key == "" {
		return false
	}
	return len(b.Keys) == 0 || slices.Contains(b.Keys, key)
}

func (b *Backend) route(c *call) {
	c.w.Header().Set("X-RateLimit-Limit-Requests", "1000")
	c.w.Header().Set("X-RateLimit-Remaining-Requests", "999")
	c.w.Header().Set("X-RateLimit-Reset-Requests", fmt.Sprint(b.now().Add(time.Minute).Unix()))
	method, handle := http.MethodPost, map[string]func(*call){
		"/chat/completions":     b.serveChat,
		"/completions":          b.serveChat,
		"/embeddings":           b.serveEmbeddings,
		"/rerank":               b.serveRerank,
		"/v2/rerank":            b.serveRerank,
		"/audio/transcriptions": b.serveTranscription,
		"/audio/speech":         b.serveSpeech,
		"/images/generations":   b.serveImages,
	}[c.Path]
	switch {
	case c.Path == "/models" || strings.HasPrefix(c.Path, "/models/"):
		method, handle = http.MethodGet, b.serveModels
	case c.Path == "/files" || strings.HasPrefix(c.Path, "/files/"):
		method, handle = c.Method, b.serveFiles
	case c.Path == "/batches" || strings.HasPrefix(c.Path, "/batches/"):
		method, handle = c.Method, b.serveBatches
	}
	switch {
	case handle == nil:
		c.fail(http.StatusNotFound, "invalid_request_error", "", "Unknown endpoint.")
	case c.Method != method:
		c.fail(http.StatusMethodNotAllowed, "invalid_request_error", "", "This endpoint takes "+method+".")
	default:
		handle(c)
	}
}
