package cost

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuote(t *testing.T) {
	input := Range{60, 70, 80}
	rows := []struct {
		when                string
		request             Request
		least, likely, most string
	}{
		{page, Request{}, "0", "0", "0"},
		{page, Request{Input: input}, "0.000054", "0.000063", "0.000072"},
		{page, Request{Input: Range{7, 7, 7}, MaxTokens: 200}, "0.0000063", "0.0008063", "0.0008063"},
		{page, Request{Input: input, MaxTokens: 200, LikelyOutput: 100}, "0.000054", "0.000463", "0.000872"},
		// Reasoning at 21 € makes the most; from 2026 on it costs what output costs.
		{page, Request{Input: input, MaxTokens: 200, Reasoning: true}, "0.000054", "0.000863", "0.004272"},
		{page, Request{Input: input, MaxTokens: 200, LikelyOutput: 100, LikelyReasoning: 50, Reasoning: true}, "0.000054", "0.001313", "0.004272"},
		{page, Request{Input: input, MaxTokens: 200, LikelyReasoning: 50, Reasoning: true}, "0.000054", "0.001713", "0.004272"},
		{may, Request{Input: input, MaxTokens: 200, Reasoning: true}, "0.000108", "0.001726", "0.001744"},
		{may, Request{Input: input, MaxTokens: 200, Choices: 3}, "0.000108", "0.004926", "0.004944"},
		{may, Request{Input: input, MaxTokens: 200, Batch: true, Reasoning: true}, "0.000054", "0.000863", "0.000872"},
	}
	for _, row := range rows {
		q, err := Default().At(at(t, row.when)).Quote(row.request)
		require.NoError(t, err, "%+v", row.request)
		require.Equal(t, [3]string{row.least, row.likely, row.most}, [3]string{q.Least.String(), q.Likely.String(), q.Most.String()}, "%+v", row.request)
	}
}

func TestQuoteRefuses(t *testing.T) {
	rows := []struct {
		when    string
		request Request
		err     error
	}{
		{before, Request{}, ErrNoTariff},
		{page, Request{Input: Range{1, 1, 1}, Batch: true}, ErrNoPrice},
		{page, Request{Input: Range{-1, 1, 1}}, ErrUsage},
		{page, Request{Input: Range{2, 1, 3}}, ErrUsage},
		{page, Request{Input: Range{1, 3, 2}}, ErrUsage},
		{page, Request{MaxTokens: -1}, ErrUsage},
		{page, Request{MaxTokens: 1, LikelyOutput: 2}, ErrUsage},
		{page, Request{MaxTokens: 1, LikelyOutput: -1}, ErrUsage},
		{page, Request{MaxTokens: 9, LikelyOutput: 9, LikelyReasoning: 1}, ErrUsage},
		{page, Request{MaxTokens: 9, LikelyOutput: 5, LikelyReasoning: 6, Reasoning: true}, ErrUsage},
		{page, Request{MaxTokens: 9, LikelyReasoning: 10, Reasoning: true}, ErrUsage},
		{page, Request{Choices: -1}, ErrUsage},
		{page, Request{MaxTokens: math.MaxInt}, ErrOverflow},
		{page, Request{MaxTokens: math.MaxInt/2 + 1, Choices: 2}, ErrOverflow},
	}
	for _, row := range rows {
		q, err := Default().At(at(t, row.when)).Quote(row.request)
		require.ErrorIs(t, err, row.err, "%+v", row.request)
		require.Zero(t, q)
	}
}

// Whatever a call uses within its bounds, its bill is within its quote.
func TestQuoteBoundsBill(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	tariffs := Default().Tariffs()
	for range 2000 {
		tariff := tariffs[random.IntN(len(tariffs))]
		low := random.IntN(1000)
		r := Request{
			Input: Range{low, low + random.IntN(100), low + 100 + random.IntN(100)}, MaxTokens: random.IntN(5000),
			Reasoning: random.IntN(2) == 0, Choices: random.IntN(4), Batch: tariff.sold[BatchInput] && random.IntN(2) == 0,
		}
		q, err := tariff.Quote(r)
		require.NoError(t, err)
		require.LessOrEqual(t, q.Least, q.Likely)
		require.LessOrEqual(t, q.Likely, q.Most)
		u := Usage{Input: int64(low + random.IntN(r.Input.High-low+1)), Output: random.Int64N(int64(r.MaxTokens*max(r.Choices, 1) + 1)), Batch: r.Batch}
		if r.Reasoning {
			u.Reasoning = random.Int64N(u.Output + 1)
		}
		bill, err := tariff.Bill(u)
		require.NoError(t, err)
		require.LessOrEqual(t, q.Least, bill.Total, "%+v %+v", r, u)
		require.GreaterOrEqual(t, q.Most, bill.Total, "%+v %+v", r, u)
	}
}
