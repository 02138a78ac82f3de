package llmaastest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// What prompts make the fake do when Backend.Triggers is set. Clients in any
// language can ask for a fault so, without a script.
var faultTrigger = regexp.MustCompile(`fault:(\d{3}):([\w-]+)`)

const (
	slowTrigger = "slow-stream"
	slowChunks  = 200
	slowDelay   = 50 * time.Millisecond
)

// triggered plays what a prompt asks for, and reports whether that was all. A
// fault with a number of its own comes once.
func (b *Backend) triggered(c *call, req *chatRequest) bool {
	if !b.Triggers {
		return false
	}
	prompt, _ := req.last("user")
	if strings.Contains(prompt, slowTrigger) {
		c.reply.Text = strings.Repeat("slow ", slowChunks-1) + "end"
		c.every = slowDelay
	}
	m := faultTrigger.FindStringSubmatch(prompt)
	if m == nil {
		return false
	}
	b.mu.Lock()
	again := b.faults[m[0]]
	if b.faults == nil {
		b.faults = make(map[string]bool)
	}
	b.faults[m[0]] = true
	b.mu.Unlock()
	if again {
		return false
	}
	status := http.StatusInternalServerError
	switch m[1] {
	case "429":
		status = http.StatusTooManyRequests
		c.w.Header().Set("Retry-After", "1")
	case "503":
		status = http.StatusServiceUnavailable
	}
	kind, code := errorWords(status)
	c.fail(status, kind, code, "A fault that the prompt asked for.")
	return true
}
