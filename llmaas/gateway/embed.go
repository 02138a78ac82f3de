package gateway

import "github.com/llmaas/llmaas-go/tokens"

// embedField reads a field of a request for embeddings.
func (a *ask) embedField(name string, value []byte, at span) error {
	if name == "input" {
		return a.embed(value)
	}
	return a.common(name, value, at)
}

// embed reads what is to become embeddings: a string or several. Token ids are
// refused, as the service does.
func (a *ask) embed(value []byte) error {
	add := func(value []byte) error {
		s, err := unquote(value)
		if err != nil {
			return badBody("want a string or an array of strings")
		}
		a.inputs = append(a.inputs, s)
		return nil
	}
	if value[0] == '[' {
		return elements(value, add)
	}
	return add(value)
}

// estimateInputs is what the texts to embed come to.
func (a *ask) estimateInputs() (all tokens.Estimate) {
	estimator := tokens.For(a.model)
	for _, s := range a.inputs {
		all = all.Plus(estimator.Estimate(s))
	}
	return all
}
