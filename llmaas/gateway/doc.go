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
// model is renamed where lifecycle says so. Headers pass if they are on a list, a
// query never does, and neither side may compress: nobody could read along.
//
// # Streams
//
// A stream is passed on event by event, byte for byte and in its order. When the
// caller goes away the machine is stopped at once; what it had said until then is
// billed. An error that a machine puts into its stream goes to the caller in its
// own words, and the request is recorded as failed.
//
// # What the output scan reads
//
// With [Config].Output every string that a model can put into a message is
// scanned, in streams on the way: content, reasoning, refusals, the names and
// arguments of tool calls, and members that nobody knows yet. Each of them is a
// text of its own in each choice, and so is each call; arguments are read without
// their escapes. What is found ends the answer before the reader sees it. In a stream an
// event waits until its words are released; when a choice goes on with another
// text (a call after content), the one before is judged as it stands.
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
// What becomes an embedding, a rank or a sound is not judged: such a model follows
// no instructions. The step guard of the record then says "unread".
//
// # Files and batches
//
// Machines know no tenants, so the gateway does: a file or batch is had, listed,
// run, canceled and deleted by the tenant that made it, and is answered to all
// others with status 404, as what does not exist. What concerns it goes to the
// machine that has it, or nowhere.
//
// A file is as long as [Config].MaxBody lets a body be. It can be run where each
// line is one request of a chat, a completion or an embedding; ten batches of a
// tenant run at once.
//
// A batch is let in when its requests at their worst fit the limits, and holds
// that until its end is seen. The gateway then reads the results itself, and bills
// what they say before anyone is told where they are. What nobody asks for within
// [Remembered] is billed at its worst. With [Config].Output each result is scanned
// on its way to the caller, and fails where it must not go on.
//
// All this is in memory, within bounds. The audit has what it takes to know it
// again after a restart:
//
//	for r, err := range audit.Records(dir, audit.Filter{From: time.Now().Add(-gateway.Remembered)}, key) {
//		… // err
//		g.Restore(ctx, r, true)
//	}
//
// Without that, nobody has what was made before. Several gateways do not tell one
// another: send a tenant's /files and /batches to the same one.
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
// A batch whose answer was lost on the way from its machine runs there, unknown
// and unbilled, and nobody has its results. One that was canceled is billed for
// the results that there are.
//
// Pictures and sounds are not judged, and neither is text in them. Answers are
// scanned where they have choices: not the texts of transcriptions.
package gateway
