// Gateway is the program of examples/gateway with a Redis client in it, which
// that module does without:
//
//	go run ./gateway -redis redis://127.0.0.1:6379/0 -keys keys.json
//
// Its flags, its configuration and what gateways on one server share are those of
// examples/gateway, which builds this program and becomes it.
package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/llmaas/llmaas-go/examples/gateway/host"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
	"github.com/redis/go-redis/v9/logging"
)

func main() {
	logging.Disable() // go-redis would tell of each connection that is refused
	host.Main(connect)
}

// timeout is how long the server may take to answer once. A busy machine is not to
// be taken for a server that is gone.
const timeout = time.Second

// connect makes the sessions, limits and budgets of a gateway those of a server.
func connect(ctx context.Context, r host.Redis) (host.Shared, error) {
	store, err := redisstore.New(redisstore.Options{URL: r.URL, Secret: r.Secret, Timeout: timeout})
	if err != nil {
		return host.Shared{}, err
	}
	limits, err := redisstore.NewLimits(store, redisstore.CountOptions{FailOpen: func(tenant string, err error) bool {
		open := slices.Contains(r.FailOpen, tenant)
		if open { // the gateway tells of the others
			slog.Warn("gateway: a call goes on uncounted", "tenant", tenant, "err", err)
		}
		return open
	}})
	if err == nil {
		err = store.Ping(ctx)
	}
	if err != nil {
		return host.Shared{}, errors.Join(err, store.Close())
	}
	return host.Shared{History: store, Limits: limits, Close: store.Close}, nil
}
