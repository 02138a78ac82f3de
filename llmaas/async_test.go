package llmaas_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func lines(n int) []llmaas.AsyncRequest {
	reqs := make([]llmaas.AsyncRequest, n)
	for i, q := range questions(n) {
		reqs[i] = llmaas.AsyncRequest{ID: fmt.Sprintf("q-%d", i), Request: q}
	}
	return reqs
}

func TestAsyncBatch(t *testing.T) {
	b := &llmaastest.Backend{}
	bubble(t, llmaas.Config{Guard: &blocker{word: "forbidden"}, Now: func() time.Time { return time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC) }}, b, func(t *testing.T, c *llmaas.Client) {
		ctx := t.Context()
		reqs := lines(5)
		reqs[3].Request.Model = "nobody"
		sent, err := c.SubmitBatch(ctx, reqs)
		require.NoError(t, err)
		again := c.AsyncBatch(sent.ID)
		_, err = again.Results(ctx)
		require.ErrorIs(t, err, llmaas.ErrInvalidRequest, "it is not over")
		b.Script(llmaastest.Reply{Path: "/batches/" + sent.ID, Status: 503}, llmaastest.Reply{Path: "/batches/" + sent.ID, Status: 500})
		start := time.Now()
		state, err := again.Wait(ctx)
		require.NoError(t, err)
		require.Equal(t, "completed", state.Status)
		require.Greater(t, time.Since(start), 2*time.Second)
		items, err := again.Results(ctx)
		require.NoError(t, err)
		require.Len(t, items, 5)
		for i, r := range reqs {
			item := items[r.ID]
			if i == 3 {
				require.ErrorIs(t, item.Err, llmaas.ErrModelNotFound)
				continue
			}
			require.NoError(t, item.Err)
			require.Equal(t, fmt.Sprintf("You wrote: question %d.", i), item.Response.Text())
			require.True(t, item.Response.Billed.Batch)
			whole, err := c.Chat(ctx, r.Request)
			require.NoError(t, err)
			require.Equal(t, whole.Bill.Total, 2*item.Response.Bill.Total, "half the price")
		}

		sent, err = c.SubmitBatch(ctx, lines(2))
		require.NoError(t, err)
		state, err = sent.Cancel(ctx)
		require.NoError(t, err)
		require.Equal(t, "cancelled", state.Status)
		items, err = sent.Results(ctx)
		require.NoError(t, err)
		require.Empty(t, items)
		_, err = c.AsyncBatch("../models").Status(ctx)
		require.Error(t, err)

		n := len(b.Requests())
		reqs = lines(3)
		reqs[2].Request = ask("something forbidden")
		_, err = c.SubmitBatch(ctx, reqs)
		require.ErrorIs(t, err, llmaas.ErrRefused)
		require.ErrorContains(t, err, "request 2")
		require.Len(t, b.Requests(), n)
	})
}

// A batch that may have been taken is not submitted again: it would be paid twice.
func TestSubmitBatchOnce(t *testing.T) {
	for status, times := range map[int]int{500: 1, 502: 1, 408: 1, 409: 1, 429: 3, 503: 3} {
		b := &llmaastest.Backend{}
		b.Script(llmaastest.Reply{Path: "/batches", Status: status, Times: 9})
		bubble(t, llmaas.Config{}, b, func(t *testing.T, c *llmaas.Client) {
			_, err := c.SubmitBatch(t.Context(), lines(1))
			var e *llmaas.Error
			require.ErrorAs(t, err, &e, status)
			require.Equal(t, times, e.Attempts, status)
			require.Len(t, b.Requests(), 1+times, status)
		})
	}
	for fault, times := range map[error]int{&net.OpError{Op: "dial", Err: io.EOF}: 3, &net.OpError{Op: "read", Err: io.EOF}: 1, io.ErrUnexpectedEOF: 1} {
		synctest.Test(t, func(t *testing.T) {
			line := &brokenLine{RoundTripper: (&llmaastest.Backend{}).Transport(), err: fault}
			c, err := llmaas.New(llmaas.Config{Token: llmaas.Static(key), Transport: line})
			require.NoError(t, err)
			_, err = c.SubmitBatch(t.Context(), lines(1))
			require.ErrorIs(t, err, llmaas.ErrConnection)
			require.Equal(t, times, line.asked, "%v", fault)
		})
	}
}

// brokenLine breaks when a batch is submitted.
type brokenLine struct {
	http.RoundTripper
	err   error
	asked int
}

func (l *brokenLine) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/batches") {
		return l.RoundTripper.RoundTrip(r)
	}
	l.asked++
	return nil, l.err
}

func TestBatchLines(t *testing.T) {
	data, err := llmaas.BatchLines(lines(3))
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(data), "\n"))
	twice := lines(2)
	twice[1].ID = "q-0"
	huge := lines(2)
	huge[1].Request = ask(strings.Repeat("x", 101_000_000))
	for want, reqs := range map[string][]llmaas.AsyncRequest{
		"got 0 requests":              nil,
		"got 50001 requests":          lines(50_001),
		"request 0: got an ID of 0":   {{Request: ask("a")}},
		"its ID is that of request 0": twice,
		"request 1 takes the file":    huge,
	} {
		_, err := llmaas.BatchLines(reqs)
		require.ErrorContains(t, err, want)
	}
}

func TestConversation(t *testing.T) {
	srv := llmaastest.NewServer(t)
	v := &llmaas.Conversation{Client: newClient(t, srv, nil), Context: 2000, Request: openai.ChatCompletionRequest{
		Model: model, Messages: []openai.ChatCompletionMessage{{Role: "system", Content: "Be brief."}},
	}}
	for i := range 30 {
		said := openai.ChatCompletionMessage{Role: "user", Content: fmt.Sprintf("turn %d. ", i) + strings.Repeat("many words of it ", 10)}
		s, err := v.Say(t.Context(), said)
		require.NoError(t, err)
		for _, err := range s.All() {
			require.NoError(t, err)
		}
		v.Keep(s, said)
		require.LessOrEqual(t, s.Result().Estimate.Total.High, 2000-1024)
	}
	require.Len(t, v.Messages(), 1+2*30)
	body := string(last(srv).Body)
	require.Contains(t, body, "Be brief.")
	require.Contains(t, body, "turn 29.")
	require.NotContains(t, body, "turn 0.")
	_, err := (&llmaas.Conversation{Client: v.Client, Request: v.Request, Context: 100}).Say(t.Context())
	require.ErrorIs(t, err, llmaas.ErrInvalidRequest)
}
