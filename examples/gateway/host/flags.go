package host

import (
	"flag"
	"fmt"

	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
)

// flags are what the command line says.
type flags struct {
	config, addr, keys, audit, redis, env string
	upstream                              []string
	contract                              bool
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("gateway", flag.ContinueOnError)
	set.StringVar(&f.config, "config", "", "JSON `file`; go doc ./examples/gateway shows its members")
	set.StringVar(&f.addr, "addr", "", "where to listen (default 127.0.0.1:0)")
	set.StringVar(&f.keys, "keys", "", "`file` of the API keys; without it they live in memory")
	set.StringVar(&f.audit, "audit", "", "`folder` of the audit trail; without it one that goes with the process")
	set.StringVar(&f.redis, "redis", "", "`URL` of a Redis server, like redis://127.0.0.1:6379/0, on which gateways count as one")
	set.StringVar(&f.env, "env", "", "`file` to write BASE_URL, API_KEY and so on to, once it listens")
	set.BoolVar(&f.contract, "contract", false, "let prompts ask the fake machines for faults")
	set.Func("upstream", "base `URL` of a machine, with its /v1; may be repeated", func(s string) error {
		f.upstream = append(f.upstream, s)
		return nil
	})
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("got the arguments %.80q, want flags alone", set.Args())
	}
	return f, nil
}

// read reads the configuration, if there is one; flags come before it.
func (f *flags) read() (config, error) {
	var c config
	if f.config != "" {
		var err error
		if c, err = readConfig(f.config); err != nil {
			return c, err
		}
	}
	for i, url := range f.upstream {
		c.Backends = append(c.Backends, balance.Backend{Name: fmt.Sprintf("upstream-%02d", i+1), URL: url})
	}
	for _, o := range []struct {
		value string
		field *string
	}{{f.addr, &c.Addr}, {f.keys, &c.Keys}, {f.audit, &c.Audit}, {f.redis, &c.Redis}} {
		if o.value != "" {
			*o.field = o.value
		}
	}
	return c, nil
}
