package gateway

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// maxPage is how many files or batches a list holds, and holds unless the caller
// wants fewer.
const maxPage = 100

// list answers GET /files and GET /batches from what the gateway remembers, the
// newest first: lists of machines are of all tenants. Each entry is asked of the
// machine that has it; one that cannot be had now is shown by its name only.
func (g *Gateway) list(x *exchange) error {
	f := x.filing
	all, limit, err := page(g.owners.list(x.who.Tenant.ID, f.batch, x.begun), x.r.URL.Query())
	if err != nil {
		return err
	}
	data := []json.RawMessage{}
	down := make(map[string]bool) // machines that did not answer: once is enough
	var last *owned
	for len(all) > 0 && len(data) < limit {
		last, all = all[0], all[1:]
		if raw := g.shown(x, last, down); raw != nil {
			data = append(data, raw)
		}
		if x.gone() != nil {
			return x.gone()
		}
	}
	answer := map[string]any{"object": "list", "data": data, "has_more": len(all) > 0}
	if len(data) > 0 {
		answer["first_id"], answer["last_id"] = idOf(data[0]), idOf(data[len(data)-1])
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return x.say(http.StatusOK, body)
}

// page cuts a list as its query asks: limit, and after, the last one seen.
func page(all []*owned, query url.Values) ([]*owned, int, error) {
	limit := maxPage
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, 0, badBody("limit: want a whole number from 1 to %d", maxPage)
		}
		limit = min(n, maxPage)
	}
	if after := query.Get("after"); after != "" {
		at := slices.IndexFunc(all, func(o *owned) bool { return o.id == after })
		if at < 0 {
			return nil, 0, errNoFile
		}
		all = all[at+1:]
	}
	return all, limit, nil
}

// shown is the description of a file or batch in a list, or nil if it is there no
// more.
func (g *Gateway) shown(x *exchange, o *owned, down map[string]bool) json.RawMessage {
	tree, kind := "/files/", "file"
	if o.batch {
		tree, kind = "/batches/", "batch"
	}
	// Strings and numbers always marshal.
	name, _ := json.Marshal(map[string]any{"id": o.id, "object": kind, "created_at": o.created.Unix()})
	if down[o.machine] {
		return name
	}
	resp, err := g.fetch(x, o.machine, tree+o.id)
	if err != nil {
		down[o.machine] = true
		return name
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNotFound {
		if !o.batch { // one that is not billed yet is remembered until it is
			g.owners.drop(o)
		}
		return nil
	}
	raw, err := describe(resp)
	if resp.StatusCode != http.StatusOK || err != nil || idOf(raw) != o.id || o.batch && g.seen(x, o, raw) != nil {
		return name
	}
	return raw
}

func idOf(raw []byte) string {
	var o struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &o) // no name is none
	return o.ID
}
