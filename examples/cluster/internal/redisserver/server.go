// Package redisserver runs a redis-server of one's own on loopback.
package redisserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
)

// Server is a redis-server that keeps what it counts in a folder of its own. It
// is for one goroutine.
type Server struct {
	port int
	dir  string
	cmd  *exec.Cmd // nil while it is not running
}

// New makes a server on a free port and starts it. It must be removed.
func New(ctx context.Context) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // to learn of a free port
	if err != nil {
		return nil, err
	}
	s := &Server{port: listener.Addr().(*net.TCPAddr).Port}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "llmaas-redis-"); err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		s.Remove()
		return nil, err
	}
	return s, nil
}

// URL is where it listens, also after it was killed.
func (s *Server) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", s.port) }

// Start starts it, or starts it again, and waits until it answers. It keeps what it counts on
// disk before it says that it has counted, and drops nothing to make room.
func (s *Server) Start(ctx context.Context) error {
	s.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return fmt.Errorf("%w: install redis-server, or name one with -redis", err)
	}
	store, err := redisstore.New(redisstore.Options{URL: s.URL(), Timeout: time.Second})
	if err != nil {
		return err
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for err = store.Ping(ctx); err != nil; err = store.Ping(ctx) {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Kill ends it the hard way.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Remove ends it and takes its files away.
func (s *Server) Remove() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}
