package llmaastest

import (
	"net/http"
	"strings"

	"github.com/llmaas/llmaas-go/lifecycle"
)

// Model is one that the fake serves.
type Model struct {
	ID         string
	Aliases    []string
	Context    int  // tokens that prompt and answer may have together; listed as max_model_len
	Reasoning  bool // thinks before it answers
	Dimensions int  // of its embeddings; 0 means 768
}

// defaults fills in the models: those that the catalogue had in production at
// its latest date, whatever the day is, so that a test sees the same ones always.
func (b *Backend) defaults() {
	if b.models != nil {
		return
	}
	catalogue := lifecycle.Default()
	for m := range catalogue.Models() {
		status, err := catalogue.StatusOn(m.ID, catalogue.AsOf())
		if err != nil || !status.Phase.Available() {
			continue
		}
		b.models = append(b.models, Model{
			ID:        m.ID,
			Aliases:   m.Aliases,
			Context:   m.Context,
			Reasoning: m.Capabilities.Has(lifecycle.Reasoning),
		})
	}
}

func (b *Backend) serveModels(c *call) {
	type permission struct {
		ID                string `json:"id"`
		Object            string `json:"object"`
		Created           int64  `json:"created"`
		AllowSampling     bool   `json:"allow_sampling"`
		AllowView         bool   `json:"allow_view"`
		AllowFineTuning   bool   `json:"allow_fine_tuning"`
		AllowCreateEngine bool   `json:"allow_create_engine"`
	}
	type model struct {
		ID         string       `json:"id"`
		Object     string       `json:"object"`
		Created    int64        `json:"created"`
		OwnedBy    string       `json:"owned_by"`
		Root       string       `json:"root"`
		Aliases    []string     `json:"aliases"`
		MaxLen     int          `json:"max_model_len"`
		Permission []permission `json:"permission"`
	}
	created := b.now().Unix()
	show := func(m Model) model {
		return model{
			ID: m.ID, Object: "model", Created: created, OwnedBy: "CloudTemple", Root: m.ID,
			Aliases: append([]string{}, m.Aliases...), MaxLen: m.Context,
			Permission: []permission{{ID: "modelperm-" + m.ID, Object: "model_permission", Created: created, AllowSampling: true, AllowView: true}},
		}
	}
	if id, one := strings.CutPrefix(c.Path, "/models/"); one {
		if m, ok := b.serves(c, id); ok {
			c.send(http.StatusOK, show(m))
		}
		return
	}
	list := make([]model, 0, len(b.models))
	for _, m := range b.models {
		list = append(list, show(m))
	}
	c.send(http.StatusOK, map[string]any{"object": "list", "data": list})
}
