// Gateway is a whole LLM gateway in one process: API keys, limits per tier, the
// prompt analysis, load balancing, an audit trail and metrics.
//
//	go run ./examples/gateway                      twelve fake machines, three tenants
//	go run ./examples/gateway -upstream URL        machines of your own; may be repeated
//	go run ./examples/gateway -config gateway.json
//	go run ./examples/gateway -redis URL           one of several that count as one
//
// host/assemble.go puts the parts together; the rest is flags and the
// demonstration.
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
//	  "audit_keep": "8760h",
//	  "redis": "$REDIS_URL",
//	  "redis_secret": "$REDIS_SECRET",
//	  "redis_fail_open": ["acme"],
//	  "requests_per_minute": {"tier-1": 600},
//	  "alerts": [
//	    {"Name": "slow", "Measure": "latency_p99", "Above": 30, "Below": 20, "For": 60000000000}
//	  ]
//	}
//
// Backends are the fields of balance.Backend, alerts those of metrics.Alert, with
// For in nanoseconds; without any there are those of host/demo.json. The key of
// the audit is 64 hexadecimal digits, as openssl rand -hex 32 prints them, or the
// name of a variable that holds them. A folder that is to last needs one, and
// keeps all without an audit_keep, which is a month at least: a restart counts
// from it what was used. Limits are those of the service's tiers, which print no
// requests per minute: where the configuration gives some, answers carry the
// service's X-RateLimit headers. The fake machines have some in host/demo.json.
// With a file of keys that is not there yet, the keys of the demonstration are
// made and printed once.
//
// # Several gateways
//
// Gateways on one Redis (or Valkey) server share what each tenant has used of its
// limits and its budget, and what was said in each session:
//
//	go run ./examples/gateway -redis redis://127.0.0.1:6379/0 -keys keys.json -addr 127.0.0.1:8081
//	go run ./examples/gateway -redis redis://127.0.0.1:6379/0 -keys keys.json -addr 127.0.0.1:8082
//
// Give them one file of keys, which each reads again every few seconds; an audit
// folder of its own each; and the same redis_secret, 64 hexadecimal digits that
// hide tenants and sessions in what stands on the server. Without a secret they
// are hashed all the same, but whoever reads the server can tell whether a name
// that he guesses is there.
//
// Files and batches are known to the gateway that took them, so that a load
// balancer in front must send a tenant's /files and /batches to one of them.
//
// A server that does not answer at the start ends the program. While it is gone
// later, calls are refused with 503, since nobody can say what is left of their
// limits; those of the tenants in redis_fail_open go on, uncounted. When it is
// back the next call finds it. It must keep what it counts: see the tour of
// llmaas/contrib/redisstore.
//
// The library does not depend on a Redis client, and so this program has none in
// it: with -redis it builds examples/cluster/gateway, which is the same program
// with one, and becomes it. That needs the go command and the source at hand.
package main

import "github.com/llmaas/llmaas-go/examples/gateway/host"

func main() { host.Main(become) }
