package metrics

import (
	"maps"
	"slices"
)

// Usage is what one model was used for since the start.
type Usage struct {
	Model     string `json:"model"` // as the label has it: bounded, "" where a request named none
	Requests  int64  `json:"requests"`
	Failed    int64  `json:"failed"`    // status 500 and above
	Limited   int64  `json:"limited"`   // status 429
	Input     int64  `json:"input"`     // tokens
	Output    int64  `json:"output"`    // tokens, reasoning included
	Reasoning int64  `json:"reasoning"` // tokens
	Cost      int64  `json:"cost"`      // nano-euro
	Energy    int64  `json:"energy"`    // microwatt-hours
}

// Usage returns the sums by model, in the order of their names.
func (m *Metrics) Usage() []Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	byModel := make(map[string]Usage)
	for k, n := range m.requests {
		u := byModel[k[0]]
		u.Requests += n
		switch {
		case k[1] >= "500": // three digits sort as numbers do
			u.Failed += n
		case k[1] == "429":
			u.Limited += n
		}
		byModel[k[0]] = u
	}
	all := []Usage{}
	for _, model := range slices.Sorted(maps.Keys(byModel)) {
		u := byModel[model]
		u.Model = model
		u.Input, u.Reasoning = m.tokens[key{model, "input"}], m.tokens[key{model, "reasoning"}]
		u.Output = m.tokens[key{model, "output"}] + u.Reasoning
		u.Cost, u.Energy = m.cost[key{model}], m.energy[key{model}]
		all = append(all, u)
	}
	return all
}
