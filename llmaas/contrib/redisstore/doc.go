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
// # Limits and budgets
//
// Several gateways also count as one: [Limits] is the State of package limit, with
// the monthly budgets of tiers among its counts, and [Budgets] that of package
// cost, on the same server.
//
//	limits, err := redisstore.NewLimits(store, redisstore.CountOptions{})
//	limiter, err := limit.New(limit.Options{Tier: tierOf, State: limits, MonthlyBudget: true})
//	budgets, err := redisstore.NewBudgets(store, redisstore.CountOptions{})
//	budget, err := cost.NewBudget(cost.BudgetOptions{Cap: capOf, State: budgets})
//
// They are exact to the token and the nano-euro, however many gateways ask at
// once, in one round trip before a call and one after it. When the answer of the
// server gets lost, they try again once, and nothing counts twice: the server
// remembers what it did, and for a minute what it settled.
//
// A server that evicts keys when its memory is full, or loses them when it
// dies, forgets what was used, and calls that were under way then take what they
// give back off the counts begun since: where that matters, run one with
// "maxmemory-policy noeviction" and "appendonly yes", apart from the sessions.
// When it does not answer, calls are refused unless [CountOptions].FailOpen lets
// them go on. examples/cluster shows all of it with two gateways.
//
// # What is not covered
//
// Redis Cluster and Sentinel. Encryption on the server. Clocks: gateways that
// disagree by more than the window take each other's sessions for expired.
package redisstore
