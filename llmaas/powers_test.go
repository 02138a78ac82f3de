package llmaas_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// bubble is inBubble with a config of the test's own.
func bubble(t *testing.T, cfg llmaas.Config, b *llmaastest.Backend, f func(t *testing.T, c *llmaas.Client)) {
	synctest.Test(t, func(t *testing.T) {
		if cfg.Token == nil {
			cfg.Token = llmaas.Static(key)
		}
		cfg.BaseURL, cfg.Transport = "http://fake/v1", b.Transport()
		c, err := llmaas.New(cfg)
		require.NoError(t, err)
		f(t, c)
	})
}

func TestTimeouts(t *testing.T) {
	slow := llmaas.Timeouts{FirstToken: 30 * time.Second, Idle: 5 * time.Second, Reply: time.Minute}
	for _, row := range []struct {
		name   string
		reply  llmaastest.Reply
		every  time.Duration
		stream bool
		took   time.Duration
		says   string
	}{
		{"no header", llmaastest.Reply{Hang: true}, 0, true, 30 * time.Second, "no token within 30s"},
		{"a header, then nothing", llmaastest.Reply{Text: "a b c"}, 0, true, 30 * time.Second, "no token within 30s"},
		{"a pause between tokens", llmaastest.Reply{Text: "a b c"}, 6 * time.Second, true, 5 * time.Second, "no chunk within 5s"},
		{"no reply", llmaastest.Reply{Hang: true}, 0, false, time.Minute, "no reply within 1m0s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := &llmaastest.Backend{TokenDelay: row.every}
			if row.name == "a header, then nothing" {
				b.TTFT = time.Hour
			}
			b.Script(row.reply)
			bubble(t, llmaas.Config{Timeouts: slow, Retry: llmaas.Retry{Attempts: 1}}, b, func(t *testing.T, c *llmaas.Client) {
				start := time.Now()
				_, err := call(t, c, row.stream)
				require.ErrorIs(t, err, llmaas.ErrTimeout)
				require.NotErrorIs(t, err, context.Canceled)
				require.ErrorContains(t, err, row.says)
				require.Equal(t, row.took, time.Since(start))
			})
		})
	}
}

func TestSlowStreamsAreNoTimeouts(t *testing.T) {
	b := &llmaastest.Backend{TokenDelay: 59 * time.Second, TTFT: 4 * time.Minute}
	bubble(t, llmaas.Config{}, b, func(t *testing.T, c *llmaas.Client) {
		got, err := call(t, c, true)
		require.NoError(t, err)
		require.Contains(t, got.text, "You wrote")
	})
}

// tokens gives one secret after the other, the last one always.
func tokensOf(secrets ...string) llmaas.TokenSource {
	var n atomic.Int64
	return llmaas.TokenFunc(func(context.Context) (llmaas.Token, error) {
		i := min(int(n.Add(1)), len(secrets))
		return llmaas.NewToken(secrets[i-1]), nil
	})
}

func TestTokenRotation(t *testing.T) {
	for _, row := range []struct {
		name    string
		secrets []string
		calls   []bool // which succeed
	}{
		{"a newer one at hand", []string{"old", "new"}, []bool{true, true}},
		{"none at hand", []string{"old"}, []bool{false}},
		{"a new one that does not count yet", []string{"new", "early", "early"}, []bool{true, true, true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			srv := llmaastest.Serve(t, &llmaastest.Backend{Keys: []string{"new"}})
			c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Token = tokensOf(row.secrets...) })
			for _, good := range row.calls {
				_, err := c.Chat(t.Context(), ask(prompt))
				if !good {
					require.ErrorIs(t, err, llmaas.ErrUnauthorized)
					continue
				}
				require.NoError(t, err)
			}
		})
	}
}

func TestFileToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	source := llmaas.FileToken(path)
	_, err := source.Token(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
	write := func(secret string) {
		require.NoError(t, os.WriteFile(path+".new", []byte(secret), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
	for _, row := range []struct{ file, want string }{{" one\n", "one"}, {"two", "two"}, {"", "two"}, {strings.Repeat("x", 20<<10), "two"}, {"three", "three"}} {
		write(row.file)
		token, err := source.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, row.want, token.Reveal())
	}
	require.NoError(t, os.Remove(path))
	token, err := source.Token(t.Context())
	require.NoError(t, err, "the last token stays while the file is replaced")
	require.Equal(t, "three", token.Reveal())
	_, err = newClient(t, llmaastest.NewServer(t), func(cfg *llmaas.Config) { cfg.Token = llmaas.Static("a\nb") }).Chat(t.Context(), ask(prompt))
	require.ErrorIs(t, err, llmaas.ErrUnauthorized)
}

func TestFallbacks(t *testing.T) {
	for _, stream := range []bool{false, true} {
		srv, other := llmaastest.NewServer(t), llmaastest.Serve(t, &llmaastest.Backend{Keys: []string{"theirs"}})
		seen := &events{}
		c := newClient(t, srv, func(cfg *llmaas.Config) {
			cfg.Fallbacks = []llmaas.Fallback{{Model: "llama3.3:70b"}, {BaseURL: other.URL, Token: llmaas.Static("theirs")}}
			cfg.FallbackText, cfg.Observer = "Please try again later.", seen
		})
		run := func() (string, llmaas.Result, error) {
			if !stream {
				resp, err := c.Chat(t.Context(), ask("hello"))
				if err != nil {
					return "", llmaas.Result{}, err
				}
				return resp.Text(), resp.Result, nil
			}
			s := c.Stream(t.Context(), ask("hello"))
			for range s.All() {
			}
			resp := s.Response()
			return resp.Text(), resp.Result, s.Err()
		}
		srv.Script(llmaastest.Reply{Status: 503, Model: model})
		text, r, err := run()
		require.NoError(t, err)
		require.Equal(t, "You wrote: hello", text)
		require.Equal(t, "llama3.3:70b", r.Model)
		require.Len(t, r.Fallbacks, 1)
		require.ErrorIs(t, r.Fallbacks[0], llmaas.ErrOverloaded)
		require.Contains(t, seen.kinds(), "start, fallback")

		srv.Script(llmaastest.Reply{Status: 503}, llmaastest.Reply{Status: 429})
		text, r, err = run()
		require.NoError(t, err)
		require.Equal(t, "You wrote: hello", text)
		require.Equal(t, model, r.Model)
		require.Len(t, r.Fallbacks, 2)
		require.Len(t, other.Requests(), 1)

		srv.Script(llmaastest.Reply{Status: 503}, llmaastest.Reply{Status: 429})
		other.Script(llmaastest.Reply{Status: 500})
		text, r, err = run()
		require.NoError(t, err)
		require.Equal(t, "Please try again later.", text)
		require.Empty(t, r.Model)
		require.Zero(t, r.Bill.Total)
		require.Len(t, r.Fallbacks, 3)

		srv.Script(llmaastest.Reply{Status: 400})
		_, _, err = run()
		require.ErrorIs(t, err, llmaas.ErrInvalidRequest, "a request that is wrong stays wrong")
	}
}

func TestLimits(t *testing.T) {
	chat := func(t *testing.T, c *llmaas.Client) error {
		_, err := c.Chat(t.Context(), ask("hello"))
		return err
	}
	t.Run("requests a minute", func(t *testing.T) {
		bubble(t, llmaas.Config{Limits: llmaas.Limits{Requests: 2}, Retry: llmaas.Retry{MaxWait: time.Minute}}, &llmaastest.Backend{}, func(t *testing.T, c *llmaas.Client) {
			start := time.Now()
			for range 5 {
				require.NoError(t, chat(t, c))
			}
			require.Equal(t, 2*time.Minute, time.Since(start))
		})
	})
	t.Run("output tokens", func(t *testing.T) {
		bubble(t, llmaas.Config{Limits: llmaas.Limits{OutputHour: 1030}}, &llmaastest.Backend{}, func(t *testing.T, c *llmaas.Client) {
			require.NoError(t, chat(t, c)) // reserves 1,024 and uses fewer
			err := chat(t, c)
			require.ErrorIs(t, err, llmaas.ErrRateLimited)
			var e *llmaas.Error
			require.ErrorAs(t, err, &e)
			require.LessOrEqual(t, e.RetryAfter, time.Hour)
			time.Sleep(e.RetryAfter)
			require.NoError(t, chat(t, c))
		})
	})
	t.Run("models", func(t *testing.T) {
		bubble(t, llmaas.Config{Limits: llmaas.Limits{Models: []string{"llama3.3:70b"}}}, &llmaastest.Backend{}, func(t *testing.T, c *llmaas.Client) {
			require.ErrorIs(t, chat(t, c), llmaas.ErrForbidden)
		})
	})
	t.Run("at once", func(t *testing.T) {
		bubble(t, llmaas.Config{Limits: llmaas.Limits{Concurrent: 2}}, &llmaastest.Backend{TTFT: time.Second}, func(t *testing.T, c *llmaas.Client) {
			start := time.Now()
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() { require.NoError(t, chat(t, c)) })
			}
			wg.Wait()
			require.Equal(t, 3*time.Second, time.Since(start))
		})
	})
	t.Run("the service says that none is left", func(t *testing.T) {
		b := &llmaastest.Backend{}
		b.Script(llmaastest.Reply{Status: 200, Body: wholeReply("a", ""), Header: map[string][]string{
			"X-Ratelimit-Remaining-Requests": {"0"}, "X-Ratelimit-Reset-Requests": {"946684807"}}}) // seven seconds into the bubble's year 2000
		bubble(t, llmaas.Config{}, b, func(t *testing.T, c *llmaas.Client) {
			start := time.Now()
			require.NoError(t, chat(t, c))
			require.NoError(t, chat(t, c))
			require.Equal(t, 7*time.Second, time.Since(start))
		})
	})
	t.Run("budget", func(t *testing.T) {
		srv := llmaastest.NewServer(t)
		budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return cost.Euro / 40 }})
		require.NoError(t, err)
		c := newClient(t, srv, func(cfg *llmaas.Config) {
			cfg.Budget = budget
		})
		var spent cost.Amount
		for range 10_000 {
			resp, err := c.Chat(t.Context(), ask("hello"))
			if err != nil {
				require.ErrorIs(t, err, llmaas.ErrBudget)
				var over *cost.OverBudgetError
				require.ErrorAs(t, err, &over)
				break
			}
			spent += resp.Bill.Total
		}
		balance, err := budget.Balance(t.Context(), "", time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC))
		require.NoError(t, err)
		require.Equal(t, spent, balance.Spent)
		require.Positive(t, spent)
	})
}

func TestOutputScan(t *testing.T) {
	canary := output.MintCanary()
	rules, err := output.New(output.Options{Canaries: []string{canary}})
	require.NoError(t, err)
	for _, stream := range []bool{false, true} {
		srv := llmaastest.NewServer(t)
		c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Output = rules })
		srv.Script(llmaastest.Reply{Text: "My orders say " + canary + " and more."}, llmaastest.Reply{Text: "Nothing to see."})
		got, err := call(t, c, stream)
		require.ErrorIs(t, err, llmaas.ErrWithheld)
		require.NotContains(t, err.Error(), canary)
		require.NotContains(t, got.text, canary[:8])
		got, err = call(t, c, stream)
		require.NoError(t, err)
		require.Equal(t, "Nothing to see.", got.text)
	}
}

func TestLifecycleAdvice(t *testing.T) {
	srv := llmaastest.Serve(t, &llmaastest.Backend{Models: []llmaastest.Model{{ID: "cogito:32b"}}})
	day := time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	c := newClient(t, srv, func(cfg *llmaas.Config) {
		cfg.Now, cfg.Log = func() time.Time { return day }, slog.New(slog.NewTextHandler(&log, nil))
	})
	req := ask("hello")
	req.Model = "cogito:32b"
	for range 3 {
		resp, err := c.Chat(t.Context(), req)
		require.NoError(t, err)
		require.NotEmpty(t, resp.Advice)
	}
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "one line a day")
	day = day.AddDate(0, 0, 1)
	_, err := c.Chat(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(log.String(), "\n"))
	req.Model = "deepseek-r1:70b"
	n := len(srv.Requests())
	_, err = c.Chat(t.Context(), req)
	require.ErrorIs(t, err, llmaas.ErrModelGone)
	require.Len(t, srv.Requests(), n, "a model that is gone was asked for")
}

func TestEvents(t *testing.T) {
	srv := llmaastest.NewServer(t)
	var log bytes.Buffer
	seen := &events{}
	c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Observer = seen })
	_, err := call(t, c, true)
	require.NoError(t, err)
	require.Equal(t, "start, first token, end", seen.kinds())
	end := seen.all[2]
	require.Positive(t, end.Usage.Output)
	require.Positive(t, end.Bill.Total)
	require.NotEmpty(t, end.Backend.Machine)
	require.NotEmpty(t, end.RequestID)
	observer := llmaas.LogEvents(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, e := range seen.all {
		observer.Observe(t.Context(), e)
	}
	require.Equal(t, 3, strings.Count(log.String(), "\n"))
	require.NotContains(t, log.String(), prompt)
	require.NotContains(t, log.String(), key)
}
