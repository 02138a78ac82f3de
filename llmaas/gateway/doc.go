// Package gateway is the server side: one [net/http.Handler] with the service's
// API, put together from the packages below it.
//
//	g, err := gateway.New(gateway.Config{
//		Keys:     keys,     // access: who may call what
//		Limits:   limits,   // limit: how much
//		Guard:    guard,    // the prompt analysis; nil means its defaults
//		Backends: machines, // balance: which machine
//		Audit:    log,      // audit: what happened
//		Metrics:  metrics,  // metrics: how it is going
//	})
//	err = gateway.Serve(ctx, gateway.ServerOptions{Addr: ":443", Handler: g, CertFile: "…", KeyFile: "…"})
//
// # The way of a request
//
// gateway.go has it on one screen: access, the body, lifecycle, guard, limit,
// backend, and, whatever happened, settlement, audit and metrics. Every step
// leaves its decision on the record. What a step refuses goes no further, and
// failure.go says with which status and words.
//
// # Bytes pass through
//
// The body of a request goes to the machine as it came, byte for byte, and so
// does the answer. There are two exceptions: a stream is asked for its usage
// when the caller did not (and the chunk with it is kept from the caller), and a
// model is renamed where lifecycle says so.
//
// # Streams
//
// A stream is passed on event by event. With [Config].Output its text is scanned
// on the way, and what is found ends the stream before the reader sees it. When
// the caller goes away the machine is stopped at once; what it had said until
// then is billed.
//
// # What is not covered
//
// No prompts or answers are logged; the audit has their digests, and texts only
// for tenants for which [Config].RecordTexts says so. Files and batches live on
// one machine: callers are sent to the same one by their tenant.
package gateway
