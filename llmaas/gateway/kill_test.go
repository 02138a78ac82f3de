package gateway_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
)

// TestKilledAtAnyPoint kills a gateway under load, again and again over the same
// folder, while keys are being made. Each time every key that was handed out
// works, every answer that a caller got is in the audit with its tokens, and the
// only thing that Verify finds is a line that was not written to its end. What
// the next start does to that line it says itself.
func TestKilledAtAnyPoint(t *testing.T) {
	machine := httptest.NewServer(fastMachine(0))
	defer machine.Close()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(8, 20))
	answered := make(map[string]bool) // request ids
	var keys []string
	for round := range 20 {
		c := start(t, job{Upstream: machine.URL + "/v1", Dir: dir, Sync: 5 * time.Millisecond, Churn: true})
		var mu sync.Mutex // guards answered
		var callers sync.WaitGroup
		for i := range 8 {
			callers.Go(func() {
				for ask(c, i%2 == 0, func(id string) { mu.Lock(); answered[id] = true; mu.Unlock() }) {
				}
			})
		}
		minted := make(chan []string)
		go func() {
			text, _ := io.ReadAll(c.out) // until it is killed
			lines := strings.Split(string(text), "\n")
			minted <- lines[:len(lines)-1] // the last one may be cut
		}()
		time.Sleep(time.Duration(20+rng.IntN(150)) * time.Millisecond)
		require.NoError(t, c.cmd.Process.Kill())
		callers.Wait()
		keys = append(append(keys, c.key), <-minted...)
		c.stop()

		result, err := audit.Verify(filepath.Join(dir, "audit"), childKey)
		require.NoError(t, err)
		for _, p := range result.Problems {
			require.Equal(t, "a line that was not written to its end", p.What, "round %d: %v", round, p)
		}
		require.LessOrEqual(t, len(result.Problems), 1)
		require.Zero(t, result.Lost)
	}

	log, err := audit.Open(audit.Options{Dir: filepath.Join(dir, "audit"), Key: childKey})
	require.NoError(t, err)
	require.NoError(t, log.Close())
	result, err := audit.Verify(filepath.Join(dir, "audit"), childKey)
	require.NoError(t, err)
	require.Empty(t, result.Problems)
	recorded := make(map[string]audit.Record)
	for r, err := range audit.Records(filepath.Join(dir, "audit"), audit.Filter{}, childKey) {
		require.NoError(t, err)
		if r.Note == nil {
			require.NotContains(t, recorded, r.RequestID, "recorded twice")
			recorded[r.RequestID] = r
		}
	}
	for id := range answered {
		require.Contains(t, recorded, id, "an answer that is not on record")
		require.Contains(t, []int64{14, 64}, recorded[id].Output)
		require.Equal(t, 200, recorded[id].Status)
		require.Positive(t, recorded[id].Cost)
	}
	require.Greater(t, len(answered), 20)

	store, err := access.New(t.Context(), access.Options{Store: access.NewFileStore(filepath.Join(dir, "keys.json"))})
	require.NoError(t, err)
	require.Greater(t, len(keys), 20)
	for _, key := range keys {
		_, err := store.Authenticate(key, time.Now())
		require.NoError(t, err, "a key that was handed out")
	}
	t.Logf("%d answers, %d records, %d keys", len(answered), len(recorded), len(keys))
}

// ask makes one call, tells whose answer came whole, and reports whether the
// gateway still lives.
func ask(c *child, stream bool, whole func(id string)) bool {
	body := chat("llama3.3:70b", "Hello", fmt.Sprintf(`,"stream":%v`, stream))
	req, err := http.NewRequest("POST", "http://"+c.addr+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		return false
	}
	if stream && !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
		return false
	}
	whole(resp.Header.Get("X-Request-Id"))
	return true
}
