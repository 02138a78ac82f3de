package llmaastest

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Triggers let prompts ask for faults, so that clients in any language get them
// without a script: "fault:429:NONCE" (also 500 and 503) fails once for each
// nonce, "slow-stream" streams for ten seconds. Backends that stand for the
// machines of one service share one. The zero value is ready; it is safe for
// concurrent use.
type Triggers struct {
	mu   sync.Mutex
	seen map[string]bool // faults that have come; at most maxFaults
}

const (
	slowTrigger = "slow-stream"
	slowChunks  = 200
	slowDelay   = 50 * time.Millisecond
	maxFaults   = 100_000
)

var faultTrigger = regexp.MustCompile(`fault:(429|500|503):([\w-]{1,64})`)

// fault is the status that a prompt asks for, 0 for none or none any more.
func (t *Triggers) fault(prompt string) int {
	m := faultTrigger.FindStringSubmatch(prompt)
	if m == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[m[0]] || len(t.seen) >= maxFaults {
		return 0
	}
	if t.seen == nil {
		t.seen = make(map[string]bool)
	}
	t.seen[m[0]] = true
	switch m[1] {
	case "429":
		return http.StatusTooManyRequests
	case "503":
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// triggered plays what a prompt asks for, and reports whether that was all.
func (b *Backend) triggered(c *call, req *chatRequest) bool {
	if b.Triggers == nil {
		return false
	}
	prompt, _ := last(req.conversations()[0], "user")
	if strings.Contains(prompt, slowTrigger) {
		c.reply.Text = strings.Repeat("slow ", slowChunks-1) + "end"
		c.every = slowDelay
	}
	status := b.Triggers.fault(prompt)
	if status == 0 {
		return false
	}
	if status == http.StatusTooManyRequests {
		c.w.Header().Set("Retry-After", "1")
	}
	kind, code := errorWords(status)
	c.fail(status, kind, code, "A fault that the prompt asked for.")
	return true
}
