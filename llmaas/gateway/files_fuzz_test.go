package gateway

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
)

// FuzzUpload reads files of requests. What may be run is what a plain reader finds
// in it too: each line one request, of a known model, and no answer longer than
// what would be set aside.
func FuzzUpload(f *testing.F) {
	const one = `{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"Hello"}],"max_tokens":7,"n":2}}`
	for _, seed := range []string{one, one + "\r\n\n" + one, `{"body":{"model":"m","input":"a"},"url":"/v1/embeddings"}`, "\ufeff" + one, one[:40], "{}", "a", strings.Replace(one, "7", "1e99", 1), strings.Replace(one, ",", ",\r", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if strings.Contains(content, "--b") {
			return // it would be more parts than one
		}
		a := ask{raw: []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + content + "\r\n--b--\r\n")}
		if err := a.upload("multipart/form-data; boundary=b"); err != nil || a.work.problem != "" {
			return
		}
		var requests, output int64
		for line := range strings.SplitSeq(strings.TrimPrefix(content, "\ufeff"), "\n") {
			if strings.TrimSpace(line) == "" {
				continue
			}
			var r struct {
				Body *struct {
					Model    string            `json:"model"`
					Messages []json.RawMessage `json:"messages"`
					Max      int64             `json:"max_tokens"`
					N        int64             `json:"n"`
				} `json:"body"`
			}
			require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(strings.TrimSpace(line), "\ufeff")), &r))
			require.NotNil(t, r.Body)
			require.Contains(t, a.models, r.Body.Model)
			if requests++; len(r.Body.Messages) > 0 && a.work.endpoint != "/embeddings" {
				output += max(r.Body.Max, 1) * max(r.Body.N, 1)
			}
		}
		require.Equal(t, requests, a.work.requests)
		require.GreaterOrEqual(t, a.work.output, output)
		require.Positive(t, a.work.input)
	})
}

// FuzzResult reads results of machines: none costs less than nothing, and one that
// must not go on leaves one line of JSON.
func FuzzResult(f *testing.F) {
	f.Add(`{"id":"r","custom_id":"a","response":{"status_code":200,"body":{"model":"m","choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}},"error":null}`)
	f.Add(`{"response":{"status_code":200,"body":{"usage":{"completion_tokens":-1}}}}`)
	f.Add(`{"id":{"a":[1]},"custom_id":7,"error":"x"}`)
	f.Add("no result\r")
	g := &Gateway{Config: Config{Energy: cost.DefaultEnergy(), Log: slog.New(slog.DiscardHandler)}}
	day := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		var s sum
		g.countLine(&s, []byte(line), newOwned("acme", "b", "gpu", true, work{}, day))
		require.GreaterOrEqual(t, min(s.usage.Input, s.usage.Output, s.usage.Reasoning, int64(s.energy)), int64(0))
		if strings.Contains(line, "\n") {
			return
		}
		left := blocked([]byte(line))
		require.True(t, json.Valid(left), "%s", left)
		require.Equal(t, 1, bytes.Count(left, []byte("\n")))
		require.Contains(t, string(left), "answer_blocked")
	})
}
