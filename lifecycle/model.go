package lifecycle

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Model is everything the tables say about one model. A field that no table
// prints is zero. Sources and dates of the figures: [Catalogue.Tables].
type Model struct {
	ID         string   `json:"id"`
	Aliases    []string `json:"aliases,omitempty"`
	Publisher  string   `json:"publisher,omitempty"`
	Parameters string   `json:"parameters,omitempty"` // as printed: "32B (9B actifs)"
	// Size is the number of parameters: the first number of Parameters, else
	// the one that the id ends in ("deepseek-r1:70b"), else 0.
	Size int64 `json:"size,omitempty"`
	// Tokenizer is the tokenizer family: "qwen", "llama3", "o200k".
	Tokenizer       string       `json:"tokenizer,omitempty"`
	Context         int          `json:"context,omitempty"` // tokens
	Capabilities    Capabilities `json:"capabilities,omitempty"`
	Licence         string       `json:"licence,omitempty"`
	TokensPerSecond float64      `json:"tokens_per_second,omitempty"`
	// EnergyWh is Wh per million tokens: 1690 where the table prints 1.69 kWh.
	EnergyWh int64 `json:"energy_wh_per_mtoken,omitempty"`

	Evaluation   Date   `json:"evaluation,omitzero"`
	Deployment   Date   `json:"deployment,omitzero"`
	Launched     Date   `json:"launched,omitzero"`       // DMP: first day in production
	EndOfSupport Date   `json:"end_of_support,omitzero"` // DSP: first day without maintenance
	Retired      Date   `json:"retired,omitzero"`        // first day off the public platform
	LTS          bool   `json:"lts,omitempty"`
	Successor    string `json:"successor,omitempty"`   // as the provider names it
	Reactivable  bool   `json:"reactivable,omitempty"` // on request, once deprecated
	// Vanished is the date of the first complete table that no longer lists the model.
	Vanished Date `json:"vanished,omitzero"`
	// AsOf is the date of the latest table that lists the model.
	AsOf Date   `json:"as_of,omitzero"`
	Note string `json:"note,omitempty"`
}

// End is the day on which support ends, or on which the model was deprecated or
// vanished if that came first.
func (m Model) End() Date { return first(m.EndOfSupport, m.Retired, m.Vanished) }

// Family is the leading letters of the id: "qwen" for "qwen3-coder:30b".
func (m Model) Family() string { return family(m.ID) }

func family(id string) string {
	for i := range len(id) {
		if c := id[i] | 0x20; c < 'a' || c > 'z' {
			return id[:i]
		}
	}
	return id
}

// Capabilities is a set of things that a model can do; 0 means that no table
// says. Combine with |.
type Capabilities uint16

// The capabilities, each one bit.
const (
	Chat Capabilities = 1 << iota
	Tools
	Vision
	Reasoning
	Embedding
	Rerank
	Safety
	Translation
	Audio
	Image
)

var capabilityNames = [...]string{"chat", "tools", "vision", "reasoning", "embedding", "rerank", "safety", "translation", "audio", "image"}

// Has reports whether every capability in want is in c.
func (c Capabilities) Has(want Capabilities) bool { return c&want == want }

// String returns the names, separated by a space, in the order of the constants.
func (c Capabilities) String() string {
	names := make([]string, 0, bits.OnesCount16(uint16(c)))
	for i, name := range capabilityNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// MarshalText writes the text of [Capabilities.String].
func (c Capabilities) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func parseCapability(s string) (Capabilities, bool) {
	for i, name := range capabilityNames {
		if s == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// parseSize reads the number of parameters at the start of s: 7e9 for
// "7B (8.3B)", 3e8 for "300m", 0 if s does not start with one.
func parseSize(s string) int64 {
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 1 || (end+1 < len(s) && s[end+1] != ' ' && s[end+1] != '-') {
		return 0
	}
	unit := map[byte]float64{'m': 1e6, 'b': 1e9, 't': 1e12}[s[end]|0x20]
	n, err := strconv.ParseFloat(s[:end], 64)
	if err != nil || n > 1e6 {
		return 0
	}
	return int64(math.Round(n * unit))
}
