package gateway

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/llmaas/llmaas-go/lifecycle"
)

// model asks whether the key may have the model, whether it is served, and what
// lifecycle says of it.
func (g *Gateway) model(x *exchange) error {
	for _, m := range x.ask.models {
		if err := x.who.Allow(kindOf(x.path), m); err != nil {
			return err
		}
	}
	x.hint.Model = x.ask.model
	if x.ask.model == "" {
		if len(x.ask.models) == 1 {
			x.hint.Model = x.ask.models[0] // a file of requests goes where they can be run
		}
		return nil
	}
	if err := x.who.Allow(kindOf(x.path), x.ask.model); err != nil {
		return err
	}
	options := g.Advice
	options.Tenant = x.who.Tenant.ID
	advice := g.Catalogue.Advise(x.ask.model, x.begun, options)
	if g.Models != nil && !slices.Contains(g.Models, x.ask.model) && !slices.Contains(g.Models, advice.Model) {
		return errNoModel
	}
	advice.Status.SetHeader(x.w.Header())
	if advice.Successor != "" {
		x.w.Header().Set("Link", "</v1/models>; rel=\"successor-version\"; title="+quote(advice.Successor))
	}
	switch advice.Action {
	case lifecycle.Refuse:
		return advice.Err()
	case lifecycle.Rewrite:
		x.decide("rewrite")
		x.hint.Model = advice.Model
	case lifecycle.Warn:
		x.decide("warn")
	}
	return nil
}

// listed is a model as GET /models has it.
type listed struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	OwnedBy string   `json:"owned_by"`
	Root    string   `json:"root"`
	Aliases []string `json:"aliases"`
	MaxLen  int      `json:"max_model_len,omitempty"`
}

// serveModels lists the models that the key may use, or shows the one of them that
// the path names.
func (g *Gateway) serveModels(x *exchange) error {
	ids := g.Models
	if ids == nil {
		for m := range g.Catalogue.Models() {
			if s, err := g.Catalogue.StatusAt(m.ID, x.begun); err == nil && s.Phase.Available() {
				ids = append(ids, m.ID)
			}
		}
	}
	list := []listed{}
	for _, id := range ids {
		if !x.who.AllowsModel(id) {
			continue
		}
		m := listed{ID: id, Object: "model", OwnedBy: "CloudTemple", Root: id, Aliases: []string{}}
		if known, err := g.Catalogue.Model(id); err == nil {
			m.Aliases = append(m.Aliases, known.Aliases...)
			m.MaxLen = known.Context
			m.Created = known.Launched.Time(time.UTC).Unix()
		}
		list = append(list, m)
	}
	var shown any = map[string]any{"object": "list", "data": list}
	if id, one := strings.CutPrefix(x.path, "/models/"); one {
		i := slices.IndexFunc(list, func(m listed) bool { return m.ID == id || slices.Contains(m.Aliases, id) })
		if i < 0 {
			return errNoModel
		}
		shown = list[i]
	}
	body, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	x.status = http.StatusOK
	x.w.Header().Set("Content-Type", "application/json")
	_, err = x.w.Write(body)
	return err
}
