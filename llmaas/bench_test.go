package llmaas_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/llmaas"
)

// canned answers every request with the same bytes: what is measured is the client.
type canned struct {
	body        string
	contentType string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1,
		Header: http.Header{"Content-Type": {c.contentType}, "Id": {"req-1"}}, Body: io.NopCloser(strings.NewReader(c.body)),
	}, nil
}

const cannedReply = `{"id":"chatcmpl-1","object":"chat.completion","created":1763760000,"model":"gpt-oss:120b","choices":[{"index":0,"message":{"role":"assistant","content":"The capital of France is Paris."},"finish_reason":"stop"}],"usage":{"prompt_tokens":70,"completion_tokens":9,"total_tokens":79,"reasoning_tokens":4},"backend":{"engine_type":"vllm","machine_name":"gpu-07"}}`

const streamed = 200

func cannedStream() string {
	return strings.Repeat(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763760000,"model":"gpt-oss:120b","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`+"\n\n", streamed) + stop + counts + done
}

type nobody struct{}

func (nobody) Observe(context.Context, llmaas.Event) {}

// hooked is a client with every hook on and a real guard.
func hooked(b *testing.B, rt http.RoundTripper, hooks bool) *llmaas.Client {
	cfg := llmaas.Config{Token: llmaas.Static(key), BaseURL: "http://fake/v1", Transport: rt}
	if hooks {
		g, err := guard.New(guard.Options{})
		require.NoError(b, err)
		rules, err := output.New(output.Options{})
		require.NoError(b, err)
		budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return cost.Unlimited }})
		require.NoError(b, err)
		cfg.Guard, cfg.Output, cfg.Budget, cfg.Observer = g, rules, budget, nobody{}
		cfg.Limits = llmaas.Limits{OutputDay: 1 << 60, Concurrent: 1000}
	}
	c, err := llmaas.New(cfg)
	require.NoError(b, err)
	return c
}

func official(rt http.RoundTripper) *openai.Client {
	conf := openai.DefaultConfig(key)
	conf.BaseURL, conf.HTTPClient = "http://fake/v1", &http.Client{Transport: rt}
	return openai.NewClientWithConfig(conf)
}

var question = openai.ChatCompletionRequest{Model: model, Messages: []openai.ChatCompletionMessage{
	{Role: "system", Content: "You are a helpful assistant."}, {Role: "user", Content: "What is the capital of France?"}}}

func BenchmarkChat(b *testing.B) {
	rt := canned{cannedReply, "application/json"}
	b.Run("go-openai", func(b *testing.B) {
		c := official(rt)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.CreateChatCompletion(b.Context(), question); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, hooks := range map[string]bool{"plain": false, "hooks": true} {
		b.Run(name, func(b *testing.B) {
			c := hooked(b, rt, hooks)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Chat(b.Context(), question); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream reads 200 chunks; ns/chunk is what counts.
func BenchmarkStream(b *testing.B) {
	rt := canned{cannedStream(), "text/event-stream"}
	perChunk := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/streamed, "ns/chunk")
	}
	b.Run("go-openai", func(b *testing.B) {
		c := official(rt)
		b.ReportAllocs()
		for b.Loop() {
			s, err := c.CreateChatCompletionStream(b.Context(), question)
			if err != nil {
				b.Fatal(err)
			}
			for {
				if _, err := s.Recv(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
			_ = s.Close()
		}
		perChunk(b)
	})
	for name, hooks := range map[string]bool{"plain": false, "hooks": true} {
		b.Run(name, func(b *testing.B) {
			c := hooked(b, rt, hooks)
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range c.Stream(b.Context(), question).All() {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			perChunk(b)
		})
	}
}
