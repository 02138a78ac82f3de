package lifecycle

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReconcile(t *testing.T) {
	c := Default()
	var reply struct {
		Object string           `json:"object"`
		Data   []map[string]any `json:"data"`
	}
	for m := range c.Models() {
		s, err := c.StatusAt(m.ID, at("2026-05-17"))
		require.NoError(t, err)
		if s.Phase.Available() && m.ID != "voxtral" {
			reply.Data = append(reply.Data, map[string]any{"id": m.ID, "object": "model", "owned_by": "CloudTemple", "max_model_len": m.Context, "permission": []any{map[string]any{"allow_view": true}}})
		}
	}
	served := len(reply.Data)
	for _, m := range reply.Data {
		switch m["id"] {
		case "llama3.3:70b": // known by an alias only
			m["id"], m["aliases"] = "meta-llama/Llama-3.3-70B-Instruct", []string{"x", "LLAMA3.3:70B"}
		case "gpt-oss:120b":
			m["max_model_len"] = 131072
		}
	}
	reply.Data = append(reply.Data, map[string]any{"id": "brand-new:1b"}, map[string]any{"id": "brand-new:1b"}, map[string]any{"id": "qwq:32b"})
	b, err := json.Marshal(reply)
	require.NoError(t, err)

	r, err := c.Reconcile(bytes.NewReader(b), at("2026-05-17"))
	require.NoError(t, err)
	require.Equal(t, []LiveModel{{ID: "brand-new:1b"}}, r.Unknown)
	require.Len(t, r.Missing, 1)
	require.Equal(t, "voxtral", r.Missing[0].Model)
	require.Len(t, r.Lingering, 1)
	require.Equal(t, "qwq:32b", r.Lingering[0].Model)
	require.Equal(t, []Mismatch{{"gpt-oss:120b", "max_model_len 131072, context in the table of 2026-05-17 120000"}}, r.Contexts)
	require.Equal(t, served+1, r.Matched)
	require.Equal(t, 58, served+1)
}

func TestReconcileRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"unexpected end":                "",
		"got no data":                   "{}",
		"data[1].id: got none, want":    `{"data": [{"id": "a"}, {}]}`,
		"cannot unmarshal":              `{"data": {"id": "a"}}`,
		"invalid character":             `<html>502 Bad Gateway</html>`,
		"cannot unmarshal string into":  `{"data": [{"id": "a", "max_model_len": "big"}]}`,
		"exceeded max depth":            strings.Repeat("[", 1<<20),
		"got more than 8388608 bytes":   strings.Repeat(" ", maxReply+1),
		"cannot unmarshal number into":  `{"data": [{"id": 7}]}`,
		"cannot unmarshal string into ": `"data"`,
	} {
		_, err := Default().Reconcile(strings.NewReader(text), time.Now())
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "lifecycle: GET /models: ")
		require.Less(t, len(err.Error()), 300)
	}
	_, err := Default().Reconcile(io.MultiReader(strings.NewReader("{"), errReader{}), time.Now())
	require.ErrorIs(t, err, errDisk)
	r, err := Default().Reconcile(strings.NewReader(`{"data": []}`), at("2026-05-17"))
	require.NoError(t, err)
	require.Len(t, r.Missing, 58)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errDisk }
