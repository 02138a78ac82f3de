// Package host is the program of examples/gateway. It is a package because there
// are two of that program: examples/gateway, and examples/cluster/gateway, which
// has a Redis client in it.
//
// It reads flags and a configuration, fills in what they leave out for a
// demonstration, and serves until it is told to stop; assemble.go puts the
// gateway together.
package host

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

// Shared is what several gateways have in common. What is nil is kept in the
// memory of this one.
type Shared struct {
	History guard.History
	Limits  limit.State // and budgets
	Close   func() error
}

// Redis is the server that gateways share.
type Redis struct {
	URL      string   // may hold a password: no error may hold it
	Secret   []byte   // hides names there; nil where the configuration has none
	FailOpen []string // tenants whose calls go on, uncounted, while it does not answer
}

// Connect opens what gateways share on a server.
type Connect func(context.Context, Redis) (Shared, error)

// Temporary is the environment variable that names a program file for its own
// process to remove.
const Temporary = "LLMAAS_GATEWAY_TEMPORARY"

// Main is the program. It ends on an interrupt or SIGTERM, when the requests
// under way are over, and exits with 1 on any error.
func Main(connect Connect) {
	if file := os.Getenv(Temporary); file != "" {
		_ = os.Remove(file)
		_ = os.Remove(filepath.Dir(file)) // if nothing else is in it
		_ = os.Unsetenv(Temporary)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Run(ctx, os.Args[1:], os.Stdout, connect); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// Run is the program with those arguments, until ctx is canceled.
func Run(ctx context.Context, args []string, out io.Writer, connect Connect) (err error) {
	f, err := parse(args)
	if err != nil {
		return err
	}
	c, err := f.read()
	if err != nil {
		return err
	}
	var shared Shared
	if c.Redis != "" {
		if shared, err = connect(ctx, Redis{c.Redis, c.redisSecret, c.RedisOpen}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, shared.Close()) }()
	}
	machines, clean, err := demo(&c, f.contract)
	if err != nil {
		return err
	}
	defer clean()
	keys, made, err := openKeys(ctx, c.Keys)
	if err != nil {
		return err
	}
	api, log, err := assemble(ctx, c, keys, shared)
	if log != nil {
		defer func() { err = errors.Join(err, log.Close()) }()
	}
	if err != nil {
		return err
	}
	if c.auditKeep > 0 {
		go prune(ctx, log, c.auditKeep)
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("GET /stats", machines.serveStats)
	var written error
	err = gateway.Serve(ctx, gateway.ServerOptions{Addr: c.Addr, Handler: mux, Ready: func(a net.Addr) {
		greet(out, a, made)
		if f.env != "" {
			written = writeEnv(f.env, a, made)
		}
	}})
	var listen *net.OpError
	if errors.As(err, &listen) && listen.Op == "listen" {
		err = fmt.Errorf("%w: choose another -addr", listen)
	}
	return errors.Join(err, written)
}
