package llmaas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func TestNewRefusesBadConfigs(t *testing.T) {
	token := llmaas.Static(key)
	for name, cfg := range map[string]llmaas.Config{
		"Config.Token":   {},
		"Config.Retry":   {Token: token, Retry: llmaas.Retry{Attempts: -1}},
		"Config.BaseURL": {Token: token, BaseURL: "api.example.com"},
	} {
		_, err := llmaas.New(cfg)
		require.ErrorContains(t, err, name)
	}
	for _, bad := range []string{"ftp://x/v1", "http://", "http://user:secret@x/v1", "http://x/v1?key=secret", "http://x/v1#f", "://", "http://x\x7f/"} {
		_, err := llmaas.New(llmaas.Config{Token: token, BaseURL: bad})
		require.ErrorContains(t, err, "Config.BaseURL")
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestTokenNeverPrints(t *testing.T) {
	token := llmaas.NewToken(key)
	require.Equal(t, key, token.Reveal())
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", token, "in", struct{ T llmaas.Token }{token})
	inJSON, err := json.Marshal(map[string]any{"t": token})
	require.NoError(t, err)
	printed := log.String() + string(inJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T %[1]v"} {
		printed += fmt.Sprintf(verb, token) + fmt.Sprintf(verb, &token) + fmt.Sprintf(verb, []llmaas.Token{token}) + fmt.Sprintf(verb, struct{ hidden llmaas.Token }{token})
	}
	require.NotContains(t, printed, key)
	require.NotContains(t, printed, fmt.Sprintf("%x", key))
	require.Contains(t, printed, "[redacted]")
}

func TestBillIsExact(t *testing.T) {
	srv := llmaastest.NewServer(t)
	usage := `,"usage":{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270,"reasoning_tokens":40},"backend":{"engine_type":"vllm","machine_name":"gpu-07"}`
	srv.Script(llmaastest.Reply{Status: 200, Header: http.Header{"Id": {"req-1"}}, Body: wholeReply("a", usage)})
	c := newClient(t, srv, func(cfg *llmaas.Config) {
		cfg.Now = func() time.Time { return time.Date(2025, 11, 22, 0, 0, 0, 0, time.UTC) }
	})
	resp, err := c.Chat(t.Context(), ask(prompt))
	require.NoError(t, err)
	// 70 × 900 + 160 × 4,000 + 40 × 21,000 nano-euro
	require.Equal(t, cost.Amount(63_000+640_000+840_000), resp.Bill.Total)
	require.Equal(t, cost.Usage{Input: 70, Output: 200, Reasoning: 40}, resp.Billed)
	require.Equal(t, llmaas.Backend{Engine: "vllm", Machine: "gpu-07"}, resp.Backend)
	require.Equal(t, "req-1", resp.RequestID)
	require.True(t, resp.EnergyKnown)
	require.Equal(t, "production", resp.Status.Phase.String())
	require.Equal(t, model, resp.Status.Model)
}

// blocker refuses what holds a word, and writes down what it saw.
type blocker struct {
	word string
	saw  []guard.Input
}

func (b *blocker) Inspect(_ context.Context, in guard.Input) guard.Report {
	b.saw = append(b.saw, in)
	if strings.Contains(in.Text, b.word) {
		return guard.Report{Action: guard.Block, Findings: []guard.Finding{{Rule: "test/word", Why: "it holds the word"}}}
	}
	return guard.Report{}
}

func TestGuardSeesOnlyTheNewTurn(t *testing.T) {
	srv := llmaastest.NewServer(t)
	b := &blocker{word: "forbidden"}
	c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Guard = b })
	req := ask("an old forbidden question")
	req.Messages = append(req.Messages,
		openai.ChatCompletionMessage{Role: "assistant", Content: "an answer"},
		openai.ChatCompletionMessage{Role: "tool", ToolCallID: "1", Content: "a result"},
		openai.ChatCompletionMessage{Role: "user", MultiContent: []openai.ChatMessagePart{{Type: "text", Text: "and now"}}})
	ctx := llmaas.WithCall(t.Context(), llmaas.Call{Tenant: "acme", Session: "42"})
	_, err := c.Chat(ctx, req)
	require.NoError(t, err)
	require.Len(t, b.saw, 2)
	require.Equal(t, "a result", b.saw[0].Text)
	require.Equal(t, "and now\n", b.saw[1].Text)
	require.Equal(t, "acme 42", b.saw[0].Tenant+" "+b.saw[0].Session)

	_, err = c.Chat(ctx, ask("a forbidden question"))
	require.ErrorIs(t, err, llmaas.ErrRefused)
	var e *llmaas.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "test/word", e.Report.Findings[0].Rule)
	require.NotContains(t, err.Error(), "forbidden question")
	s := c.Stream(ctx, ask("a forbidden question"))
	for _, err := range s.All() {
		require.ErrorIs(t, err, llmaas.ErrRefused)
	}
	require.Equal(t, guard.Block, s.Result().Report.Action)
	require.Len(t, srv.Requests(), 1, "a refused prompt left the process")
}

func TestRequestOnTheWire(t *testing.T) {
	srv := llmaastest.NewServer(t)
	c := newClient(t, srv, nil)
	ctx := llmaas.WithCall(t.Context(), llmaas.Call{
		Header: http.Header{"x-trace": {"7"}},
		Extra:  map[string]any{"temperature": 0, "guided_choice": []string{"a", "b"}},
	})
	_, err := c.Chat(ctx, ask("hello"))
	require.NoError(t, err)
	got := srv.Requests()[0]
	require.Equal(t, "Bearer "+key, got.Header.Get("Authorization"))
	require.Equal(t, "7", got.Header.Get("X-Trace"))
	require.NotEmpty(t, got.Header.Get("Idempotency-Key"))
	require.JSONEq(t, `{"model":"gpt-oss:120b","messages":[{"role":"user","content":"hello"}],"stream":false,"temperature":0,"guided_choice":["a","b"]}`, string(got.Body))
}

// inBubble runs f with a fake service and without a network, on fake time.
func inBubble(t *testing.T, f func(t *testing.T, b *llmaastest.Backend, c *llmaas.Client)) {
	synctest.Test(t, func(t *testing.T) {
		b := &llmaastest.Backend{}
		c, err := llmaas.New(llmaas.Config{Token: llmaas.Static(key), BaseURL: "http://fake/v1", Transport: b.Transport()})
		require.NoError(t, err)
		f(t, b, c)
	})
}

func TestRetry(t *testing.T) {
	fail := func(status int, header ...string) llmaastest.Reply {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return llmaastest.Reply{Status: status, Header: h}
	}
	for _, row := range []struct {
		name     string
		replies  []llmaastest.Reply
		requests int
		kind     error
		min, max time.Duration
	}{
		{"503 twice", []llmaastest.Reply{fail(503), fail(503)}, 3, nil, 0, 1500 * time.Millisecond},
		{"503 always", []llmaastest.Reply{fail(503), fail(503), fail(503)}, 3, llmaas.ErrOverloaded, 0, 1500 * time.Millisecond},
		{"429 that says when", []llmaastest.Reply{fail(429, "Retry-After", "7")}, 2, nil, 7 * time.Second, 7 * time.Second},
		{"429 in milliseconds", []llmaastest.Reply{fail(429, "Retry-After-Ms", "1500")}, 2, nil, 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"429 that asks for too long", []llmaastest.Reply{fail(429, "Retry-After", "3600")}, 1, llmaas.ErrRateLimited, 0, 0},
		{"429 that must not be retried", []llmaastest.Reply{fail(429, "X-Should-Retry", "false")}, 1, llmaas.ErrRateLimited, 0, 0},
		{"400 that may be retried", []llmaastest.Reply{fail(400, "X-Should-Retry", "true")}, 2, nil, 0, 500 * time.Millisecond},
		{"400", []llmaastest.Reply{fail(400)}, 1, llmaas.ErrInvalidRequest, 0, 0},
		{"408, then 409", []llmaastest.Reply{fail(408), fail(409)}, 3, nil, 0, 1500 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *llmaastest.Backend, c *llmaas.Client) {
				b.Script(row.replies...)
				start := time.Now()
				_, err := c.Chat(t.Context(), ask(prompt))
				if row.kind == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, row.kind)
				}
				took := time.Since(start)
				require.GreaterOrEqual(t, took, row.min)
				require.LessOrEqual(t, took, row.max)
				all := b.Requests()
				require.Len(t, all, row.requests)
				for _, r := range all {
					require.Equal(t, all[0].Body, r.Body)
					require.Equal(t, all[0].Header.Get("Idempotency-Key"), r.Header.Get("Idempotency-Key"))
				}
			})
		})
	}
}

func TestRetryGivesUpBeforeTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, b *llmaastest.Backend, c *llmaas.Client) {
		b.Script(llmaastest.Reply{Status: 429, Header: http.Header{"Retry-After": {"20"}}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.Chat(ctx, ask(prompt))
		require.ErrorIs(t, err, llmaas.ErrRateLimited)
		require.Zero(t, time.Since(start))
	})
}

func TestTimeoutAndCancel(t *testing.T) {
	inBubble(t, func(t *testing.T, b *llmaastest.Backend, c *llmaas.Client) {
		b.Script(llmaastest.Reply{Hang: true}, llmaastest.Reply{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := c.Chat(ctx, ask(prompt))
		require.ErrorIs(t, err, llmaas.ErrTimeout)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = c.Chat(ctx, ask(prompt))
		require.ErrorIs(t, err, llmaas.ErrCanceled)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestLeavingTheLoopStopsTheMachine(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{TokenDelay: time.Millisecond})
	c := newClient(t, srv, nil)
	s := c.Stream(t.Context(), ask(strings.Repeat("word ", 800)))
	for chunk, err := range s.All() {
		require.NoError(t, err)
		if chunk.Text() != "" {
			break
		}
	}
	require.NoError(t, s.Err())
	r := s.Result()
	require.True(t, r.Billed.Estimated)
	require.Positive(t, r.Billed.Input)
	require.Positive(t, r.Bill.Total)
	require.Eventually(t, func() bool { return srv.Requests()[0].Disconnected }, 5*time.Second, time.Millisecond)
}

func TestTokenSource(t *testing.T) {
	srv := llmaastest.NewServer(t)
	broken := errors.New("the vault is closed")
	c := newClient(t, srv, func(cfg *llmaas.Config) {
		cfg.Token = llmaas.TokenFunc(func(context.Context) (llmaas.Token, error) { return llmaas.Token{}, broken })
	})
	_, err := c.Chat(t.Context(), ask(prompt))
	require.ErrorIs(t, err, llmaas.ErrUnauthorized)
	require.ErrorIs(t, err, broken)
	require.Empty(t, srv.Requests())
}
