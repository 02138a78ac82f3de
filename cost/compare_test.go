package cost

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompare(t *testing.T) {
	candidates := []Candidate{
		{ID: "tiny", Context: 279, Tools: true},
		{ID: "llama3.3:70b", Context: 132_000, Tools: true},
		{ID: "zz-unmeasured", Context: 8192, Tools: true},
		{ID: "gemma3:1b", Context: 32_000},
		{ID: "granite3.3:8b", Context: 60_000, Tools: true, Reasoning: true},
		{ID: "qwen2.5vl:32b", Context: 120_000, Tools: true, Vision: true},
		{ID: "frugal-tokenizer", Context: 280, Tools: true, Input: Range{50, 60, 80}},
		{ID: "context-unknown", Tools: true, Vision: true, Reasoning: true},
	}
	request := Request{Input: Range{60, 70, 80}, MaxTokens: 200, LikelyOutput: 100, LikelyReasoning: 20}
	rows := []struct {
		needs Needs
		want  []string // those that fit, in order
	}{
		{Needs{}, []string{"frugal-tokenizer", "gemma3:1b", "qwen2.5vl:32b", "llama3.3:70b", "zz-unmeasured", "granite3.3:8b"}},
		{Needs{Tools: true}, []string{"frugal-tokenizer", "qwen2.5vl:32b", "llama3.3:70b", "zz-unmeasured", "granite3.3:8b"}},
		{Needs{Vision: true}, []string{"qwen2.5vl:32b"}},
		{Needs{Reasoning: true}, []string{"granite3.3:8b"}},
		{Needs{Vision: true, Reasoning: true}, nil},
	}
	for _, row := range rows {
		offers, err := Compare(Default(), DefaultEnergy(), at(t, page), request, row.needs, candidates)
		require.NoError(t, err)
		require.Len(t, offers, len(candidates), "none is lost")
		var got []string
		for i, o := range offers {
			if o.Misfit == "" {
				require.Len(t, got, i, "the fitting ones come first")
				got = append(got, o.ID)
				require.Positive(t, o.Quote.Most)
			} else {
				require.Zero(t, o.Quote)
			}
		}
		require.Equal(t, row.want, got, "%+v", row.needs)

		best, err := Cheapest(Default(), DefaultEnergy(), at(t, page), request, row.needs, candidates)
		if row.want == nil {
			require.ErrorIs(t, err, ErrNoCandidate)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, row.want[0], best.ID)
	}

	offers, err := Compare(Default(), DefaultEnergy(), at(t, page), request, Needs{}, candidates)
	require.NoError(t, err)
	byID := map[string]Offer{}
	for _, o := range offers {
		byID[o.ID] = o
	}
	require.Equal(t, "context of 279 tokens is too small", byID["tiny"].Misfit)
	require.Equal(t, "context unknown", byID["context-unknown"].Misfit)
	require.False(t, byID["zz-unmeasured"].EnergyKnown)
	require.Equal(t, "0.000803", byID["granite3.3:8b"].Quote.Likely.String(), "20 of 100 reasoning: 63 + 320 + 420 µ€")
	require.Equal(t, "0.000463", byID["gemma3:1b"].Quote.Likely.String())
	require.Equal(t, Energy(170*150), byID["gemma3:1b"].Energy)
}

func TestCompareRefuses(t *testing.T) {
	one := []Candidate{{ID: "m", Context: 100}}
	_, err := Compare(Default(), DefaultEnergy(), at(t, before), Request{}, Needs{}, one)
	require.ErrorIs(t, err, ErrNoTariff)
	_, err = Cheapest(Default(), DefaultEnergy(), at(t, may), Request{MaxTokens: -1}, Needs{}, one)
	require.ErrorIs(t, err, ErrUsage)
	_, err = Cheapest(Default(), DefaultEnergy(), at(t, may), Request{}, Needs{}, nil)
	require.ErrorIs(t, err, ErrNoCandidate)
}
