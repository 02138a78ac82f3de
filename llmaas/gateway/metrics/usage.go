package metrics

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
	all := []Usage{}
	for _, s := range m.models.sorted() {
		u := Usage{
			Model: s.name, Limited: s.requests[429],
			Input: s.input, Output: s.output + s.reasoning, Reasoning: s.reasoning, Cost: s.cost, Energy: s.energy,
		}
		for status, n := range s.requests {
			u.Requests += n
			if status >= 500 {
				u.Failed += n
			}
		}
		all = append(all, u)
	}
	return all
}
