package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// Some tests need a gateway in a process of its own: to kill it, or to weigh it.
// They start this very binary again, with the job in its environment.
const jobVariable = "LLMAAS_GATEWAY_TEST_JOB"

type job struct {
	Bare     bool // only a reverse proxy, to compare with
	Flush    bool // it flushes every write at once, not those of streams alone
	Upstream string
	Dir      string        // of the keys and the audit
	Sync     time.Duration // of the audit
	Churn    bool          // keep making keys, and print each; without the guard, which takes a while to make
}

var childKey = audit.Key{ID: "child", Secret: [32]byte{7}}

func TestMain(m *testing.M) {
	text := os.Getenv(jobVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// run serves until the standard input ends. It prints its address and keys.
func (j job) run() error {
	handler, mint := http.Handler(nil), func() (string, error) { return "", nil }
	var err error
	if j.Bare {
		handler, err = bareProxy(j.Upstream, j.Flush)
	} else {
		var log *audit.Log
		if handler, mint, log, err = j.everything(); err == nil {
			defer func() { _ = log.Close() }()
		}
	}
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", handler)
	mux.HandleFunc("/self", serveSelf)
	ctx, stop := context.WithCancel(context.Background())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	key, err := mint()
	if err != nil {
		return err
	}
	return gateway.Serve(ctx, gateway.ServerOptions{Handler: mux, Ready: func(a net.Addr) {
		fmt.Println(a.String() + " " + key)
		if j.Churn {
			go churn(mint)
		}
	}})
}

// churn makes keys without a pause, and prints each one when it is kept.
func churn(mint func() (string, error)) {
	for {
		key, err := mint()
		if err != nil {
			panic(err)
		}
		fmt.Println(key)
	}
}

// letPass is a guard that is made at once.
type letPass struct{}

func (letPass) Inspect(context.Context, guard.Input) guard.Report { return guard.Report{} }

// everything is a gateway with all its parts, and a func that makes keys for it.
func (j job) everything() (http.Handler, func() (string, error), *audit.Log, error) {
	ctx := context.Background()
	keys, err := access.New(ctx, access.Options{Store: access.NewFileStore(filepath.Join(j.Dir, "keys.json"))})
	if err != nil {
		return nil, nil, nil, err
	}
	if err := keys.PutTenant(ctx, access.Tenant{ID: "acme", Tier: "all"}); err != nil {
		return nil, nil, nil, err
	}
	mint := func() (string, error) {
		_, secret, err := keys.Mint(ctx, access.NewKey{Tenant: "acme", Grant: access.Grant{Models: []string{"*"}, Endpoints: []string{"*"}}}, time.Now())
		return secret.Reveal(), err
	}
	limits, err := limit.New(limit.Options{
		Tier: func(string) limit.Tier {
			return limit.Tier{ID: "all", OutputPerHour: 1 << 60, OutputPerDay: 1 << 60, RequestsPerMinute: 1 << 60, Concurrent: 1 << 60, MonthlyBudget: 1 << 60}
		},
		MonthlyBudget: true,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	var prompts gateway.Guard = letPass{}
	if !j.Churn {
		if prompts, err = guard.New(guard.Options{}); err != nil {
			return nil, nil, nil, err
		}
	}
	answers, err := output.New(output.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	meters, err := metrics.New(metrics.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	machines, err := balance.New(balance.Options{Backends: []balance.Backend{{Name: "gpu-a", URL: j.Upstream}, {Name: "gpu-b", URL: j.Upstream}}})
	if err != nil {
		return nil, nil, nil, err
	}
	log, err := audit.Open(audit.Options{Dir: filepath.Join(j.Dir, "audit"), Key: childKey, SyncEvery: j.Sync})
	if err != nil {
		return nil, nil, nil, err
	}
	g, err := gateway.New(gateway.Config{
		Keys: keys, Limits: limits, Guard: prompts, Output: answers, Backends: machines, Audit: log, Metrics: meters,
		Log: slog.New(slog.DiscardHandler),
	})
	return g, mint, log, err
}

// bareProxy is what a gateway is measured against.
func bareProxy(upstream string, flush bool) (http.Handler, error) {
	root, err := url.Parse(strings.TrimSuffix(upstream, "/v1"))
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.MaxIdleConns, t.MaxIdleConnsPerHost, t.DisableCompression = nil, 0, 256, true
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(root) }, Transport: t, BufferPool: &buffers{}, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
	}
	if flush { // it flushes streams at once in any case
		p.FlushInterval = -1
	}
	return p, nil
}

type buffers struct{ sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.Pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.Pool.Put(&p) }

// self is what a process took.
type self struct {
	CPU time.Duration
	RSS int64 // most memory that was resident, in bytes
}

func serveSelf(w http.ResponseWriter, _ *http.Request) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(self{CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), RSS: peak(u.Maxrss << 10)})
}

// peak is the most memory that was resident since this program began. What
// getrusage says counts what its parent had before it, too.
func peak(otherwise int64) int64 {
	status, err := os.ReadFile("/proc/self/status") // Linux has it
	if err != nil {
		return otherwise
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.ParseInt(kib, 10, 64)
	if err != nil {
		return otherwise
	}
	return n << 10
}

// child is a running job.
type child struct {
	addr string
	key  string
	out  *bufio.Reader // what it prints after its address and key
	cmd  *exec.Cmd
	stop func() // ends it in good order
}

func start(t testing.TB, j job) *child {
	t.Helper()
	data, err := json.Marshal(j)
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), jobVariable+"="+string(data))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd: cmd}
	c.stop = sync.OnceFunc(func() {
		_ = in.Close()
		_ = cmd.Wait() // killed, or gone by itself
	})
	t.Cleanup(c.stop)
	c.out = bufio.NewReader(out)
	line, err := c.out.ReadString('\n')
	require.NoError(t, err)
	c.addr, c.key, _ = strings.Cut(strings.TrimSpace(line), " ")
	return c
}

func (c *child) self(t testing.TB) self {
	t.Helper()
	resp, err := http.Get("http://" + c.addr + "/self")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var s self
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&s))
	return s
}
