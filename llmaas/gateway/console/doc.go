// Package console is one page for the operators of a gateway: usage by model,
// latency and throughput, alerts, requests, machines, and where each model is in
// its life.
//
//	page, err := console.New(console.Options{
//		Allow:    func(r *http.Request) bool { … }, // an admin key in its Authorization header
//		Usage:    func() any { return meters.Usage() },
//		Curve:    func() any { return meters.Curve(time.Now().Add(-time.Hour)) },
//		Backends: func() any { return machines.Status() },
//		History:  func(q console.Query) any { … },
//	})
//	mux.Handle("/console/", http.StripPrefix("/console", page))
//
// # Sources
//
// What is shown comes from functions, each of which returns a list that marshals
// to JSON objects. The page reads these members, and shows a dash for one that is
// missing; times are RFC 3339, durations nanoseconds, cost nano-euro, energy
// microwatt-hours:
//
//	Usage     model requests failed limited input output cost energy
//	Curve     time requests failed output cost p50 p99, one for each ten seconds with a request
//	Alerts    alert measure value above since
//	Backends  name models weight in_flight latency out until draining failures reason
//	Models    model phase end_of_support days_left successor
//	History   id time tenant endpoint model backend status input output duration ttft cost rules limit
//
// # What the page does
//
// Above all stands what is wrong now: alerts, machines that are out, failures. What
// begins or ends is said once to a screen reader, and the title counts the alerts.
// A chart tells what was at the time under the pointer. When the gateway goes away,
// the page says since when, keeps what it knew and comes back by itself.
//
// # Who may see it
//
// The page itself holds no data and is served to anyone. It asks for a key,
// keeps it in memory only and sends it in the Authorization header, never in an
// address. Options.Allow is asked for every request, and again at every step of
// a stream, so that a key that was revoked sees nothing more.
//
// The content security policy allows the page's own two files and nothing else:
// no inline script or style, no other host, no frame. What comes from callers,
// such as the names of models, is only ever set as text.
//
// # What is not here
//
// It shows and changes nothing: keys, limits and machines are managed elsewhere.
// The page is in English.
package console
