// Package redisstore keeps the sessions of the guard on a Redis or Valkey server,
// so that many gateways see one conversation, and the counts of limits and
// budgets, so that they share one limit.
//
//	store, err := redisstore.New(redisstore.Options{URL: "rediss://:password@redis.internal:6379/0", Secret: secret})
//	g, err := guard.New(guard.Options{History: store, HistoryFailed: func(err error) { slog.Warn("history", "err", err) }})
//
// [NewLimits] and [NewBudgets] make the states of gateway/limit and cost of it.
//
// It is a module of its own, so that only who needs Redis depends on go-redis.
//
// # How it works
//
// One prompt is one round trip: a Lua script appends it to its session and
// returns what is known, atomically (append.lua). Times come from the prompts,
// in microseconds, not from the server.
//
// # What stands on the server
//
// One string for each session, named by 128 bits of HMAC-SHA256 of tenant and
// session, which lives as long as the window after its last prompt. It holds what
// doc.go of guard/behavior lists under "What is kept", and so text that users
// wrote, in lower case: protect the server, its dumps and its network like a log
// of prompts. A session with a full window takes about 860 bytes there, the key
// included (BenchmarkAppend reports it); bound the server with maxmemory and the
// policy volatile-ttl or allkeys-lru.
//
// # When Redis is slow or gone
//
// An Append fails after [Options].Timeout at the latest and is not tried again,
// since a prompt must not count twice. What happens to the prompt then is the
// tenant's choice: [behavior.Policy].FailClosed. When the server is back, the next
// prompt finds it; nothing need be restarted.
//
// # What is not covered
//
// Redis Cluster and Sentinel. Encryption on the server. Clocks: gateways that
// disagree by more than the window take each other's sessions for expired.
package redisstore
