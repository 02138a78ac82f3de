package llmaastest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// exchanges has a row for every kind of request: what is sent, and what the
// answer must hold.
var exchanges = []struct {
	name, method, path, body string
	status                   int
	holds                    []string
}{
	{"models", "GET", "/models", "", 200, []string{`"id":"gpt-oss:120b"`, `"owned_by":"CloudTemple"`, `"max_model_len":120000`, `"allow_view":true`}},
	{"one model", "GET", "/models/gpt-oss:120b", "", 200, []string{`{"id":"gpt-oss:120b","object":"model"`}},
	{"a model that is none", "GET", "/models/nonesuch", "", 404, []string{`"code":"model_not_found"`}},
	{"models by POST", "POST", "/models", "{}", 405, []string{`"invalid_request_error"`}},
	{"chat", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"Hello there"}]}`, 200,
		[]string{`"id":"chatcmpl-00000001"`, `"object":"chat.completion"`, `"content":"You wrote: Hello there"`, `"finish_reason":"stop"`,
			`"machine_name":"gpu-01"`, `"prompt_tokens":`, `"completion_tokens":5`, `"reasoning_tokens":0`}},
	{"chat that reasons", "POST", "/chat/completions", `{"model":"gpt-oss:120b","messages":[{"role":"user","content":"Hi"}]}`, 200,
		[]string{`"reasoning_content":"The conversation has 1 messages; an echo will do."`, `"reasoning_tokens":13`}},
	{"chat cut by max_tokens", "POST", "/chat/completions", `{"model":"llama3.3:70b","max_tokens":2,"messages":[{"role":"user","content":"Hello there"}]}`, 200,
		[]string{`"content":"You wrote"`, `"finish_reason":"length"`, `"completion_tokens":2`}},
	{"chat with parts", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"data:"}}]}]}`, 200,
		[]string{`"content":"You wrote: Hi"`}},
	{"chat with a tool", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"?"}],"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}}}}]}`, 200,
		[]string{`"name":"weather"`, `{\"city\":\"Paris\",\"days\":1}`, `"finish_reason":"tool_calls"`}},
	{"chat with a tool result", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"?"},{"role":"tool","content":"sun"}],"tools":[{"type":"function","function":{"name":"weather"}}]}`, 200,
		[]string{`"content":"You wrote: ?"`}},
	{"chat with a schema", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"?"}],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"ok":{"type":"boolean"},"kind":{"enum":["a","b"]}}}}}}`, 200,
		[]string{`"content":"{\"kind\":\"a\",\"ok\":true}"`}},
	{"chat with a tool by name", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"?"}],"tool_choice":{"type":"function","function":{"name":"time"}},"tools":[{"type":"function","function":{"name":"weather"}},{"type":"function","function":{"name":"time"}}]}`, 200,
		[]string{`"name":"time","arguments":"{}"`}},
	{"chat with no tool", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"?"}],"tool_choice":"none","tools":[{"type":"function","function":{"name":"weather"}}]}`, 200,
		[]string{`"content":"You wrote: ?"`}},
	{"chat with a tool that is none", "POST", "/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"?"}],"tool_choice":{"type":"function","function":{"name":"nonesuch"}},"tools":[{"type":"function","function":{"name":"weather"}}]}`, 400,
		[]string{`tool_choice`}},
	{"chat with two choices", "POST", "/chat/completions", `{"model":"llama3.3:70b","n":2,"messages":[{"role":"user","content":"Hi"}]}`, 200,
		[]string{`"index":0,"message":{"role":"assistant","content":"You wrote: Hi"}`, `"index":1,"message":{"role":"assistant","content":"You wrote: Hi"}`, `"completion_tokens":8`}},
	{"chat with two choices of tools", "POST", "/chat/completions", `{"model":"llama3.3:70b","n":2,"stream":true,"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"weather"}}]}`, 200,
		[]string{`"index":0,"delta":{"tool_calls":[{"index":0,"id":"call-00000001"`, `"index":1,"delta":{"tool_calls":[{"index":0,"id":"call-00000001-1"`}},
	{"chat with too many choices", "POST", "/chat/completions", `{"model":"llama3.3:70b","n":129,"messages":[{"role":"user","content":"Hi"}]}`, 400, []string{`n must be`}},
	{"chat with a stop", "POST", "/chat/completions", `{"model":"llama3.3:70b","stop":[""," there"],"messages":[{"role":"user","content":"Hello there"}]}`, 200,
		[]string{`"content":"You wrote: Hello"`, `"finish_reason":"stop"`}},
	{"chat with logprobs", "POST", "/chat/completions", `{"model":"llama3.3:70b","logprobs":true,"top_logprobs":2,"messages":[{"role":"user","content":"é"}]}`, 200,
		[]string{`{"token":" é","logprob":0,"bytes":[32,195,169],"top_logprobs":[{"token":" é","logprob":0,"bytes":[32,195,169]}]}`}},
	{"stream with logprobs", "POST", "/chat/completions", `{"model":"llama3.3:70b","logprobs":true,"stream":true,"messages":[{"role":"user","content":"Hi"}]}`, 200,
		[]string{`"delta":{"role":"assistant","content":""},"finish_reason"`, `"delta":{"content":" Hi"},"logprobs":{"content":[{"token":" Hi","logprob":0,"bytes":[32,72,105],"top_logprobs":[]}]}`}},
	{"chat with null for what is optional", "POST", "/chat/completions", `{"model":"llama3.3:70b","n":null,"stop":null,"tools":null,"tool_choice":null,"max_tokens":null,"response_format":null,"stream_options":null,"messages":[{"role":"user","content":null},{"role":"user","content":"Hi"}]}`, 200,
		[]string{`"content":"You wrote: Hi"`}},
	{"completion of a prompt", "POST", "/completions", `{"model":"gpt-oss:120b","prompt":"Hi"}`, 200,
		[]string{`"id":"cmpl-00000001","object":"text_completion"`, `"index":0,"text":"You wrote: Hi","finish_reason":"stop"`, `"completion_tokens":4`}},
	{"completion of prompts", "POST", "/completions", `{"model":"llama3.3:70b","prompt":["Hi","Ho"],"stop":"o","tools":[{"type":"function","function":{"name":"weather"}}]}`, 200,
		[]string{`"index":0,"text":"Y"`, `"index":1,"text":"Y"`}},
	{"completion in a stream", "POST", "/completions", `{"model":"llama3.3:70b","prompt":"Hi","stream":true}`, 200,
		[]string{`"text":" wrote","finish_reason":null`, `"text":"","finish_reason":"stop"`, "\n\ndata: [DONE]\n\n"}},
	{"completion of messages", "POST", "/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"Hi"}]}`, 200, []string{`"content":"You wrote: Hi"`}},
	{"completion of token ids", "POST", "/completions", `{"model":"llama3.3:70b","prompt":[1,2]}`, 400, []string{`"invalid_request_error"`}},
	{"stream", "POST", "/chat/completions", `{"model":"llama3.3:70b","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}`, 200,
		[]string{"data: {", `"delta":{"content":"You"}`, `"delta":{"content":" wrote"}`, `"choices":[],"usage":{"prompt_tokens":`, `"completion_tokens":4`, "\n\ndata: [DONE]\n\n"}},
	{"unknown model", "POST", "/chat/completions", `{"model":"nonesuch","messages":[{"role":"user","content":"Hi"}]}`, 404, []string{`"code":"model_not_found"`}},
	{"no messages", "POST", "/chat/completions", `{"model":"llama3.3:70b"}`, 400, []string{`"invalid_request_error"`}},
	{"max_tokens 0", "POST", "/chat/completions", `{"model":"llama3.3:70b","max_tokens":0,"messages":[{"role":"user","content":"Hi"}]}`, 400, []string{`"invalid_request_error"`}},
	{"no JSON", "POST", "/chat/completions", `{`, 400, []string{`"invalid_request_error"`}},
	{"embeddings", "POST", "/embeddings", `{"model":"bge-m3:567m","input":"a b","dimensions":2}`, 200, []string{`"embedding":[`, `"prompt_tokens":2`}},
	{"embeddings in base64", "POST", "/embeddings", `{"model":"bge-m3:567m","input":["a","b"],"dimensions":1,"encoding_format":"base64"}`, 200, []string{`"index":1`, `"embedding":"AACAvw=="`}},
	{"embeddings of token ids", "POST", "/embeddings", `{"model":"bge-m3:567m","input":[1,2]}`, 400, []string{`"invalid_request_error"`}},
	{"embeddings of lists of token ids", "POST", "/embeddings", `{"model":"bge-m3:567m","input":[[1,2],[3]]}`, 400, []string{`"invalid_request_error"`}},
	{"embeddings of nothing", "POST", "/embeddings", `{"model":"bge-m3:567m","input":[]}`, 400, []string{`array of strings`}},
	{"embeddings of null", "POST", "/embeddings", `{"model":"bge-m3:567m","input":["a",null]}`, 400, []string{`array of strings`}},
	{"rerank", "POST", "/v2/rerank", `{"model":"bge-reranker-large","query":"red fox","documents":["a blue whale",{"text":"the red fox"}],"top_n":1}`, 200,
		[]string{`"results":[{"index":1,"relevance_score":1,"document":{"text":"the red fox"}}]`, `"search_units":1`}},
	{"rerank of nothing", "POST", "/rerank", `{"model":"bge-reranker-large","query":"x"}`, 400, []string{`"invalid_request_error"`}},
	{"speech", "POST", "/audio/speech", `{"model":"voxtral","input":"hello","voice":"a"}`, 200, []string{"RIFF", "WAVE"}},
	{"images", "POST", "/images/generations", `{"model":"z-image:16b","prompt":"a cat","n":2}`, 200, []string{`{"b64_json":"`, `},{`}},
	{"transcription without a file", "POST", "/audio/transcriptions", `{}`, 400, []string{`multipart`}},
	{"no files", "GET", "/files", ``, 200, []string{`"data":[]`}},
	{"no such file", "GET", "/files/file-9", ``, 404, []string{`no such file`}},
	{"the content of no file", "GET", "/files//content", ``, 404, []string{`no such file`}},
	{"files by PUT", "PUT", "/files", ``, 405, []string{`method`}},
	{"batches by DELETE", "DELETE", "/batches/batch-1", ``, 405, []string{`method`}},
	{"no such batch", "GET", "/batches/batch-9", ``, 404, []string{`no such batch`}},
	{"batch of no file", "POST", "/batches", `{"input_file_id":"x","endpoint":"/v1/chat/completions","completion_window":"24h"}`, 400, []string{`names no file`}},
	{"unknown endpoint", "POST", "/nonesuch", `{}`, 404, []string{`"invalid_request_error"`}},
}

func TestExchanges(t *testing.T) {
	for _, row := range exchanges {
		t.Run(row.name, func(t *testing.T) {
			srv := llmaastest.NewServer(t)
			req, err := http.NewRequest(row.method, srv.URL+row.path, strings.NewReader(row.body))
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer any")
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, row.status, resp.StatusCode, "%s", body)
			require.NotEmpty(t, resp.Header.Get("Id"))
			for _, want := range row.holds {
				require.Contains(t, string(body), want)
			}
			got := srv.Requests()
			require.Len(t, got, 1)
			require.Equal(t, row.path, got[0].Path)
			require.Equal(t, row.body, string(got[0].Body))
		})
	}
}

// TestStockClient talks to the fake with go-openai as it is.
func TestStockClient(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{Keys: []string{"right"}})
	client := func(key string) *openai.Client {
		cfg := openai.DefaultConfig(key)
		cfg.BaseURL, cfg.HTTPClient = srv.URL, srv.Client()
		return openai.NewClientWithConfig(cfg)
	}
	req := openai.ChatCompletionRequest{Model: "llama3.3:70b", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Hi"}}}

	resp, err := client("right").CreateChatCompletion(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, "You wrote: Hi", resp.Choices[0].Message.Content)
	require.Equal(t, 4, resp.Usage.CompletionTokens)

	_, err = client("wrong").CreateChatCompletion(t.Context(), req)
	var api *openai.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, http.StatusUnauthorized, api.HTTPStatusCode)

	models, err := client("right").ListModels(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(models.Models), 40)

	embeddings, err := client("right").CreateEmbeddings(t.Context(), openai.EmbeddingRequestStrings{Model: "bge-m3:567m", Input: []string{"a", "b", "a"}})
	require.NoError(t, err)
	require.Len(t, embeddings.Data[0].Embedding, 768)
	require.Equal(t, embeddings.Data[0].Embedding, embeddings.Data[2].Embedding)
	require.NotEqual(t, embeddings.Data[0].Embedding, embeddings.Data[1].Embedding)
}

// TestBatch runs a batch with go-openai as it is, and a recording too.
func TestBatch(t *testing.T) {
	srv := llmaastest.NewServer(t)
	cfg := openai.DefaultConfig("any")
	cfg.BaseURL, cfg.HTTPClient = srv.URL, srv.Client()
	client := openai.NewClientWithConfig(cfg)

	upload := openai.UploadBatchFileRequest{}
	for i, model := range []string{"llama3.3:70b", "nonesuch"} {
		upload.AddChatCompletion(string(rune('a'+i)), openai.ChatCompletionRequest{Model: model, Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Hi"}}})
	}
	made, err := client.CreateBatchWithUploadFile(t.Context(), openai.CreateBatchWithUploadFileRequest{
		Endpoint: openai.BatchEndpointChatCompletions, CompletionWindow: "24h", UploadBatchFileRequest: upload,
	})
	require.NoError(t, err)
	require.Equal(t, 2, made.RequestCounts.Total)
	files, err := client.ListFiles(t.Context())
	require.NoError(t, err)
	require.Len(t, files.Files, 1)
	require.Equal(t, "@batchinput.jsonl", files.Files[0].FileName)
	require.NoError(t, client.DeleteFile(t.Context(), files.Files[0].ID)) // the batch has read it
	require.Error(t, client.DeleteFile(t.Context(), files.Files[0].ID))
	var seen []string
	for range 4 {
		b, err := client.RetrieveBatch(t.Context(), made.ID)
		require.NoError(t, err)
		seen = append(seen, b.Status)
		made = b
	}
	require.Equal(t, []string{"in_progress", "finalizing", "completed", "completed"}, seen)
	require.Equal(t, 1, made.RequestCounts.Completed)
	require.Equal(t, 1, made.RequestCounts.Failed)
	content, err := client.GetFileContent(t.Context(), *made.OutputFileID)
	require.NoError(t, err)
	results, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	require.Regexp(t, `(?s)^\{"id":"batch_req-b","custom_id":"b","response":\{"status_code":404,.*\n\{"id":"batch_req-a",.*You wrote: Hi`, string(results))

	heard, err := client.CreateTranscription(t.Context(), openai.AudioRequest{Model: "voxtral", FilePath: "a.wav", Reader: strings.NewReader(strings.Repeat("x", 4000))})
	require.NoError(t, err)
	require.Equal(t, "A recording.", heard.Text)
}

func TestTriggers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &llmaastest.Backend{Triggers: &llmaastest.Triggers{}}
		client := &http.Client{Transport: b.Transport()}
		ask := func(prompt, more string) (int, string) {
			req, err := http.NewRequest("POST", "http://fake/v1/chat/completions", strings.NewReader(`{"model":"llama3.3:70b","messages":[{"role":"user","content":"`+prompt+`"}]`+more+`}`))
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer any")
			resp, err := client.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			return resp.StatusCode, string(body)
		}
		for _, want := range []int{429, 200, 200} {
			status, _ := ask("fault:429:n1", "")
			require.Equal(t, want, status)
		}
		status, _ := ask("fault:503:n1", "")
		require.Equal(t, 503, status)
		began := time.Now()
		_, body := ask("slow-stream", `,"stream":true`)
		require.Greater(t, time.Since(began), 9*time.Second)
		require.Greater(t, strings.Count(body, `"content":" slow"`), 100)
	})
}

// TestTransport has the same exchanges without a network.
func TestTransport(t *testing.T) {
	b := &llmaastest.Backend{}
	client := &http.Client{Transport: b.Transport()}
	req, err := http.NewRequest("GET", "http://fake/v1/models", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer any")
	resp, err := client.Do(req)
	require.NoError(t, err)
	var list struct{ Data []any }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
	require.NoError(t, resp.Body.Close())
	require.Greater(t, len(list.Data), 40)
	require.Nil(t, req.Body, "the request is the caller's")
}

func TestScripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &llmaastest.Backend{}
		client := &http.Client{Transport: b.Transport()}
		ask := func(key, more string) (string, time.Duration) {
			began := time.Now()
			req, err := http.NewRequest("POST", "http://fake/v1/chat/completions", strings.NewReader(`{"model":"llama3.3:70b","messages":[{"role":"user","content":"Hi"}]`+more+`}`))
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+key)
			resp, err := client.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			return string(body), time.Since(began)
		}
		const stream = `,"stream":true,"stream_options":{"include_usage":true}`
		b.Script(
			llmaastest.Reply{Key: "second", Text: "for the second key"},
			llmaastest.Reply{Key: "first", Times: 2, Text: "twice"},
			llmaastest.Reply{Tool: "weather", Text: `{"city":"Lyon"}`},
			llmaastest.Reply{TTFT: time.Second, TokenDelay: time.Minute, Text: "a b"},
			llmaastest.Reply{NoUsage: true, NoDone: true},
			llmaastest.Reply{Frames: []string{"d", "a", "t", "a"}, TokenDelay: time.Hour},
		)
		for _, want := range []string{"twice", "twice", "weather"} {
			got, _ := ask("first", "")
			require.Contains(t, got, want)
		}
		got, _ := ask("second", "")
		require.Contains(t, got, "for the second key")
		_, took := ask("first", stream)
		require.Equal(t, time.Second+3*time.Minute, took) // role, " b", and the finish come after a wait
		got, _ = ask("first", stream)
		require.NotContains(t, got, "usage")
		require.NotContains(t, got, "[DONE]")
		require.Contains(t, got, `"finish_reason":"stop"`)
		got, took = ask("first", stream)
		require.Equal(t, "data", got)
		require.Equal(t, 3*time.Hour, took)
	})
}

// TestUnusedScriptFails runs a server under a testing.TB that only takes notes.
func TestUnusedScriptFails(t *testing.T) {
	notes := &notebook{TB: t}
	srv := llmaastest.NewServer(notes)
	srv.Script(llmaastest.Reply{Status: 500})
	for _, f := range notes.cleanups {
		f()
	}
	require.Equal(t, 1, notes.errors)
}

type notebook struct {
	testing.TB
	cleanups []func()
	errors   int
}

func (n *notebook) Cleanup(f func())      { n.cleanups = append(n.cleanups, f) }
func (n *notebook) Errorf(string, ...any) { n.errors++ }
func (n *notebook) Failed() bool          { return false }
func (n *notebook) Helper()               {}

// FuzzServe sends anything anywhere: it is answered, an error as an error object.
func FuzzServe(f *testing.F) {
	for _, row := range exchanges {
		f.Add(row.method, row.path, []byte(row.body))
	}
	f.Add("POST", "/files", []byte("--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n{\"custom_id\":\"a\",\"method\":\"GET\",\"url\":\"/v1/batches/batch-0001\",\"body\":{}}\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		b := &llmaastest.Backend{}
		ask := func(method, path string, body []byte) {
			req := httptest.NewRequest("POST", "/", bytes.NewReader(body))
			req.Method, req.URL.Path = method, "/v1"+path
			req.Header = http.Header{"Authorization": {"Bearer any"}, "Content-Type": {"multipart/form-data; boundary=b"}}
			w := httptest.NewRecorder()
			b.ServeHTTP(w, req)
			if w.Code >= 400 {
				require.Contains(t, w.Body.String(), `{"error":{"message":"`)
				require.True(t, json.Valid(w.Body.Bytes()))
			}
		}
		ask(method, path, body)
		ask("POST", "/batches", []byte(`{"input_file_id":"file-0001","endpoint":"/v1/chat/completions","completion_window":"24h"}`))
		for range 4 {
			ask("GET", "/batches/batch-0001", nil)
		}
		ask("GET", "/files/file-0002/content", nil)
	})
}
