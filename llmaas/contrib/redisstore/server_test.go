package redisstore_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/stretchr/testify/require"
)

// server is a real redis-server of this test on the loopback interface. The
// tests fail when it is not installed: without it nothing is proved.
type server struct {
	t    testing.TB
	port int
	dir  string
	cmd  *exec.Cmd
}

func startServer(t testing.TB) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, port: listener.Addr().(*net.TCPAddr).Port, dir: t.TempDir()}
	require.NoError(t, listener.Close())
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) url() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", s.port) }

func (s *server) start() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	require.NoError(s.t, err, "install redis-server")
	s.cmd = exec.Command(path, "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "volatile-ttl")
	require.NoError(s.t, s.cmd.Start())
	store, err := redisstore.New(redisstore.Options{URL: s.url(), Timeout: time.Second})
	require.NoError(s.t, err)
	defer store.Close()
	require.Eventually(s.t, func() bool { return store.Ping(context.Background()) == nil }, 20*time.Second, 10*time.Millisecond)
}

// kill ends the server the hard way.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

func open(t testing.TB, opts redisstore.Options) *redisstore.Store {
	t.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Second // a busy machine is not what is tested
	}
	store, err := redisstore.New(opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}
