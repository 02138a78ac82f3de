package llmaas_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func questions(n int) []openai.ChatCompletionRequest {
	reqs := make([]openai.ChatCompletionRequest, n)
	for i := range reqs {
		reqs[i] = ask(fmt.Sprintf("question %d.", i))
	}
	return reqs
}

func TestBatch(t *testing.T) {
	srv := llmaastest.NewServer(t)
	c := newClient(t, srv, func(cfg *llmaas.Config) { cfg.Guard = &blocker{word: "question 5."} })
	srv.Script(llmaastest.Reply{Status: 500, Contains: "question 7."},
		llmaastest.Reply{Status: 429, Contains: "question 8.", Header: http.Header{"Retry-After-Ms": {"1"}}})
	var progress []llmaas.BatchProgress
	items, err := c.Batch(t.Context(), questions(20), llmaas.BatchOptions{Concurrent: 1, Progress: func(p llmaas.BatchProgress) { progress = append(progress, p) }})
	require.NoError(t, err)
	require.Len(t, items, 20)
	for i, item := range items {
		switch i {
		case 5:
			require.ErrorIs(t, item.Err, llmaas.ErrRefused)
		case 7:
			require.ErrorIs(t, item.Err, llmaas.ErrOverloaded)
		default:
			require.NoError(t, item.Err)
			require.Equal(t, fmt.Sprintf("You wrote: question %d.", i), item.Response.Text(), "order")
		}
	}
	require.Len(t, progress, 20)
	end := progress[19]
	require.Equal(t, [4]int{20, 20, 2, 0}, [4]int{end.Total, end.Done, end.Failed, end.Resumed})
	require.Positive(t, end.Cost)
}

func TestBatchSlowsDownAt429(t *testing.T) {
	b := &llmaastest.Backend{TTFT: 100 * time.Millisecond}
	for range 8 {
		b.Script(llmaastest.Reply{Status: 429})
	}
	bubble(t, llmaas.Config{Retry: llmaas.Retry{Attempts: 1}}, b, func(t *testing.T, c *llmaas.Client) {
		low, last := 64, 0
		items, err := c.Batch(t.Context(), questions(300), llmaas.BatchOptions{Concurrent: 64, Progress: func(p llmaas.BatchProgress) {
			low, last = min(low, p.Concurrent), p.Concurrent
		}})
		require.NoError(t, err)
		require.Equal(t, 32, low)
		require.Greater(t, last, low, "it must recover")
		for _, item := range items {
			require.NoError(t, item.Err)
		}
	})
}

func TestBatchIsCanceled(t *testing.T) {
	bubble(t, llmaas.Config{}, &llmaastest.Backend{TTFT: time.Second}, func(t *testing.T, c *llmaas.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		items, err := c.Batch(ctx, questions(20), llmaas.BatchOptions{Concurrent: 2})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		good := 0
		for _, item := range items {
			if item.Err == nil {
				good++
				continue
			}
			require.ErrorIs(t, item.Err, llmaas.ErrCanceled)
		}
		require.Equal(t, 4, good)
	})
}

func TestBatchJournal(t *testing.T) {
	reqs := questions(10)
	for name, secret := range map[string][]byte{"plain": nil, "encrypted": bytes.Repeat([]byte{7}, 32)} {
		t.Run(name, func(t *testing.T) {
			srv := llmaastest.NewServer(t)
			c := newClient(t, srv, nil)
			o := llmaas.BatchOptions{Journal: filepath.Join(t.TempDir(), "journal"), Key: secret, Concurrent: 1}
			srv.Script(llmaastest.Reply{Status: 500, Contains: "question 3."})
			first, err := c.Batch(t.Context(), reqs, o)
			require.NoError(t, err)
			require.ErrorIs(t, first[3].Err, llmaas.ErrOverloaded)

			second, err := c.Batch(t.Context(), reqs, o)
			require.NoError(t, err)
			require.Len(t, srv.Requests(), 11, "only what failed is asked for again")
			for i := range reqs {
				require.NoError(t, second[i].Err)
				require.Equal(t, i != 3, second[i].Resumed)
				require.Equal(t, fmt.Sprintf("You wrote: question %d.", i), second[i].Response.Text())
				if i != 3 {
					require.Equal(t, first[i].Response.Bill, second[i].Response.Bill)
					require.Equal(t, first[i].Response.Reasoning, second[i].Response.Reasoning)
				}
			}
			info, err := os.Stat(o.Journal)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			data, err := os.ReadFile(o.Journal)
			require.NoError(t, err)
			require.Equal(t, secret == nil, strings.Contains(string(data), "You wrote"))

			// What a crash leaves is dropped; what an error or a hand leaves is told.
			lines := bytes.SplitAfter(data, []byte("\n"))
			swapped := bytes.Join([][]byte{lines[0], lines[2], lines[1]}, nil)
			for _, row := range []struct {
				name  string
				data  []byte
				asked int // -1 for an error
			}{
				{"half a line", data[:len(data)-5], 1},
				{"half a header", data[:9], 10},
				{"empty", nil, 10},
				{"another file", []byte("hello\n"), -1},
				{"another file of one line", []byte(`{"name":"not ours"}`), -1},
				{"a line within", bytes.Replace(data, lines[2], append(lines[2][:10:10], '\n'), 1), -1},
				{"lines changed places", swapped, map[bool]int{true: 8, false: -1}[secret == nil]},
			} {
				require.NoError(t, os.WriteFile(o.Journal, row.data, 0o600))
				n := len(srv.Requests())
				_, err := c.Batch(t.Context(), reqs, o)
				if row.asked < 0 {
					require.ErrorContains(t, err, "journal: line ", row.name)
					left, err := os.ReadFile(o.Journal)
					require.NoError(t, err)
					require.Equal(t, row.data, left, row.name)
					continue
				}
				require.NoError(t, err, row.name)
				require.Equal(t, row.asked, len(srv.Requests())-n, row.name)
			}
			require.NoError(t, os.WriteFile(o.Journal, data, 0o600))
			_, err = c.Batch(t.Context(), questions(11)[1:], o)
			require.ErrorContains(t, err, "another request than before")
			wrong := o
			wrong.Key = bytes.Repeat([]byte{8}, 32)
			_, err = c.Batch(t.Context(), reqs, wrong)
			require.ErrorContains(t, err, "Key")
		})
	}
}

func TestBatchRefusesBadOptions(t *testing.T) {
	c := newClient(t, llmaastest.NewServer(t), nil)
	for _, o := range []llmaas.BatchOptions{{Concurrent: -1}, {Key: []byte("short")}, {Journal: t.TempDir()}} {
		_, err := c.Batch(t.Context(), questions(1), o)
		require.Error(t, err)
	}
	items, err := c.Batch(t.Context(), nil, llmaas.BatchOptions{})
	require.NoError(t, err)
	require.Empty(t, items)
}
