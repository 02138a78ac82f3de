package console

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// patience is how long one event may take to be written: a page that reads no
// more must not hold its stream.
const patience = 10 * time.Second

// events streams what the sources say, each as an event of its own and only
// when it has changed (server-sent events, HTML Living Standard §9.2).
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many pages are watched", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{
		w: w, control: http.NewResponseController(w), last: make(map[string]string),
		beat: ": " + strconv.FormatInt(c.o.Every.Milliseconds(), 10) + "\n\n",
	}
	ticker := time.NewTicker(c.o.Every)
	defer ticker.Stop()
	for s.look(c.sources) == nil {
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-c.o.Done:
			return
		}
		if !c.o.Allow(r) {
			return // the key was revoked meanwhile
		}
	}
}

// stream is one page that is watched.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    map[string]string // what was sent of each source
	beat    string            // a comment: when to expect the next
}

// look sends what has changed, or a comment that shows that the gateway lives.
func (s *stream) look(sources []source) error {
	out := []byte(s.beat)
	for _, source := range sources {
		data, err := json.Marshal(source.get())
		if err != nil || s.last[source.name] == string(data) {
			continue // what does not marshal is shown as it was
		}
		s.last[source.name] = string(data)
		// JSON has no line breaks outside of its strings, and none unescaped in them.
		out = append(append(append(out, "event: "+source.name+"\ndata: "...), data...), "\n\n"...)
	}
	// A writer without deadlines, as in tests, still writes.
	_ = s.control.SetWriteDeadline(time.Now().Add(patience))
	if _, err := s.w.Write(out); err != nil {
		return err
	}
	return s.control.Flush()
}
