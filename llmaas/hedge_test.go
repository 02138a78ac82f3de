package llmaas_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

const (
	usual = 100 * time.Millisecond // after which answers begin that are used to learn
	slow  = 10 * time.Second
	learn = 20 // answers before the first hedge
)

// hedgeConfig hedges what is later than usual, and never retries.
func hedgeConfig(seen llmaas.Observer) llmaas.Config {
	return llmaas.Config{
		Hedge: llmaas.Hedge{Quantile: 0.95, MinSamples: learn}, Observer: seen,
		Retry: llmaas.Retry{Attempts: 1},
	}
}

// ready answers as many calls as must be seen first.
func ready(t *testing.T, b *llmaastest.Backend, c *llmaas.Client, stream bool) {
	t.Helper()
	b.Script(llmaastest.Reply{Delay: usual, Times: learn})
	for range learn {
		_, err := call(t, c, stream)
		require.NoError(t, err)
	}
}

func TestHedgeConfig(t *testing.T) {
	for _, bad := range []llmaas.Hedge{
		{Quantile: -1}, {Quantile: 1}, {Quantile: math.NaN()}, {Quantile: 0.9, MaxExtra: -1}, {Quantile: 0.9, MaxExtra: math.Inf(1)},
		{Quantile: 0.9, MaxExtra: math.NaN()}, {Quantile: 0.9, MinSamples: -1}, {Quantile: 0.9, MinSamples: 257}, {MaxExtra: 0.1}, {MinSamples: 1},
	} {
		_, err := llmaas.New(llmaas.Config{Token: llmaas.Static(key), Hedge: bad})
		require.ErrorContains(t, err, "Config.Hedge", "%+v", bad)
	}
}

func TestHedge(t *testing.T) {
	fail := llmaastest.Reply{Status: 503}
	after := func(d time.Duration, r llmaastest.Reply) llmaastest.Reply { r.Delay = d; return r }
	first := llmaastest.Reply{Delay: slow, Text: "first"}
	second := llmaastest.Reply{Delay: 50 * time.Millisecond, Text: "second"}
	begun := llmaastest.Reply{Frames: []string{"", chunk("first")}, TokenDelay: slow} // a header, and then nothing
	for _, row := range []struct {
		name    string
		streams bool // only
		replies []llmaastest.Reply
		took    time.Duration
		text    string // "" means that the call fails
		lost    []bool // for each request: the service sees that the caller went away
	}{
		{"the second wins", false, []llmaastest.Reply{first, second}, usual + 50*time.Millisecond, "second", []bool{true, false}},
		{"a header is no answer", true, []llmaastest.Reply{begun, second}, usual + 50*time.Millisecond, "second", []bool{true, false}},
		{"the first wins", false, []llmaastest.Reply{after(usual+time.Second, first), after(slow, second)}, usual + time.Second, "first", []bool{false, true}},
		{"in time", false, []llmaastest.Reply{after(usual-1, first)}, usual - 1, "first", []bool{false}},
		{"the first fails, then the second answers", false, []llmaastest.Reply{after(time.Second, fail), after(2*time.Second, second)}, usual + 2*time.Second, "second", []bool{false, false}},
		{"the second fails, then the first answers", false, []llmaastest.Reply{after(2*time.Second, first), fail}, 2 * time.Second, "first", []bool{false, false}},
		{"both fail", false, []llmaastest.Reply{after(time.Second, fail), after(2*time.Second, fail)}, usual + 2*time.Second, "", []bool{false, false}},
		{"a failure in time", false, []llmaastest.Reply{fail}, 0, "", []bool{false}},
		{"a refusal is an answer", false, []llmaastest.Reply{first, {Status: 400}}, usual, "", []bool{true, false}},
	} {
		for _, stream := range []bool{false, true} {
			if row.streams && !stream {
				continue
			}
			name := row.name
			if stream {
				name += ", stream"
			}
			t.Run(name, func(t *testing.T) {
				b, seen := &llmaastest.Backend{}, &events{}
				bubble(t, hedgeConfig(seen), b, func(t *testing.T, c *llmaas.Client) {
					ready(t, b, c, stream)
					seen.all = nil
					b.Script(row.replies...)
					start := time.Now()
					got, err := call(t, c, stream)
					require.Equal(t, row.took, time.Since(start))
					synctest.Wait()
					requests := b.Requests()[learn:]
					require.Len(t, requests, len(row.lost))
					for i, r := range requests {
						if row.lost[i] || !stream { // a stream is left at its [DONE], which may be before the service sees its end
							require.Equal(t, row.lost[i], r.Disconnected, "request %d", i)
						}
						require.Equal(t, requests[0].Body, r.Body)
						require.Equal(t, requests[0].Header, r.Header)
						require.NotEmpty(t, r.Header.Get("Idempotency-Key"))
					}
					last := seen.all[len(seen.all)-1]
					require.Equal(t, len(row.lost), last.Attempts)
					require.Equal(t, len(row.lost) == 2, seen.all[1].Kind == llmaas.Hedged)
					if len(row.lost) == 2 {
						require.Equal(t, usual, seen.all[1].Wait)
					}
					if row.text == "" {
						var e *llmaas.Error
						require.ErrorAs(t, err, &e)
						require.Equal(t, len(row.lost), e.Attempts)
						return
					}
					require.NoError(t, err)
					require.Equal(t, row.text, got.text)
					require.Equal(t, got.billed[1], last.Usage.Output, "one answer is billed")
				})
			})
		}
	}
}

// Before there is something to go by, and for what must not be sent twice, the
// first request has all the time.
func TestNotHedged(t *testing.T) {
	embed := func(ctx context.Context, c *llmaas.Client) error {
		_, err := c.Embeddings(ctx, openai.EmbeddingRequest{Model: "embed", Input: "a"})
		return err
	}
	transcribe := func(ctx context.Context, c *llmaas.Client) error {
		_, err := c.Transcribe(ctx, openai.AudioRequest{Model: "whisper", FilePath: "a.wav", Reader: strings.NewReader("sound")})
		return err
	}
	batch := func(ctx context.Context, c *llmaas.Client) error {
		_, err := c.Batch(ctx, []openai.ChatCompletionRequest{ask(prompt)}, llmaas.BatchOptions{})
		return err
	}
	models := func(ctx context.Context, c *llmaas.Client) error {
		_, err := c.Models(ctx)
		return err
	}
	for _, row := range []struct {
		name     string
		learned  int
		do       func(context.Context, *llmaas.Client) error
		requests int
	}{
		{"embeddings", learn, embed, 2},
		{"too few samples", learn - 1, embed, 1},
		{"an upload", learn, transcribe, 1},
		{"a batch", learn, batch, 1},
		{"no model", learn, models, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := &llmaastest.Backend{Models: others}
			bubble(t, hedgeConfig(nil), b, func(t *testing.T, c *llmaas.Client) {
				b.Script(llmaastest.Reply{Delay: usual, Times: row.learned}, llmaastest.Reply{Delay: slow})
				for range row.learned {
					require.NoError(t, row.do(t.Context(), c))
				}
				require.NoError(t, row.do(t.Context(), c))
				require.Len(t, b.Requests(), row.learned+row.requests)
			})
		})
	}
}

// A service that has become slow gets no more than the share it was promised.
func TestHedgesAreBounded(t *testing.T) {
	for _, extra := range []float64{0, 0.01, 0.2} {
		const calls = 1000
		b := &llmaastest.Backend{}
		cfg := hedgeConfig(nil)
		cfg.Hedge.MaxExtra = extra
		bubble(t, cfg, b, func(t *testing.T, c *llmaas.Client) {
			ready(t, b, c, false)
			hedged := 0
			for i := range calls - learn {
				// Each is slower than all before it.
				b.Script(llmaastest.Reply{Delay: slow + time.Duration(i)*usual})
				resp, err := c.Chat(t.Context(), ask(prompt))
				require.NoError(t, err)
				if resp.Hedged {
					hedged++
				}
			}
			if extra == 0 {
				extra = 0.05 // as documented
			}
			require.Equal(t, calls+hedged, b.Stats().Requests)
			require.LessOrEqual(t, float64(hedged), extra*calls)
			require.Greater(t, float64(hedged), extra*calls-2)
		})
	}
}

// Retries and hedges together stay within one more request than there are attempts.
func TestHedgeAndRetry(t *testing.T) {
	b := &llmaastest.Backend{}
	cfg := hedgeConfig(nil)
	cfg.Retry.Attempts = 3
	cfg.Hedge.MaxExtra = 1
	bubble(t, cfg, b, func(t *testing.T, c *llmaas.Client) {
		ready(t, b, c, false)
		b.Script(llmaastest.Reply{Delay: slow, Status: 503, Times: 10})
		_, err := call(t, c, false)
		require.ErrorIs(t, err, llmaas.ErrOverloaded)
		requests := b.Requests()[learn:]
		require.Len(t, requests, 4)
		for _, r := range requests {
			require.Equal(t, requests[0].Header.Get("Idempotency-Key"), r.Header.Get("Idempotency-Key"))
		}
	})
}

func TestHedgeCanceled(t *testing.T) {
	for _, stream := range []bool{false, true} {
		b := &llmaastest.Backend{}
		bubble(t, hedgeConfig(nil), b, func(t *testing.T, c *llmaas.Client) {
			ready(t, b, c, stream)
			b.Script(llmaastest.Reply{Hang: true, Times: 2})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			var err error
			if stream {
				err = c.Stream(ctx, ask(prompt)).Err()
			} else {
				_, err = c.Chat(ctx, ask(prompt))
			}
			require.ErrorIs(t, err, llmaas.ErrCanceled)
			synctest.Wait()
			for _, r := range b.Requests()[learn:] {
				require.True(t, r.Disconnected)
			}
			require.Len(t, b.Requests(), learn+2)
		})
	}
}

// What is usual is what the last answers took, not what those long ago did.
func TestHedgeLearnsAnew(t *testing.T) {
	b, seen := &llmaastest.Backend{}, &events{}
	cfg := hedgeConfig(seen)
	cfg.Hedge.MaxExtra = 1
	bubble(t, cfg, b, func(t *testing.T, c *llmaas.Client) {
		ready(t, b, c, false)
		b.Script(llmaastest.Reply{Contains: "now it is faster", Delay: usual / 2, Times: 256})
		for range 256 {
			_, err := c.Chat(t.Context(), ask("now it is faster"))
			require.NoError(t, err)
		}
		b.Script(llmaastest.Reply{Contains: prompt, Delay: slow})
		seen.all = nil
		resp, err := c.Chat(t.Context(), ask(prompt))
		require.NoError(t, err)
		require.True(t, resp.Hedged)
		require.Equal(t, 2, resp.Attempts)
		require.Equal(t, "start, hedge, end", seen.kinds())
		require.Equal(t, usual/2, seen.all[1].Wait)
	})
}

// Leaving a hedged stream ends the request that won, as it ends any other.
func TestHedgedStreamCloses(t *testing.T) {
	b := &llmaastest.Backend{}
	bubble(t, hedgeConfig(nil), b, func(t *testing.T, c *llmaas.Client) {
		ready(t, b, c, true)
		b.Script(llmaastest.Reply{Delay: slow}, llmaastest.Reply{TokenDelay: time.Minute, Text: "a b c"})
		s := c.Stream(t.Context(), ask(prompt))
		for _, err := range s.All() {
			require.NoError(t, err)
			synctest.Wait()
			lost, won := b.Requests()[learn], b.Requests()[learn+1]
			require.True(t, lost.Disconnected, "at once")
			require.False(t, won.Disconnected)
			break
		}
		synctest.Wait()
		result := s.Result()
		require.True(t, result.Hedged)
		for _, r := range b.Requests()[learn:] {
			require.True(t, r.Disconnected)
		}
		require.Len(t, b.Requests(), learn+2)
	})
}
