package llmaas

import (
	"bytes"
	"encoding/json"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// usage is the usage of a reply: as it came, and as go-openai knows it. Decoding
// it never fails, so that odd counts do not cost the answer.
type usage struct {
	raw    json.RawMessage // nil when there was none
	fields usageFields
	plain  bool // fields could be read
}

type usageFields struct {
	openai.Usage
	ReasoningTokens int `json:"reasoning_tokens"` // where the service has them
}

// UnmarshalJSON keeps data.
func (u *usage) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	*u = usage{raw: bytes.Clone(data)}
	u.plain = json.Unmarshal(data, &u.fields) == nil
	return nil
}

// shown is the usage for callers of go-openai, with the service's reasoning
// tokens where OpenAI has them; nil when there is none that can be read.
func (u *usage) shown() *openai.Usage {
	if u.raw == nil || !u.plain {
		return nil
	}
	shown := u.fields.Usage
	if n := u.fields.ReasoningTokens; n > 0 && shown.CompletionTokensDetails == nil {
		shown.CompletionTokensDetails = &openai.CompletionTokensDetails{ReasoningTokens: n}
	}
	return &shown
}

// used is what is to be billed, or the estimate. Counts that contradict one
// another give way to the estimate, which the result shows.
func (u *usage) used(estimate func() cost.Usage) cost.Usage {
	if u.raw == nil {
		return estimated(estimate())
	}
	// The plain case, which needs no second look: all the counts there are, and
	// they add up.
	f := u.fields
	reasoning := f.ReasoningTokens
	if d := f.CompletionTokensDetails; d != nil && reasoning == 0 {
		reasoning = d.ReasoningTokens
	}
	if u.plain && f.PromptTokens > 0 && f.CompletionTokens > 0 && reasoning >= 0 && reasoning <= f.CompletionTokens &&
		f.TotalTokens == f.PromptTokens+f.CompletionTokens && (f.CompletionTokensDetails == nil || f.CompletionTokensDetails.ReasoningTokens == reasoning) {
		return cost.Usage{Input: int64(f.PromptTokens), Output: int64(f.CompletionTokens), Reasoning: int64(reasoning)}
	}
	used, err := cost.ParseUsage(u.raw)
	if err != nil {
		return estimated(estimate())
	}
	return used
}

func estimated(u cost.Usage) cost.Usage {
	u.Estimated = true
	return u
}
