// Package balance spreads requests over the machines that serve a model. A
// [Balancer] is an [net/http.RoundTripper]: it takes a request for the service
// and sends it to one machine, or to another when the first one fails before
// the first byte of its answer.
//
//	b, err := balance.New(balance.Options{Backends: []balance.Backend{
//		{Name: "gpu-01", URL: "http://10.0.0.1:8000/v1", Models: []string{"gpt-oss:120b"}},
//		{Name: "gpu-02", URL: "http://10.0.0.2:8000/v1", Models: []string{"gpt-oss:120b"}, Weight: 2},
//	}})
//	ctx = balance.WithHint(ctx, &balance.Hint{Model: "gpt-oss:120b", Affinity: session})
//	resp, err := b.RoundTrip(req.WithContext(ctx))
//
// # Which machine
//
// Only machines that serve the model, are healthy, are not draining and have not
// failed this request come into question. Among these:
//
//   - with an affinity key, the one that rendezvous hashing gives the key, so
//     that the machine's prefix cache is used again; the next one in that order
//     while it holds more than its share of the load times [Options].LoadCap and
//     more than [Options].LoadFloor. Gateways side by side give a key the same
//     machine;
//   - without one, the better of two drawn at random by weight (power of two
//     choices), where better is fewer requests in flight times a moving average
//     of the time to the first byte. What was learned is believed for seconds
//     only, so that a machine that was slow once is asked again.
//
// A request for what lies on one machine, such as a file, names it in
// [Hint].Machine, and goes there or nowhere.
//
// # Health
//
// A connection that fails, a 502, 503 or 504, and an answer that breaks off count
// against a machine; [Options].Failures in a row eject it for
// [Options].EjectFor, doubled each time up to [Options].EjectMost. At most the
// share [Options].EjectShare of a model's machines is out at once: when all look
// ill, the fault is elsewhere. A 503, or a 429 of the machine's own, with a
// Retry-After puts the machine aside for that long. A machine that comes back
// starts slowly: over [Options].SlowStart its share grows from a tenth to the
// whole.
//
// A 500 may be what the caller's prompt does to any machine: it goes back to the
// caller and ejects nobody. A machine that answers nothing else gets less and less,
// down to a tenth of its share.
//
// [Balancer.Probe] asks all machines whether they are well: it finds an ill one
// before a request does, and lets a sound one back early from its first ejection.
// One that answers probes and fails requests serves the next ones to their end.
// [Balancer.Status] says how each stands and what its last failure was.
//
// # Trying again
//
// A request goes to another machine only before the first byte of an answer, only
// if its body can be sent again, and at most [Options].Attempts times in all. A
// prompt may be sent twice. A request that has an effect, such as one that creates
// a batch, says so in [Hint].Once and is tried again only when no machine took it.
//
// # Errors that are the caller's
//
// 400s go back to the caller, and so does a 429 that says rate_limit_exceeded; a
// 429 of any other kind is a machine that is full: another one is tried.
//
// # What is not covered
//
// There is no queue: when no machine is left, the caller gets the last answer,
// or [ErrNoBackend]. A request that a machine took and never answers lasts until
// its context ends. Upgrades such as WebSocket do not pass.
package balance
