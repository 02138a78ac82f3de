package host

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

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
