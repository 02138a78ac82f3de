// Package metrics counts what a gateway does: requests, tokens, money and energy
// per model and backend, latency, time to first token and speed, what the guard
// found and which limits were hit. It writes them as Prometheus text, keeps the
// last requests for a person to search, draws curves for a console, and watches
// thresholds.
//
//	m, err := metrics.New(metrics.Options{
//		Alerts: []metrics.Alert{
//			{Name: "slow", Measure: metrics.LatencyP99, Above: 20, For: time.Minute},
//			{Name: "errors", Measure: metrics.ErrorRate, Above: 0.05, Below: 0.01},
//		},
//		Notify: func(n metrics.Notice) { … }, // a webhook: see the example of Notice
//	})
//	http.Handle("/metrics", m)
//	go m.Watch(ctx.Done(), 5*time.Second)
//	m.Observe(metrics.Request{Model: "gpt-oss:120b", Status: 200, …})
//
// # Names and units
//
// Names and units follow Prometheus: counters end in _total, times are seconds,
// energy is joules, money is euros. The text is checked by promtool.
//
// What is counted by model (llmaas_tokens_total, llmaas_request_duration_seconds, …)
// is counted by backend too (llmaas_backend_tokens_total, …). Time to first token
// and speed are those of streams: a whole answer comes at once.
//
// # Alerts
//
// An alert begins when its measure has been above a threshold for a time, and ends
// when it is no longer above a lower one. Measures look at what ended in the last
// minute, not at what began in it, so that requests that hang are seen. What the
// package does not know, such as how much of a budget is spent, the host gives as
// [Alert].Value.
//
// # Labels are bounded
//
// Callers choose model names, so a label takes at most [Options].MaxLabels
// values; whatever comes after is counted under "other". Tenants are never a
// label: they stand in the history, which is bounded by [Options].History.
//
// # What is not covered
//
// Nothing is stored: what a process counted is gone with it, as Prometheus
// expects. Budgets and bills come from package cost, which is exact; the sums
// here are exact too, in nano-euro, but only of this process.
package metrics
