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
// # What the guard reads
//
// Whatever a machine might put into a prompt: what is new in this turn, with the
// session; and without it what callers and tools said before (the conversation is
// the caller's to write), names, documents, templates, unknown fields and the
// requests of a batch. Words of the host (system and developer messages, tools,
// formats) and of the model are left alone. What two readers would read in two
// ways is refused with status 400: names that stand twice or in another case,
// unknown roles, token ids, broken UTF-8, half a surrogate pair.
//
// # Callers that do harm
//
// A header, a body, a pause and a write each have their time ([ServerOptions], 30 s
// for a write), a body its length, requests under way their number. The name of
// a model is never part of a header or a path, and a label only once a machine
// has answered to it.
//
// # What is not covered
//
// No prompts or answers are logged; the audit has their digests, and texts only
// for tenants for which [Config].RecordTexts says so.
//
// Files and batches live on one machine, and callers are sent to the same one by
// their tenant; but a machine does not know tenants. Grant /files and /batches
// only where machines keep them apart, or where tenants may see each other's. The
// tokens of a batch are not counted against limits.
//
// Pictures and sounds are not judged, and neither is text in them. Output scanning
// reads what a model says, not the arguments of its tool calls.
package gateway
