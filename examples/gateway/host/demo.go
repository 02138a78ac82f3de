package host

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// fleet is twelve fake machines on loopback.
type fleet struct {
	servers []*llmaastest.Server
}

// demoFile is a configuration for who has none. The service prints no limit of
// requests; those of the fake machines are high, and there to be seen in the
// headers of answers.
//
//go:embed demo.json
var demoFile []byte

// demo fills in what a configuration leaves out: alerts, machines and limits
// for those, an audit folder and its key. The returned func takes all of it away.
func demo(c *config, contract bool) (*fleet, func(), error) {
	f := &fleet{}
	var undo []func()
	clean := func() {
		for _, u := range undo {
			u()
		}
	}
	own, err := parseConfig(demoFile)
	if err != nil {
		return nil, nil, err
	}
	if c.Alerts == nil {
		c.Alerts = own.Alerts
	}
	var triggers *llmaastest.Triggers
	if contract {
		triggers = &llmaastest.Triggers{}
	}
	if len(c.Backends) == 0 {
		if c.Requests == nil {
			c.Requests = own.Requests
		}
		for i := range 12 {
			name := fmt.Sprintf("gpu-%02d", i+1)
			srv, err := (&llmaastest.Backend{Machines: []string{name}, Triggers: triggers}).Start()
			if err != nil {
				clean()
				return nil, nil, err
			}
			undo = append(undo, func() { _ = srv.Close() })
			f.servers = append(f.servers, srv)
			c.Backends = append(c.Backends, balance.Backend{Name: name, URL: srv.URL, Header: http.Header{"Authorization": {"Bearer machine"}}})
		}
	}
	if c.Audit != "" && c.auditKey == (audit.Key{}) {
		clean()
		return nil, nil, errors.New("an audit folder that is to last needs an audit_key in the file of -config")
	}
	if c.Audit == "" {
		dir, err := os.MkdirTemp("", "llmaas-audit-")
		if err != nil {
			clean()
			return nil, nil, err
		}
		undo = append(undo, func() { _ = os.RemoveAll(dir) })
		c.Audit = dir
	}
	if c.auditKey == (audit.Key{}) {
		c.auditKey.ID = "demo"
		_, _ = rand.Read(c.auditKey.Secret[:]) // never fails
	}
	return f, clean, nil
}

// serveStats counts callers that the machines saw going away.
func (f *fleet) serveStats(w http.ResponseWriter, _ *http.Request) {
	var sum llmaastest.Stats
	for _, s := range f.servers {
		one := s.Stats()
		sum.Requests += one.Requests
		sum.Disconnected += one.Disconnected
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(sum) // the caller went away: nobody to tell
}

// demoKey is a key of the demonstration, shown once.
type demoKey struct {
	tenant, tier, secret string
	admin                bool
}

// demoKeys makes three tenants on different tiers, and a key for the console.
func demoKeys(ctx context.Context, keys *access.Keys) ([]demoKey, error) {
	all := []demoKey{
		{tenant: "acme", tier: "tier-1"}, {tenant: "zeta", tier: "tier-3"}, {tenant: "omega", tier: "monthly-billing"},
		{tenant: "operator", tier: "monthly-billing", admin: true},
	}
	for i := range all {
		d := &all[i]
		if err := keys.PutTenant(ctx, access.Tenant{ID: d.tenant, Tier: d.tier}); err != nil {
			return nil, err
		}
		grant := access.Grant{Models: []string{"*"}, Endpoints: []string{"*"}, Admin: d.admin}
		_, secret, err := keys.Mint(ctx, access.NewKey{Tenant: d.tenant, Name: "demo", Grant: grant}, time.Now())
		if err != nil {
			return nil, err
		}
		d.secret = secret.Reveal()
	}
	return all, nil
}
