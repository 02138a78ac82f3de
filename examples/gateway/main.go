// Gateway is a whole LLM gateway in one process: API keys, limits per tier, the
// prompt analysis, load balancing, an audit trail and metrics.
//
//	go run ./examples/gateway                      twelve fake machines, three tenants
//	go run ./examples/gateway -upstream URL        machines of your own; may be repeated
//	go run ./examples/gateway -config gateway.json
//
// assemble.go puts the parts together; the rest is flags and the demonstration.
//
// A configuration is one JSON object. Every member may be left out; flags come
// before it; a member that it does not know is an error.
//
//	{
//	  "addr": "127.0.0.1:8080",
//	  "backends": [
//	    {"Name": "gpu-01", "URL": "http://10.0.0.1:8000/v1", "Weight": 2, "Models": ["gpt-oss:120b"],
//	     "Header": {"Authorization": ["Bearer …"]}}
//	  ],
//	  "keys": "/var/lib/llmaas/keys.json",
//	  "audit": "/var/lib/llmaas/audit",
//	  "audit_key": "$AUDIT_KEY",
//	  "alerts": [
//	    {"Name": "slow", "Measure": "latency_p99", "Above": 30, "Below": 20, "For": 60000000000}
//	  ]
//	}
//
// Backends are the fields of balance.Backend, alerts those of metrics.Alert, with
// For in nanoseconds. The key of the audit is 64 hexadecimal digits, as openssl
// rand -hex 32 prints them, or the name of a variable that holds them; a folder
// that is to last needs one. With a file of keys that has none yet, the keys of
// the demonstration are made and printed once.
package main

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
	"strings"
	"syscall"

	"github.com/llmaas/llmaas-go/llmaas/gateway"
	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// flags are what the command line says.
type flags struct {
	config, addr, keys, audit, env string
	upstream                       []string
	contract                       bool
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("gateway", flag.ContinueOnError)
	set.StringVar(&f.config, "config", "", "JSON `file` with addr, backends, keys, audit, audit_key and alerts")
	set.StringVar(&f.addr, "addr", "", "where to listen (default 127.0.0.1:0)")
	set.StringVar(&f.keys, "keys", "", "`file` of the API keys; without it they live in memory")
	set.StringVar(&f.audit, "audit", "", "`folder` of the audit trail; without it one that goes with the process")
	set.StringVar(&f.env, "env", "", "`file` to write BASE_URL, API_KEY and so on to, once it listens")
	set.BoolVar(&f.contract, "contract", false, "let prompts ask the fake machines for faults")
	set.Func("upstream", "base `URL` of a machine, with its /v1; may be repeated", func(s string) error {
		f.upstream = append(f.upstream, s)
		return nil
	})
	return f, set.Parse(args)
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	f, err := parse(args)
	if err != nil {
		return err
	}
	var c config
	if f.config != "" {
		if c, err = readConfig(f.config); err != nil {
			return err
		}
	}
	for i, url := range f.upstream {
		c.Backends = append(c.Backends, balance.Backend{Name: fmt.Sprintf("upstream-%02d", i+1), URL: url})
	}
	for _, o := range []struct {
		value string
		field *string
	}{{f.addr, &c.Addr}, {f.keys, &c.Keys}, {f.audit, &c.Audit}} {
		if o.value != "" {
			*o.field = o.value
		}
	}
	machines, clean, err := demo(&c, f.contract)
	if err != nil {
		return err
	}
	defer clean()

	var options access.Options
	if c.Keys != "" {
		options.Store = access.NewFileStore(c.Keys)
	}
	keys, err := access.New(ctx, options)
	if err != nil {
		return err
	}
	made := []demoKey{}
	if len(keys.Tenants()) == 0 {
		if made, err = demoKeys(ctx, keys); err != nil {
			return err
		}
	}
	api, log, err := assemble(ctx, c, keys)
	if log != nil {
		defer func() { err = errors.Join(err, log.Close()) }()
	}
	if err != nil {
		return err
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
	return errors.Join(err, written)
}

// greet prints what a person needs.
func greet(out io.Writer, a net.Addr, made []demoKey) {
	fmt.Fprintf(out, "base URL   http://%s/v1\n", a)
	fmt.Fprintf(out, "console    http://%s/console/ (with an admin key)\n", a)
	fmt.Fprintf(out, "metrics    http://%s/metrics (with an admin key)\n", a)
	for _, d := range made {
		fmt.Fprintf(out, "key        %-9s %-16s %s\n", d.tenant, d.tier, d.secret)
	}
	if len(made) > 0 {
		fmt.Fprintf(out, "\ncurl http://%s/v1/chat/completions -H 'Authorization: Bearer %s' \\\n"+
			"  -d '{\"model\":\"gpt-oss:120b\",\"messages\":[{\"role\":\"user\",\"content\":\"Bonjour\"}]}'\n", a, made[0].secret)
	}
}

// writeEnv writes shell lines for scripts, all at once and for their owner only.
func writeEnv(path string, a net.Addr, made []demoKey) error {
	var b strings.Builder
	fmt.Fprintf(&b, "BASE_URL=http://%s/v1\nMODEL=llama3.3:70b\nEMBED_MODEL=bge-m3:567m\nSTATS_URL=http://%s/stats\nCONSOLE_URL=http://%s/console/\n", a, a, a)
	for _, d := range made {
		switch {
		case d.admin:
			fmt.Fprintf(&b, "ADMIN_KEY=%s\n", d.secret)
		case d.tenant == "omega":
			fmt.Fprintf(&b, "API_KEY=%s\n", d.secret)
		}
	}
	if err := os.WriteFile(path+".next", []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}
