package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
)

// passedOn are the headers of a request that machines may see. The caller's key,
// cookies and hop-by-hop fields stay here.
var passedOn = []string{"Accept", "Content-Type", "Idempotency-Key", "User-Agent", "Traceparent", "Tracestate", "X-Session-Id"}

// passedBack are the headers of an answer that the caller may see.
var passedBack = []string{"Content-Type", "Content-Disposition", "Retry-After", "Retry-After-Ms", "X-Should-Retry"}

// send gives the request to a machine. An audit that cannot be written ends the
// way before that, where the host's policy says so.
func (g *Gateway) send(x *exchange) error {
	if x.own() {
		return nil
	}
	model := x.ask.model
	if x.hint.Model != "" {
		model = x.hint.Model
	}
	body := x.ask.outgoing(model)
	x.hint.Affinity = x.affinity()
	// The host part is the balancer's to choose.
	req, err := http.NewRequestWithContext(balance.WithHint(x.ctx, &x.hint), x.r.Method, "http://backend", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.URL.Path = "/v1" + x.path
	for _, name := range passedOn {
		if values := x.r.Header.Values(name); len(values) > 0 {
			req.Header[name] = values
		}
	}
	// To a machine all tenants are one caller: what they choose as names must not
	// meet there.
	for _, name := range []string{"Idempotency-Key", "X-Session-Id"} {
		if s := req.Header.Get(name); s != "" {
			req.Header.Set(name, audit.Digest(x.who.Tenant.ID+"\x00"+s))
		}
	}
	req.Header.Set("X-Request-Id", x.id)
	req.Header.Set("Accept-Encoding", "identity") // else any is welcome (RFC 9110 §12.5.3)
	resp, err := g.Backends.RoundTrip(req)
	if err != nil {
		return err
	}
	x.resp = resp
	return nil
}

// affinity keeps a conversation on one machine, where its prefix is cached, and
// files and batches on the machine that has them.
func (x *exchange) affinity() string {
	switch kindOf(x.path) {
	case "/files", "/batches":
		return x.who.Tenant.ID
	}
	if s := x.session(); s != "" {
		return x.who.Tenant.ID + "\x00" + s
	}
	return ""
}

// own reports whether the gateway itself has the answer.
func (x *exchange) own() bool {
	return kindOf(x.path) == "/models" || x.filing != nil && x.filing.lists(x.r.Method)
}

// answer passes the machine's answer on.
func (g *Gateway) answer(x *exchange) error {
	switch {
	case kindOf(x.path) == "/models":
		return g.serveModels(x)
	case x.own():
		return g.list(x)
	}
	defer func() { _ = x.resp.Body.Close() }()
	if coding := x.resp.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return errCompressed // nobody could read it on the way
	}
	h := x.w.Header()
	for _, name := range passedBack {
		if values := x.resp.Header.Values(name); len(values) > 0 {
			h[name] = values
		}
	}
	if x.hint.Backend != "" {
		h.Set("X-Backend", x.hint.Backend)
	}
	if x.filing != nil {
		return g.filed(x)
	}
	kind, _, _ := strings.Cut(x.resp.Header.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") && x.resp.StatusCode == http.StatusOK {
		return x.stream()
	}
	return x.whole()
}

// maxReply is the largest answer that is read whole, in bytes.
const maxReply = 256 << 20

// whole passes on an answer that does not stream. It is read to its end first,
// so that one that breaks off can still be told from a good one.
func (x *exchange) whole() error {
	body, err := readAll(io.LimitReader(x.resp.Body, maxReply+1), x.resp.ContentLength)
	switch {
	case err != nil && x.gone() != nil:
		return x.gone()
	case err != nil || len(body) > maxReply:
		return errBrokenOff
	}
	switch {
	case x.resp.StatusCode/100 == 3: // machines have nothing to send anyone to
		return &machineError{http.StatusBadGateway}
	case x.resp.StatusCode >= 400 && !json.Valid(body):
		return &machineError{x.resp.StatusCode}
	}
	if x.resp.StatusCode == http.StatusOK {
		x.usage = body
		s := speech{x: x}
		r := (&replyReader{say: s.say}).read(body)
		if r.chose && len(r.usage) > 0 {
			x.usage = r.usage
		}
		if err := s.end(); err != nil {
			return err
		}
	}
	x.first = x.g.Now()
	x.status = x.resp.StatusCode
	x.w.WriteHeader(x.status)
	// Without a Content-Length the caller sees the end of a long answer when the
	// handler returns: its next request then finds this one settled.
	if _, err := x.w.Write(body); err != nil {
		return errGone
	}
	return nil
}
