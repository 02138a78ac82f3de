// Cluster is two gateways that count as one: what they remember of sessions, of
// limits and of budgets stands on one Redis server.
//
//	go run .                            starts a redis-server of its own, and kills it in the end
//	go run . -redis redis://host:6379/0 uses yours, and leaves it alone
//
// assemble.go puts one gateway together; show.go sends the requests that prove
// the point, and prints how they went. To run several gateways yourself, use
// examples/gateway with -redis, which becomes the program in the folder gateway.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/llmaas/llmaas-go/examples/cluster/internal/redisserver"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
	"github.com/redis/go-redis/v9/logging"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	set := flag.NewFlagSet("cluster", flag.ContinueOnError)
	url := set.String("redis", "", "`URL` of a Redis or Valkey server; without it one is started")
	if err := set.Parse(args); err != nil {
		return err
	}
	logging.Disable() // go-redis would tell of each connection that is refused
	var own *redisserver.Server
	if *url == "" {
		var err error
		if own, err = redisserver.New(ctx); err != nil {
			return err
		}
		defer own.Remove()
		*url = own.URL()
	}
	c, err := newCluster(ctx, *url)
	if err == nil {
		fmt.Fprintf(out, "gateway a  %s\ngateway b  %s\n", c.urls[0], c.urls[1])
		err = show(ctx, out, c, own)
	}
	return errors.Join(err, c.stop())
}

// cluster is two gateways over one machine.
type cluster struct {
	gateways [2]*node
	urls     [2]string
	keys     map[string]string // of each tenant
	now      func() time.Time

	machine *llmaastest.Server
	cancel  context.CancelFunc
	running sync.WaitGroup
	ended   [2]error // how the gateways did; to be read when none is running
}

// newCluster starts it. It must be stopped, after an error too.
func newCluster(ctx context.Context, redis string) (*cluster, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &cluster{now: clock(time.Now()), cancel: cancel}
	var err error
	if c.machine, err = (&llmaastest.Backend{Now: c.now}).Start(); err != nil {
		return c, err
	}
	keys, err := c.makeKeys(ctx)
	if err != nil {
		return c, err
	}
	// All gateways on one server share a secret. This one is new in each run, so
	// that a run on your server finds nothing of the one before.
	secret := []byte(rand.Text())
	for i := range c.gateways {
		// A request waits as long as this at most; a busy machine is not to be
		// taken for a Redis that is gone.
		store, err := redisstore.New(redisstore.Options{URL: redis, Secret: secret, Timeout: 2 * time.Second})
		if err != nil {
			return c, err
		}
		if err := c.start(ctx, i, store, keys); err != nil {
			return c, errors.Join(err, store.Close())
		}
	}
	return c, nil
}

// start starts one gateway and waits until it listens.
func (c *cluster) start(ctx context.Context, i int, store *redisstore.Store, keys *access.Keys) error {
	if err := store.Ping(ctx); err != nil {
		return err
	}
	g, err := assemble(store, keys, c.machine.URL, c.now)
	if err != nil {
		return err
	}
	c.gateways[i] = g
	listening, done := make(chan net.Addr, 1), make(chan struct{})
	c.running.Go(func() {
		defer close(done)
		err := gateway.Serve(ctx, gateway.ServerOptions{Handler: g.api, Ready: func(a net.Addr) { listening <- a }})
		c.ended[i] = errors.Join(err, store.Close())
	})
	select {
	case a := <-listening:
		c.urls[i] = fmt.Sprintf("http://%s/v1", a)
	case <-done: // stop says why
	}
	return nil
}

// stop lets requests under way end, and says what went wrong.
func (c *cluster) stop() error {
	c.cancel()
	c.running.Wait()
	err := errors.Join(c.ended[:]...)
	if c.machine != nil {
		err = errors.Join(err, c.machine.Close())
	}
	return err
}

// clock begins at noon of a day that the embedded prices and models know, so that
// no minute, hour or month ends in the middle of the demonstration.
func clock(begun time.Time) func() time.Time {
	noon := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	return func() time.Time { return noon.Add(time.Since(begun)) }
}

// makeKeys makes a key for each tenant. Both gateways are one process here and
// share them; several processes would share a Store of package access.
func (c *cluster) makeKeys(ctx context.Context) (*access.Keys, error) {
	keys, err := access.New(ctx, access.Options{})
	if err != nil {
		return nil, err
	}
	c.keys = make(map[string]string)
	names := []string{crowd}
	for _, t := range tenants {
		names = append(names, t.name)
	}
	for _, name := range names {
		if err := keys.PutTenant(ctx, access.Tenant{ID: name}); err != nil {
			return nil, err
		}
		grant := access.Grant{Models: []string{"*"}, Endpoints: []string{"*"}}
		_, secret, err := keys.Mint(ctx, access.NewKey{Tenant: name, Grant: grant}, c.now())
		if err != nil {
			return nil, err
		}
		c.keys[name] = secret.Reveal()
	}
	return keys, nil
}
