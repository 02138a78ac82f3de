package main

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

// server is a redis-server on loopback that lives as long as the demonstration.
type server struct {
	port int
	dir  string
	cmd  *exec.Cmd // nil while it is not running
}

func startServer(ctx context.Context) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // to learn of a free port
	if err != nil {
		return nil, err
	}
	s := &server{port: listener.Addr().(*net.TCPAddr).Port}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "llmaas-redis-"); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *server) url() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", s.port) }

// start starts the server and waits until it answers. It keeps what it counts on
// disk before it says that it has counted, and drops nothing to make room.
func (s *server) start(ctx context.Context) error {
	s.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return fmt.Errorf("%w: install redis-server, or name one with -redis", err)
	}
	store, err := redisstore.New(redisstore.Options{URL: s.url(), Timeout: time.Second})
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

// kill ends it the hard way.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// remove ends it and takes its files away.
func (s *server) remove() {
	s.kill()
	_ = os.RemoveAll(s.dir)
}
