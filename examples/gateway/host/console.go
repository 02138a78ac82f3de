package host

import (
	"context"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/lifecycle"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/gateway/console"
	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

// newConsole shows operators what the metrics, the load balancer and the
// catalogue know.
func newConsole(ctx context.Context, keys *access.Keys, meters *metrics.Metrics, machines *balance.Balancer) (http.Handler, error) {
	page, err := console.New(console.Options{
		Allow:    func(r *http.Request) bool { return admin(keys, r) },
		Usage:    func() any { return meters.Usage() },
		Curve:    func() any { return meters.Curve(time.Now().Add(-time.Hour)) },
		Alerts:   func() any { return meters.Firing() },
		Backends: func() any { return machines.Status() },
		Models:   func() any { return lives(lifecycle.Default(), time.Now()) },
		History: func(q console.Query) any {
			return meters.History(metrics.Query{Tenant: q.Tenant, Model: q.Model, Status: q.Status})
		},
		Done: ctx.Done(),
	})
	if err != nil {
		return nil, err
	}
	return http.StripPrefix("/console", page), nil
}

// lives is where the models stand that are served.
func lives(c *lifecycle.Catalogue, now time.Time) []lifecycle.Status {
	all := []lifecycle.Status{}
	for m := range c.Models() {
		if s, err := c.StatusAt(m.ID, now); err == nil && s.Phase.Available() {
			all = append(all, s)
		}
	}
	return all
}

// adminOnly lets only keys with the admin grant through.
func adminOnly(keys *access.Keys, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !admin(keys, r) {
			http.Error(w, "an admin key is needed", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// admin reports whether a request carries a key with the admin grant.
func admin(keys *access.Keys, r *http.Request) bool {
	token, err := access.Bearer(r.Header)
	if err != nil {
		return false
	}
	who, err := keys.Authenticate(token, time.Now())
	return err == nil && who.Admin
}
