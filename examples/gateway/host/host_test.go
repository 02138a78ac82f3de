package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// page is what the program prints. It is safe for concurrent use.
type page struct {
	mu  sync.Mutex // guards out
	out bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// launch runs the program until stop is called, and returns what it wrote for
// scripts and what it printed.
func launch(t *testing.T, args ...string) (vars map[string]string, printed func() string, stop func()) {
	t.Helper()
	env := filepath.Join(t.TempDir(), "env")
	ctx, cancel := context.WithCancel(context.Background())
	var out page
	done := make(chan error, 1)
	go func() { done <- Run(ctx, append(args, "-env", env), &out, nil) }()
	var text []byte
	require.Eventually(t, func() (ok bool) {
		select {
		case err := <-done:
			done <- err
			return true
		default:
		}
		var err error
		text, err = os.ReadFile(env)
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	vars = make(map[string]string)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		vars[name] = value
	}
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(stop)
	return vars, out.String, stop
}

func fetch(t *testing.T, key, method, url, body string) (int, string) {
	t.Helper()
	resp, text := send(t, key, method, url, body)
	return resp.StatusCode, text
}

func send(t *testing.T, key, method, url, body string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	// The first bytes are enough of a stream that does not end.
	data := make([]byte, 4096)
	n, err := io.ReadFull(resp.Body, data)
	require.True(t, err == nil || err == io.EOF || err == io.ErrUnexpectedEOF, err)
	return resp, string(data[:n])
}

func say(model, more string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"Bonjour"}]` + more + `}`
}

// What belongs to all tenants is shown to nobody but the operator, and nothing
// of it comes out anywhere else.
func TestOnlyTheOperatorSeesOthers(t *testing.T) {
	vars, _, _ := launch(t)
	base := strings.TrimSuffix(vars["BASE_URL"], "/v1")
	status, answer := fetch(t, vars["API_KEY"], "POST", base+"/v1/chat/completions", say("llama3.3:70b", `,"user":"a-secret-user"`))
	require.Equal(t, 200, status, answer)
	for _, row := range []struct {
		path          string
		nobody, other int
		admin         string // what the operator sees; "" means that there is nothing for him either
	}{
		{"/metrics", 401, 401, `llmaas_requests_total{model="llama3.3:70b",status="200"} 1`},
		{"/console/history", 401, 401, `"tenant":"omega"`},
		{"/console/history?tenant=omega", 401, 401, `"tenant":"omega"`},
		{"/console/events", 401, 401, "event: alerts"},
		{"/console/", 200, 200, "<title>Gateway console</title>"},
		{"/console/../metrics", 401, 401, "llmaas_requests_total"},
		{"/audit", 401, 404, ""},
		{"/chat/completions", 401, 404, ""},
		{"/v1/audit", 401, 404, ""},
		{"/v1/../console/history", 401, 401, `"tenant":"omega"`},
		{"/console/history/", 404, 404, ""},
	} {
		status, body := fetch(t, "", "GET", base+row.path, "")
		require.Equal(t, row.nobody, status, row.path)
		require.NotContains(t, body, "omega")
		status, body = fetch(t, vars["API_KEY"], "GET", base+row.path, "")
		require.Equal(t, row.other, status, row.path)
		require.NotContains(t, body, "omega")
		if row.admin != "" {
			status, body = fetch(t, vars["ADMIN_KEY"], "GET", base+row.path, "")
			require.Equal(t, 200, status, row.path)
			require.Contains(t, body, row.admin)
			require.NotContains(t, body, "a-secret-user")
		}
	}
}

// Answers say what is left of a limit of requests, and nothing where there is none.
func TestHeadersOfLimits(t *testing.T) {
	machine, err := (&llmaastest.Backend{}).Start()
	require.NoError(t, err)
	t.Cleanup(func() { _ = machine.Close() })
	own := fmt.Sprintf(`{"backends": [{"Name": "a", "URL": %q, "Header": {"Authorization": ["Bearer machine"]}}]}`, machine.URL)
	for _, row := range []struct {
		name, config string
		status       [3]int
		most         int64 // 0 for none
	}{
		{"the demonstration", `{}`, [3]int{200, 200, 200}, 6_000_000},
		{"as configured", `{"requests_per_minute": {"monthly-billing": 2}}`, [3]int{200, 200, 429}, 2},
		{"other tiers", `{"requests_per_minute": {"tier-1": 2}}`, [3]int{200, 200, 200}, 0},
		{"machines of one's own", own, [3]int{200, 200, 200}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "gateway.json")
			require.NoError(t, os.WriteFile(file, []byte(row.config), 0o600))
			vars, _, _ := launch(t, "-config", file)
			if left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)); left < 10*time.Second {
				time.Sleep(left) // the minute must not begin anew below
			}
			for i, status := range row.status {
				reset := time.Now().Truncate(time.Minute).Add(time.Minute)
				resp, body := send(t, vars["API_KEY"], "POST", vars["BASE_URL"]+"/chat/completions", say("llama3.3:70b", ""))
				require.Equal(t, status, resp.StatusCode, body)
				want := map[string]string{"Limit": "", "Remaining": "", "Reset": ""}
				if row.most > 0 {
					want = map[string]string{"Limit": fmt.Sprint(row.most), "Remaining": fmt.Sprint(max(row.most-int64(i)-1, 0)), "Reset": fmt.Sprint(reset.Unix())}
				}
				for name, value := range want {
					require.Equal(t, value, resp.Header.Get("X-RateLimit-"+name+"-Requests"), name)
				}
				if status != 429 {
					require.Empty(t, resp.Header.Get("Retry-After"))
					continue
				}
				seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
				require.NoError(t, err)
				require.InDelta(t, time.Until(reset).Seconds(), seconds, 2)
			}
		})
	}
}

// A restart knows the keys, and what they have used: limits in memory are charged
// from the audit.
func TestRestartForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.json")
	secret := strings.Repeat("5a", 32)
	t.Setenv("GATEWAY_TEST_AUDIT_KEY", secret)
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `{"keys": %q, "audit": %q, "audit_key": "$GATEWAY_TEST_AUDIT_KEY", "audit_keep": "744h", "alerts": [{"Name": "slow", "Measure": "latency_p99", "Above": 30}]}`,
		filepath.Join(dir, "keys.json"), filepath.Join(dir, "audit")), 0o600))

	_, printed, stop := launch(t, "-config", file)
	var acme, base string
	for line := range strings.Lines(printed()) {
		switch fields := strings.Fields(line); {
		case len(fields) == 4 && fields[1] == "acme":
			acme = fields[3]
		case len(fields) == 3 && fields[0] == "base":
			base = fields[2]
		}
	}
	require.True(t, access.WellFormed(acme))
	if left := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)); left < time.Minute {
		time.Sleep(left) // the limit of the hour must not begin anew below
	}
	status, body := fetch(t, acme, "POST", base+"/chat/completions", say("llama3.3:70b", ""))
	require.Equal(t, 200, status, body)
	stop()
	result, err := audit.Verify(filepath.Join(dir, "audit"), auditKey(t, secret))
	require.NoError(t, err)
	require.Empty(t, result.Problems)
	require.Positive(t, result.Records)

	vars, printed, _ := launch(t, "-config", file)
	require.NotContains(t, printed(), "llmaas_", "keys are shown once")
	require.Empty(t, vars["API_KEY"])
	var used int64
	for r, err := range audit.Records(filepath.Join(dir, "audit"), audit.Filter{Tenant: "acme"}, auditKey(t, secret)) {
		require.NoError(t, err)
		used += r.Output
	}
	require.Positive(t, used)
	left := limit.Tiers()[0].OutputPerHour - used
	for _, more := range []int64{1, 0} {
		status, body := fetch(t, acme, "POST", vars["BASE_URL"]+"/chat/completions", say("llama3.3:70b", fmt.Sprintf(`,"max_tokens":%d`, left+more)))
		require.Equal(t, map[int64]int{1: 429, 0: 200}[more], status, body)
	}
}

func auditKey(t *testing.T, secret string) audit.Key {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"audit_key":"`+secret+`"}`), 0o600))
	c, err := readConfig(file)
	require.NoError(t, err)
	return c.auditKey
}

func TestConfigThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"adr":"x"}`:                             "unknown field",
		`{} {}`:                                   "more than one JSON value",
		`{"audit_key":"abc"}`:                     "64 hexadecimal digits",
		`{"requests_per_minute":{"tier-9":1}}`:    `got 1 for "tier-9"`,
		`{"requests_per_minute":{"tier-1":-1}}`:   `got -1 for "tier-1"`,
		`{"redis":"$GATEWAY_TEST_NOT_SET"}`:       "a variable that is not set",
		`{"redis_secret":"abc"}`:                  "redis_secret: want 64 hexadecimal digits",
		`{"audit_keep":"a year"}`:                 "audit_keep: got",
		`{"audit_keep":"743h"}`:                   "audit_keep: got",
		`{"audit":"/tmp/nowhere"}`:                "needs an audit_key",
		`{"backends":[{"Name":"a"}]}`:             "plain http or https address",
		`{"alerts":[{"Name":"a","Measure":"x"}]}`: "Measure",
	} {
		file := filepath.Join(t.TempDir(), "gateway.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.ErrorContains(t, Run(t.Context(), []string{"-config", file}, io.Discard, nil), want, text)
	}
	for arg, want := range map[string]string{"upstream": "want flags alone", "-addr=nowhere": "choose another -addr", "-nonesuch": "not defined"} {
		err := Run(t.Context(), []string{arg}, io.Discard, nil)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "gateway:")
	}
}
