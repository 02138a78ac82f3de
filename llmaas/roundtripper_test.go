package llmaas_test

import (
	"context"
	"errors"
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

// officialClient is go-openai as it is, over the transport of this package.
func officialClient(t *testing.T, srv *llmaastest.Server, change func(*llmaas.Config)) *openai.Client {
	t.Helper()
	cfg := llmaas.Config{
		Token: llmaas.Static(key), BaseURL: srv.URL, Transport: srv.Client().Transport, Retry: llmaas.Retry{Attempts: 1},
		Now: func() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) },
	}
	if change != nil {
		change(&cfg)
	}
	rt, err := llmaas.Transport(cfg)
	require.NoError(t, err)
	conf := openai.DefaultConfig("not the token")
	conf.BaseURL, conf.HTTPClient = srv.URL, &http.Client{Transport: rt}
	return openai.NewClientWithConfig(conf)
}

// Each row of the wire gives go-openai over the transport what it gives the client.
func TestWireThroughTransport(t *testing.T) {
	for _, row := range wire {
		t.Run(row.name, func(t *testing.T) {
			srv := llmaastest.NewServer(t)
			srv.Script(row.reply)
			got, err := officialCall(t, officialClient(t, srv, nil), row.stream)
			want := row.want
			want.billed, want.estimated = [2]int64{}, false // costs go to the observer
			if row.name == "connection aborted" {
				got.text, got.reasoning = "", ""
			}
			require.Equal(t, want.kind == nil, err == nil, "%v", err)
			if err != nil {
				require.ErrorIs(t, err, want.kind)
				var e *llmaas.Error
				require.ErrorAs(t, err, &e)
				got.kind, got.status, got.typ, got.code, got.retryAfter = want.kind, e.Status, e.Type, e.Code, e.RetryAfter
				require.NotContains(t, err.Error(), prompt)
				require.NotContains(t, err.Error(), key)
				var api *openai.APIError
				require.Equal(t, e.Status != 0, errors.As(err, &api), "code written for go-openai")
			}
			require.Equal(t, want, got)
			require.Equal(t, "Bearer "+key, last(srv).Header.Get("Authorization"))
			require.NotEmpty(t, last(srv).Header.Get("Idempotency-Key"))
		})
	}
}

func officialCall(t *testing.T, c *openai.Client, stream bool) (seen, error) {
	t.Helper()
	if !stream {
		resp, err := c.CreateChatCompletion(t.Context(), ask(prompt))
		if err != nil {
			return seen{}, err
		}
		return seen{
			text: resp.Choices[0].Message.Content, reasoning: resp.Choices[0].Message.ReasoningContent,
			finish: string(resp.Choices[0].FinishReason),
		}, nil
	}
	s, err := c.CreateChatCompletionStream(t.Context(), ask(prompt))
	if err != nil {
		return seen{}, err
	}
	defer func() { require.NoError(t, s.Close()) }()
	var got seen
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got.text += chunk.Choices[0].Delta.Content
		got.reasoning += chunk.Choices[0].Delta.ReasoningContent
		got.finish += string(chunk.Choices[0].FinishReason)
	}
}

// events keeps what an observer sees.
type events struct{ all []llmaas.Event }

func (o *events) Observe(_ context.Context, e llmaas.Event) { o.all = append(o.all, e) }

func (o *events) kinds() string {
	var kinds []string
	for _, e := range o.all {
		kinds = append(kinds, string(e.Kind))
	}
	return strings.Join(kinds, ", ")
}

func TestTransportHasThePowersOfTheClient(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{Models: others})
	seen := &events{}
	c := officialClient(t, srv, func(cfg *llmaas.Config) {
		cfg.Guard, cfg.Observer = &blocker{word: "forbidden"}, seen
		cfg.Retry = llmaas.Retry{Attempts: 2}
	})
	ctx := t.Context()
	srv.Script(llmaastest.Reply{Status: 503, Header: http.Header{"Retry-After-Ms": {"1"}}})
	resp, err := c.CreateChatCompletion(ctx, ask("hello"))
	require.NoError(t, err)
	require.Equal(t, "You wrote: hello", resp.Choices[0].Message.Content)
	require.NotEmpty(t, resp.Header().Get("Id"))
	require.Equal(t, "start, retry, end", seen.kinds())
	require.Positive(t, seen.all[2].Bill.Total)
	require.Equal(t, 503, seen.all[1].Status)

	n := len(srv.Requests())
	_, err = c.CreateChatCompletion(ctx, ask("something forbidden"))
	require.ErrorIs(t, err, llmaas.ErrRefused)
	_, err = c.CreateImage(ctx, openai.ImageRequest{Model: "paint", Prompt: "something forbidden"})
	require.ErrorIs(t, err, llmaas.ErrRefused)
	require.Len(t, srv.Requests(), n, "a refused prompt left the process")

	vectors, err := c.CreateEmbeddings(ctx, openai.EmbeddingRequest{Model: "embed", Input: "a"})
	require.NoError(t, err)
	require.Len(t, vectors.Data[0].Embedding, 4)
	list, err := c.ListModels(ctx)
	require.NoError(t, err)
	require.Len(t, list.Models, len(others))
	text, err := c.CreateTranscription(ctx, openai.AudioRequest{Model: "whisper", FilePath: "a.wav", Reader: strings.NewReader("sound")})
	require.NoError(t, err)
	require.Equal(t, "A recording.", text.Text)
	sound, err := c.CreateSpeech(ctx, openai.CreateSpeechRequest{Model: "voice", Input: "a"})
	require.NoError(t, err)
	require.NoError(t, sound.Close())
	srv.Script(llmaastest.Reply{Status: 200, Body: `{"error":{"type":"server_error"}}`})
	_, err = c.CreateEmbeddings(ctx, openai.EmbeddingRequest{Model: "embed", Input: "a"})
	require.ErrorIs(t, err, llmaas.ErrOverloaded)
}

// TestTransportCountsOtherCalls bills what is no chat, and keeps it within limits.
func TestTransportCountsOtherCalls(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{Models: others})
	seen := &events{}
	budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return cost.Euro / 100 }})
	require.NoError(t, err)
	rt, err := llmaas.Transport(llmaas.Config{
		Token: llmaas.Static(key), BaseURL: srv.URL, Transport: srv.Client().Transport, Retry: llmaas.Retry{Attempts: 1},
		Guard: &blocker{word: "forbidden"}, Observer: seen, Budget: budget, Limits: llmaas.Limits{OutputDay: 50, Concurrent: 1},
		Now: func() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) },
	})
	require.NoError(t, err)
	long := strings.Repeat("many words ", 100)
	for _, row := range []struct {
		path, body string
		kind       error
		billed     func(cost.Usage) int64 // nil: nothing is
	}{
		{"/embeddings", `{"model":"embed","input":["` + long + `"]}`, nil, func(u cost.Usage) int64 { return u.Input }},
		{"/rerank", `{"model":"rank","query":"a","documents":["` + long + `"]}`, nil, func(u cost.Usage) int64 { return u.Rerank }},
		{"/completions", `{"model":"` + model + `","prompt":["hello"],"max_tokens":20}`, nil, func(u cost.Usage) int64 { return u.Output }},
		{"/images/generations", `{"model":"paint","prompt":"a fox"}`, nil, nil},
		{"/audio/speech", `{"model":"voice","input":"hello"}`, nil, nil},
		{"/completions", `{"model":"` + model + `","prompt":"hello"}`, llmaas.ErrRateLimited, nil}, // 1,024 tokens of 50 a day
		{"/completions", `{"model":"` + model + `","prompt":["a","forbidden"],"max_tokens":"x"}`, llmaas.ErrRefused, nil},
		{"/completions", `{"prompt":"forbidden"}`, llmaas.ErrRefused, nil},
		{"/embeddings", `{"model":"embed","input":"` + strings.Repeat(long, 1000) + `"}`, llmaas.ErrBudget, nil},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+row.path, strings.NewReader(row.body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := rt.RoundTrip(req)
		end := seen.all[len(seen.all)-1]
		require.Equal(t, llmaas.Ended, end.Kind)
		if row.kind != nil {
			require.ErrorIs(t, err, row.kind, row.path)
			require.ErrorIs(t, end.Err, row.kind)
			continue
		}
		require.NoError(t, err, row.path)
		require.NoError(t, resp.Body.Close())
		if row.billed == nil {
			require.Zero(t, end.Bill.Total, row.path)
			continue
		}
		require.Positive(t, row.billed(end.Usage), row.path)
		require.Positive(t, end.Bill.Total, row.path)
	}
}

// A redirect, or a base URL that was changed, must not take the token elsewhere.
func TestTransportKeepsTheTokenHome(t *testing.T) {
	rt, err := llmaas.Transport(llmaas.Config{Token: llmaas.Static(key), BaseURL: "http://a.example/v1"})
	require.NoError(t, err)
	for _, address := range []string{"http://b.example/v1/models", "https://a.example/v1/models", "http://a.example:81/v1/models"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		_, err = rt.RoundTrip(req)
		require.ErrorIs(t, err, llmaas.ErrInvalidRequest)
	}
}

func TestRequestFieldsThatGoOpenAILosesOrRefuses(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{Models: []llmaastest.Model{{ID: "o1-mini"}}})
	c := newClient(t, srv, nil)
	req := ask("hello")
	req.Model = "o1-mini"
	//lint:ignore SA1019 the service knows max_tokens by this name only
	req.MaxTokens = 7
	req.Messages = append(req.Messages,
		openai.ChatCompletionMessage{Role: "assistant", ToolCalls: []openai.ToolCall{{ID: "1", Type: "function", Function: openai.FunctionCall{Name: "f", Arguments: "{}"}}}},
		openai.ChatCompletionMessage{Role: "tool", ToolCallID: "1"})
	_, err := c.Chat(t.Context(), req)
	require.NoError(t, err)
	require.JSONEq(t, `{"model":"o1-mini","max_tokens":7,"stream":false,"messages":[{"role":"user","content":"hello"},
		{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","content":"","tool_call_id":"1"}]}`, string(last(srv).Body))
}
