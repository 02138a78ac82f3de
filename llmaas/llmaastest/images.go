package llmaastest

import (
	"encoding/json"
	"net/http"
)

// pixel is a PNG of one gray pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

func (b *Backend) serveImages(c *call) {
	var req struct {
		Model  string          `json:"model"`
		Prompt string          `json:"prompt"`
		N      json.RawMessage `json:"n"`
	}
	if !c.decode(&req) {
		return
	}
	n := 1
	if len(req.N) > 0 && json.Unmarshal(req.N, &n) != nil || n < 1 || n > 10 || req.Prompt == "" {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "prompt must not be empty, and n be from 1 to 10.")
		return
	}
	if _, ok := b.serves(c, req.Model); !ok {
		return
	}
	data := make([]map[string]string, n)
	for i := range data {
		data[i] = map[string]string{"b64_json": pixel}
	}
	c.send(http.StatusOK, map[string]any{"created": b.now().Unix(), "data": data})
}
