package llmaas_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// Models of the kinds that are no chat.
var others = []llmaastest.Model{{ID: model}, {ID: "embed", Dimensions: 4}, {ID: "rank"}, {ID: "whisper"}, {ID: "voice"}, {ID: "paint"}}

func TestEndpoints(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{Models: others})
	c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Guard = &blocker{word: "forbidden"} })
	ctx := t.Context()

	list, err := c.Models(ctx)
	require.NoError(t, err)
	require.Len(t, list, len(others))
	require.Equal(t, "embed", list[1].ID)

	var vectors [2]*llmaas.EmbeddingsResponse
	for i, format := range []openai.EmbeddingEncodingFormat{"", openai.EmbeddingEncodingFormatBase64} {
		vectors[i], err = c.Embeddings(ctx, openai.EmbeddingRequestStrings{Input: []string{"a", "b"}, Model: "embed", EncodingFormat: format})
		require.NoError(t, err)
		require.Len(t, vectors[i].Data, 2)
		require.Len(t, vectors[i].Data[0].Embedding, 4)
		require.Positive(t, vectors[i].Billed.Input)
		require.Positive(t, vectors[i].Bill.Total)
	}
	require.Equal(t, vectors[0].Data, vectors[1].Data, "base64 and floats differ")
	_, err = c.Embeddings(ctx, openai.EmbeddingRequestTokens{Input: [][]int{{1}}, Model: "embed"})
	require.ErrorIs(t, err, llmaas.ErrInvalidRequest)

	for _, v2 := range []bool{false, true} {
		ranks, err := c.Rerank(ctx, llmaas.RerankRequest{Model: "rank", Query: "red fox", Documents: []string{"a blue whale", "the red fox"}, TopN: 1, V2: v2})
		require.NoError(t, err)
		require.Len(t, ranks.Results, 1)
		require.Equal(t, 1, ranks.Results[0].Index)
		require.Equal(t, "the red fox", ranks.Results[0].Document.Text)
		require.Positive(t, ranks.Billed.Rerank)
		require.True(t, ranks.Billed.Estimated)
	}

	text, err := c.Transcribe(llmaas.WithCall(ctx, llmaas.Call{Extra: map[string]any{"task": "translate"}}),
		openai.AudioRequest{Model: "whisper", FilePath: "a.wav", Reader: bytes.NewReader(make([]byte, 130_000)), Language: "fr"})
	require.NoError(t, err)
	require.Equal(t, "A recording.", text.Text)
	require.Equal(t, 65*time.Second, text.Billed.Audio)
	require.Contains(t, string(last(srv).Body), "translate")

	spoken, err := c.Speak(ctx, openai.CreateSpeechRequest{Model: "voice", Input: "hello"})
	require.NoError(t, err)
	require.Equal(t, "audio/wav", spoken.ContentType)
	require.True(t, bytes.HasPrefix(spoken.Audio, []byte("RIFF")))
	srv.Script(llmaastest.Reply{Status: 200, Body: `{"error":{"type":"server_error"}}`})
	_, err = c.Speak(ctx, openai.CreateSpeechRequest{Model: "voice", Input: "hello"})
	require.ErrorIs(t, err, llmaas.ErrOverloaded, "an error must not be taken for sound")

	pictures, err := c.Images(ctx, openai.ImageRequest{Model: "paint", Prompt: "a fox", N: 2})
	require.NoError(t, err)
	require.Len(t, pictures.Data, 2)
	_, err = c.Images(ctx, openai.ImageRequest{Model: "paint", Prompt: "something forbidden"})
	require.ErrorIs(t, err, llmaas.ErrRefused)

	done, err := c.Complete(ctx, openai.CompletionRequest{Model: model, Prompt: "hello"})
	require.NoError(t, err)
	require.Equal(t, "You wrote: hello", done.Text())
	require.Positive(t, done.Bill.Total)
	srv.Script(llmaastest.Reply{Status: 200, Body: `{"choices":[{"text":"<think>hm</think>a"}]}`})
	done, err = c.Complete(ctx, openai.CompletionRequest{Model: model, Prompt: "hello"})
	require.NoError(t, err)
	require.Equal(t, "hm a", done.Reasoning+" "+done.Text())

	_, err = c.Embeddings(ctx, openai.EmbeddingRequest{Input: "a", Model: "nobody"})
	require.ErrorIs(t, err, llmaas.ErrModelNotFound)
}

func last(srv *llmaastest.Server) llmaastest.Request {
	all := srv.Requests()
	return all[len(all)-1]
}

// Replies that contradict the request are errors, and never a panic.
func TestEndpointsDistrust(t *testing.T) {
	for _, row := range []struct{ op, body string }{
		{"embeddings", `{"data":[]}`},
		{"embeddings", `{"data":[{"index":5,"embedding":[1]}]}`},
		{"embeddings", `{"data":[{"index":-1,"embedding":[1]}]}`},
		{"embeddings", `{"data":[{"index":0,"embedding":"AAA"}]}`},
		{"embeddings", `{"data":[{"index":0,"embedding":[]}]}`},
		{"embeddings", `{"error":{"type":"x"}}`},
		{"rerank", `{"results":[{"index":1}]}`},
		{"rerank", `{"results":[{"index":-1}]}`},
		{"complete", `{"choices":[]}`},
		{"complete", `[]`},
		{"models", `{"data":{}}`},
	} {
		t.Run(row.op, func(t *testing.T) {
			srv := llmaastest.NewServer(t)
			srv.Script(llmaastest.Reply{Status: 200, Body: row.body})
			seen, ctx := &events{}, t.Context()
			c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Observer = seen })
			var err error
			switch row.op {
			case "embeddings":
				_, err = c.Embeddings(ctx, openai.EmbeddingRequest{Input: "a", Model: "m"})
			case "rerank":
				_, err = c.Rerank(ctx, llmaas.RerankRequest{Model: "m", Documents: []string{"a"}})
			case "complete":
				_, err = c.Complete(ctx, openai.CompletionRequest{Model: "m", Prompt: "a"})
			case "models":
				_, err = c.Models(ctx)
			}
			require.ErrorIs(t, err, llmaas.ErrProtocol)
			require.Equal(t, "start, end", seen.kinds())
			require.Equal(t, err, seen.all[1].Err, "who looks on is told how it ended")
			var e *llmaas.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, 1, e.Attempts)
			require.NotEmpty(t, e.RequestID)
		})
	}
}

// anything answers each request alike.
type anything struct {
	status int
	kind   string
	body   []byte
}

func (a anything) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1,
		Header: http.Header{"Content-Type": {a.kind}}, Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

// FuzzReplies has a service that answers anything: every call ends in an answer or
// an *Error, and no bill is negative.
func FuzzReplies(f *testing.F) {
	for _, body := range []string{
		cannedReply, cannedStream(), `{"data":[{"index":0,"embedding":"AACAvw=="}]}`, `{"results":[{"index":0,"document":"a"}],"usage":{"total_tokens":7}}`,
		`{"text":"a","segments":[{"end":1e300}],"duration":-1}`, `{"error":{"message":"m","type":"rate_limit_error","code":429}}`, `{"detail":[1]}`,
		`{"id":"b","status":"completed","output_file_id":"f"}`, `{"custom_id":"a","response":{"status_code":200,"body":` + cannedReply + `}}`,
		`{"choices":[{"index":127,"delta":{"tool_calls":[{"index":-9,"function":{"arguments":"x"}}]},"message":null,"text":"<think>"}],"usage":{"prompt_tokens":-1,"completion_tokens":1e99}}`,
	} {
		f.Add(200, "application/json", []byte(body))
		f.Add(200, "text/event-stream", []byte("data: "+body+"\n\ndata: [DONE]\n\n"))
		f.Add(429, "text/html", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		c, err := llmaas.New(llmaas.Config{Token: llmaas.Static(key), Transport: anything{status, kind, body}, Retry: llmaas.Retry{Attempts: 1}})
		require.NoError(t, err)
		ctx := t.Context()
		check := func(bill cost.Amount, err error) {
			require.GreaterOrEqual(t, bill, cost.Amount(0))
			if err != nil {
				var e *llmaas.Error
				require.ErrorAs(t, err, &e)
				require.NotEmpty(t, e.Op)
				require.NotContains(t, err.Error(), key)
			}
		}
		bill := func(r *llmaas.Result) cost.Amount { return r.Bill.Total }
		if r, err := c.Chat(ctx, ask("a")); err == nil {
			check(bill(&r.Result), nil)
			require.NotEmpty(t, r.Choices)
		} else {
			check(0, err)
		}
		s := c.Stream(ctx, ask("a"))
		for chunk, err := range s.All() {
			require.True(t, chunk != nil || err != nil)
		}
		result := s.Result()
		check(bill(&result), s.Err())
		require.NotNil(t, s.Response())
		if r, err := c.Embeddings(ctx, openai.EmbeddingRequest{Input: "a", Model: "m"}); err == nil {
			require.Len(t, r.Data, 1)
		} else {
			check(0, err)
		}
		if r, err := c.Transcribe(ctx, openai.AudioRequest{Model: "m", FilePath: "a", Reader: strings.NewReader("a")}); err == nil {
			check(bill(&r.Result), nil)
		} else {
			check(0, err)
		}
		_, err = c.Rerank(ctx, llmaas.RerankRequest{Model: "m", Documents: []string{"a"}})
		check(0, err)
		_, err = c.Complete(ctx, openai.CompletionRequest{Model: "m", Prompt: "a"})
		check(0, err)
		_, err = c.Models(ctx)
		check(0, err)
		_, err = c.AsyncBatch("b").Results(ctx)
		check(0, err)
	})
}

func TestStreamedToolCallsAreJoined(t *testing.T) {
	srv := llmaastest.NewServer(t)
	srv.Script(llmaastest.Reply{Frames: []string{
		`data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"weather","arguments":"{\"ci"}}]}}]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"2","type":"function","function":{"name":"time","arguments":""}}]}}]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ty\":\"Paris\"}"}}]}}]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}},{"index":1,"delta":{"content":"b"}}]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n", counts, done,
	}})
	c := newClient(t, srv, nil)
	s := c.Stream(t.Context(), ask("hello"))
	for _, err := range s.All() {
		require.NoError(t, err)
	}
	got := s.Response()
	require.Len(t, got.Choices, 2)
	calls := got.Choices[0].Message.ToolCalls
	require.Len(t, calls, 2)
	require.Equal(t, openai.FunctionCall{Name: "weather", Arguments: `{"city":"Paris"}`}, calls[0].Function)
	require.Equal(t, openai.FunctionCall{Name: "time", Arguments: `{}`}, calls[1].Function)
	require.Equal(t, "1 2", calls[0].ID+" "+calls[1].ID)
	require.Equal(t, openai.FinishReasonToolCalls, got.Choices[0].FinishReason)
	require.Equal(t, "b", got.Choices[1].Message.Content)
	require.Equal(t, 4, got.Usage.CompletionTokensDetails.ReasoningTokens, "flat reasoning_tokens")
	require.Equal(t, cost.Usage{Input: 7, Output: 9, Reasoning: 4}, got.Billed)
}

// A whole reply and the joined stream of the same answer are the same.
func TestStreamResponseIsChat(t *testing.T) {
	srv := llmaastest.NewServer(t)
	c := newClient(t, srv, nil)
	tools := ask("hello")
	tools.Tools = []openai.Tool{{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: "f", Parameters: map[string]any{"type": "object"}}}}
	for _, req := range []openai.ChatCompletionRequest{ask("hello"), ask(strings.Repeat("word ", 100)), tools} {
		whole, err := c.Chat(t.Context(), req)
		require.NoError(t, err)
		s := c.Stream(t.Context(), req)
		for _, err := range s.All() {
			require.NoError(t, err)
		}
		joined := s.Response()
		require.Equal(t, whole.Billed, joined.Billed)
		require.Equal(t, whole.Choices[0].Message.Content, joined.Choices[0].Message.Content)
		require.Equal(t, whole.Reasoning, joined.Reasoning)
		require.Equal(t, whole.Choices[0].FinishReason, joined.Choices[0].FinishReason)
		require.Len(t, joined.Choices[0].Message.ToolCalls, len(whole.Choices[0].Message.ToolCalls))
		for i, call := range whole.Choices[0].Message.ToolCalls {
			require.Equal(t, call.Function, joined.Choices[0].Message.ToolCalls[i].Function)
		}
	}
}
