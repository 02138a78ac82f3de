package gateway

import "github.com/llmaas/llmaas-go/tokens"

// input is what becomes an embedding: texts, or token ids, which some clients
// send in their place. The guard reads neither: an embedding model follows no
// instructions.
type input struct {
	texts []string
	ids   int
}

func (a *ask) embedField(name string, value []byte, at span) error {
	if name == "input" {
		return a.input.read(value, 0)
	}
	return a.common(name, value, at)
}

// read takes a string, token ids, or an array of either.
func (in *input) read(value []byte, depth int) error {
	switch c := value[0]; {
	case c == '"' && depth < 2:
		s, err := unquote(value)
		in.texts = append(in.texts, s)
		return err
	case c == '[' && depth < 2:
		return elements(value, func(value []byte) error { return in.read(value, depth+1) })
	case c >= '0' && c <= '9' && depth > 0:
		in.ids++
		return nil
	}
	return badBody("want a string, token ids, or an array of either")
}

func (in *input) estimate(model string) tokens.Estimate {
	all := tokens.Estimate{Low: in.ids, Likely: in.ids, High: in.ids}
	estimator := tokens.For(model)
	for _, s := range in.texts {
		all = all.Plus(estimator.Estimate(s))
	}
	return all
}
