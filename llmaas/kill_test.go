package llmaas

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

const killItems = 160

func killReqs() []openai.ChatCompletionRequest {
	reqs := make([]openai.ChatCompletionRequest, killItems)
	for i := range reqs {
		reqs[i] = openai.ChatCompletionRequest{Model: "gpt-oss:120b", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: fmt.Sprintf("item %d", i)}}}
	}
	return reqs
}

// child runs the batch in a process that may be killed at any time.
func child(t *testing.T, o BatchOptions) {
	c, err := New(Config{Token: Static("x"), BaseURL: os.Getenv("LLMAAS_TEST_URL")})
	require.NoError(t, err)
	items, err := c.Batch(context.Background(), killReqs(), o)
	require.NoError(t, err)
	for i, item := range items {
		require.NoError(t, item.Err)
		require.Equal(t, fmt.Sprintf("You wrote: item %d", i), item.Response.Text())
	}
}

// TestKilledBatch kills a batch ten times at random points and lets it end: no
// answer that was kept is asked for again, and whatever was under way is repeated
// under the key that it had.
func TestKilledBatch(t *testing.T) {
	o := BatchOptions{Journal: os.Getenv("LLMAAS_TEST_JOURNAL"), Key: bytes.Repeat([]byte{1}, 32), Concurrent: 4}
	if o.Journal != "" {
		child(t, o)
		return
	}
	o.Journal = filepath.Join(t.TempDir(), "journal")
	srv := llmaastest.Serve(t, &llmaastest.Backend{TTFT: 5 * time.Millisecond})
	rng := rand.New(rand.NewPCG(7, 7))
	kept := map[int]int{} // item → requests received when it was found in the journal
	for round := range 11 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledBatch$")
		cmd.Env = append(os.Environ(), "LLMAAS_TEST_JOURNAL="+o.Journal, "LLMAAS_TEST_URL="+srv.URL)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(t, cmd.Start())
		if round == 10 {
			require.NoError(t, cmd.Wait(), out.String())
		} else {
			until := len(srv.Requests()) + rng.IntN(14)
			require.Eventually(t, func() bool { return len(srv.Requests()) >= until }, 20*time.Second, 100*time.Microsecond)
			time.Sleep(time.Duration(rng.IntN(8_000)) * time.Microsecond)
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait() // it was killed
		}
		j, err := openJournal(o.Journal, o.Key)
		require.NoError(t, err)
		for _, r := range j.records {
			if _, ok := kept[r.Index]; !ok {
				kept[r.Index] = len(srv.Requests())
			}
		}
		require.NoError(t, j.close())
	}
	require.Len(t, kept, killItems, "an answer was lost")
	keys := map[int]string{}
	for n, r := range srv.Requests() {
		var req openai.ChatCompletionRequest
		require.NoError(t, json.Unmarshal(r.Body, &req))
		var item int
		_, err := fmt.Sscanf(req.Messages[0].Content, "item %d", &item)
		require.NoError(t, err)
		require.Less(t, n, kept[item], "item %d was answered and asked for again", item)
		if keys[item] == "" {
			keys[item] = r.Header.Get("Idempotency-Key")
		}
		require.Equal(t, keys[item], r.Header.Get("Idempotency-Key"), "item %d was repeated as a new call", item)
	}
	t.Logf("%d items, %d requests, 10 kills", killItems, len(srv.Requests()))
}
