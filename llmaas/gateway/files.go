package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
)

// filings are the requests about files and batches, and their methods.
var filings = map[string]string{
	"/files": "GET POST", "/files/*": "GET DELETE", "/files/*/content": "GET",
	"/batches": "GET POST", "/batches/*": "GET", "/batches/*/cancel": "POST",
}

// filing is a request about files and batches.
type filing struct {
	batch  bool
	id     string // "" in a request for all of them, and for a new one
	action string // "content", "cancel" or ""
	on     *owned // what is asked for; the input of a new batch

	bill    bill // of the batches whose end it saw
	settled int  // how many they are
	objects []audit.Object
}

// lists says that all of them are asked for: the gateway answers that itself.
func (f *filing) lists(method string) bool { return f.id == "" && method == http.MethodGet }

// file asks whose the file or batch is. A name that is not the tenant's own is
// one that does not exist, whoever else may have it. No query and, but for what
// is created, no body goes on to a machine: nothing that was not understood here
// may say whose file is meant.
func (g *Gateway) file(x *exchange) error {
	parts := strings.Split(strings.TrimPrefix(x.path, "/"), "/")
	shape := "/" + parts[0]
	f := &filing{batch: parts[0] == "batches"}
	if len(parts) > 1 {
		f.id, f.action = parts[1], strings.Join(parts[2:], "/")
		shape = strings.TrimSuffix(shape+"/*/"+f.action, "/")
	}
	methods, known := filings[shape]
	if !known {
		return errNoEndpoint
	}
	if err := x.method(methods); err != nil {
		return err
	}
	x.filing = f
	x.hint.Once = x.r.Method != http.MethodGet
	x.step("owner")
	g.sweep(x)
	switch {
	case f.id != "":
		f.on = g.owners.find(x.who.Tenant.ID, f.id, f.batch, x.begun)
		if f.on == nil {
			return errNoFile
		}
		x.hint.Machine = f.on.machine
		return nil
	case x.r.Method == http.MethodGet:
		return nil
	}
	if err := g.owners.room(x.who.Tenant.ID, f.batch); err != nil {
		return err
	}
	var err error
	if x.ask.raw, err = g.read(x); err != nil {
		return err
	}
	if f.batch {
		return g.order(x)
	}
	return x.ask.upload(x.r.Header.Get("Content-Type"))
}

// maxObject is the longest description of a file or batch, in bytes.
const maxObject = 1 << 20

// filed learns from a machine's answer about files and batches, and passes it on.
func (g *Gateway) filed(x *exchange) error {
	f := x.filing
	switch {
	case x.resp.StatusCode/100 != 2:
		return x.whole()
	case f.action == "content":
		return x.content()
	case x.r.Method == http.MethodDelete:
		g.owners.drop(f.on)
		f.objects = append(f.objects, audit.Object{Event: "deleted", ID: f.id})
		return x.whole()
	}
	raw, err := describe(x.resp)
	switch {
	case err != nil:
		return x.goneOr(err)
	case f.id == "":
		err = g.created(x, raw)
	case f.batch:
		err = g.seen(x, f.on, raw)
	}
	if err != nil {
		return err
	}
	return x.say(x.resp.StatusCode, raw)
}

// goneOr is err, unless the caller went away: then that is why.
func (x *exchange) goneOr(err error) error {
	if gone := x.gone(); gone != nil {
		return gone
	}
	return err
}

// say answers with JSON.
func (x *exchange) say(status int, body []byte) error {
	x.status = status
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	if _, err := x.w.Write(body); err != nil {
		return errGone
	}
	return nil
}

// created remembers whose the new file or batch is, before its name is told. A
// batch takes the lease with it: what it may use stays set aside.
func (g *Gateway) created(x *exchange, raw []byte) error {
	f := x.filing
	id := idOf(raw)
	if !isID(id) {
		return errBrokenOff
	}
	w := x.ask.work
	o := newOwned(x.who.Tenant.ID, id, x.hint.Backend, f.batch, w, x.begun)
	before := g.owners.get(o.tenant, id)
	again := f.batch && before.underWay(o.machine) // asked twice, with one Idempotency-Key
	if f.batch && x.lease != nil {
		lease, yield := x.lease, x.lease.Detach
		if x.lease = nil; again {
			yield = lease.Release
		}
		if err := yield(x.ctx); err != nil {
			g.Log.Error("gateway: batch", "request", x.id, "tenant", o.tenant, "err", err)
		}
		o.lease = lease
	}
	if again {
		return g.seen(x, before, raw)
	}
	if before := g.owners.put(o); before != nil {
		g.expire(before)
	}
	if w.problem != "" {
		w = work{} // it cannot be run, and after a restart neither
	}
	f.objects = append(f.objects, audit.Object{
		Event: "created", ID: id, Requests: w.requests, Input: w.input, Output: w.output, Models: w.models, Endpoint: w.endpoint,
	})
	if f.batch {
		return g.seen(x, o, raw)
	}
	return nil
}

// isID reports whether a machine's name for something can stand in a path.
func isID(id string) bool {
	return len(id) <= 256 && endpoint("/v1/"+id) == "/"+id && !strings.Contains(id, "/")
}

// fetch asks a machine for something of the tenant's, on the gateway's behalf.
func (g *Gateway) fetch(x *exchange, machine, path string) (*http.Response, error) {
	ctx := balance.WithHint(x.ctx, &balance.Hint{Machine: machine})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://backend/v1"+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Request-Id", x.id)
	return g.Backends.RoundTrip(req)
}

// describe reads the description of a file or batch.
func describe(resp *http.Response) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxObject+1))
	if err != nil || len(raw) > maxObject || !json.Valid(raw) {
		return nil, errBrokenOff
	}
	return raw, nil
}

// Restore takes from a record of the audit whose files and batches are. After a
// restart a host calls it with the records of the last [Remembered], in their
// order, before it serves; without that, nobody has what was created before.
// Records that are about neither are ignored.
//
// With hold, what batches under way may still use is set aside again: for limits
// in memory, which begin anew. Shared state holds it still, and counts it as used.
func (g *Gateway) Restore(ctx context.Context, r audit.Record, hold bool) {
	batch := r.Endpoint == "/batches"
	for _, a := range r.Objects {
		machine := a.Backend
		if machine == "" {
			machine = r.Backend
		}
		switch o := g.owners.get(r.Tenant, a.ID); {
		case a.Event == "created":
			o := newOwned(r.Tenant, a.ID, machine, batch, work{requests: a.Requests, input: a.Input, output: a.Output, models: a.Models, endpoint: a.Endpoint}, r.Time)
			if batch && hold {
				o.lease = g.hold(ctx, o)
			}
			g.owners.put(o)
		case o == nil:
		case a.Event == "deleted":
			g.owners.drop(o)
		case a.Event == "settled":
			g.restoreSettled(ctx, o, a, r.Time)
		}
	}
}
