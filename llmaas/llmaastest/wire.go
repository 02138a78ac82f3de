package llmaastest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// send writes v as the JSON reply.
func (c *call) send(status int, v any) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(v) // the caller went away: nobody to tell
}

type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   string `json:"param,omitempty"`
	Code    string `json:"code,omitempty"`
}

// fail writes an error in the service's words.
func (c *call) fail(status int, kind, code, message string) {
	c.send(status, errorBody{errorDetail{Message: message, Type: kind, Code: code}})
}

// decode reads the body into v; a body that does not fit is answered with a 400.
func (c *call) decode(v any) bool {
	if err := json.Unmarshal(c.Body, v); err != nil {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "The request body is not the JSON that this endpoint takes.")
		return false
	}
	return true
}

// serves reports whether the fake has the model, and answers 404 when it has not.
func (b *Backend) serves(c *call, id string) (Model, bool) {
	for _, m := range b.models {
		if m.ID == id || slices.Contains(m.Aliases, id) {
			return m, true
		}
	}
	c.send(http.StatusNotFound, errorBody{errorDetail{
		Message: "The requested model does not exist.",
		Type:    "invalid_request_error",
		Param:   "model",
		Code:    "model_not_found",
	}})
	return Model{}, false
}
