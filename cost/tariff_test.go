package cost

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Both sides of each tariff change, to the nanosecond.
const (
	before    = "2025-06-04T23:59:59.999999999Z"
	june      = "2025-06-05T00:00:00Z" // 0.9 in, 4 out, 21 reasoning
	page      = "2025-11-22T12:00:00Z" // the concepts page
	juneEnd   = "2026-02-09T23:59:59.999999999Z"
	feb       = "2026-02-10T00:00:00Z" // 1.9 in, 8 out, 8 reasoning
	febParis  = "2026-02-10T00:59:59+01:00"
	febEnd    = "2026-05-16T23:59:59.999999999Z"
	may       = "2026-05-17T00:00:00Z" // 1.8 in, 8 out, 8 reasoning, 4 rerank, batch 0.9 and 4
	mayKolk   = "2026-05-17T05:29:59+05:30"
	mayKolk2  = "2026-05-17T05:30:00+05:30"
	farFuture = "2999-01-01T00:00:00Z"
)

func at(t *testing.T, when string) time.Time {
	t.Helper()
	day, err := time.Parse(time.RFC3339Nano, when)
	require.NoError(t, err)
	return day
}

// Each total was computed by hand from the three tariffs.
func TestBill(t *testing.T) {
	const max = math.MaxInt64
	rows := []struct {
		when  string
		usage Usage
		want  string // euros, or "" for err
		err   error
	}{
		// The example of the concepts page: 30 characters are 7 tokens by
		// len(text) // 4 (its comment says "about 6"), and 200 out.
		{page, Usage{Input: 7, Output: 200}, "0.0008063", nil},
		{page, Usage{Input: 6, Output: 200}, "0.0008054", nil},
		{page, Usage{}, "0", nil},
		// One of each kind and a million of each, under the first tariff.
		{june, Usage{Input: 1}, "0.0000009", nil},
		{june, Usage{Output: 1}, "0.000004", nil},
		{june, Usage{Output: 1, Reasoning: 1}, "0.000021", nil},
		{june, Usage{Input: 1_000_000}, "0.9", nil},
		{june, Usage{Output: 1_000_000}, "4", nil},
		{june, Usage{Output: 1_000_000, Reasoning: 1_000_000}, "21", nil},
		{june, Usage{Input: 1_000_000, Output: 2_000_000, Reasoning: 1_000_000}, "25.9", nil},
		{june, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001543", nil},
		// The same call on both sides of both changes, and in other zones.
		{before, Usage{Input: 70, Output: 200, Reasoning: 40}, "", ErrNoTariff},
		{juneEnd, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001543", nil},
		{febParis, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001543", nil},
		{feb, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001733", nil},
		{febEnd, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001733", nil},
		{mayKolk, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001733", nil},
		{mayKolk2, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001726", nil},
		{may, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001726", nil},
		{farFuture, Usage{Input: 70, Output: 200, Reasoning: 40}, "0.001726", nil},
		// Single kinds under the later tariffs.
		{feb, Usage{Input: 1}, "0.0000019", nil},
		{feb, Usage{Output: 3}, "0.000024", nil},
		{feb, Usage{Output: 3, Reasoning: 3}, "0.000024", nil},
		{may, Usage{Input: 1}, "0.0000018", nil},
		{may, Usage{Output: 12_345}, "0.09876", nil},
		{may, Usage{Input: 999_999_999}, "1799.9999982", nil},
		// Rerank and batch have prices from May 2026 on.
		{june, Usage{Rerank: 1}, "", ErrNoPrice},
		{febEnd, Usage{Rerank: 1}, "", ErrNoPrice},
		{may, Usage{Rerank: 1}, "0.000004", nil},
		{may, Usage{Rerank: 123_456}, "0.493824", nil},
		{may, Usage{Input: 10, Output: 10, Rerank: 10}, "0.000138", nil},
		{juneEnd, Usage{Input: 1, Batch: true}, "", ErrNoPrice},
		{febEnd, Usage{Output: 1, Batch: true}, "", ErrNoPrice},
		{febEnd, Usage{Batch: true}, "0", nil},
		{may, Usage{Input: 1_000, Batch: true}, "0.0009", nil},
		{may, Usage{Output: 1_000, Batch: true}, "0.004", nil},
		{may, Usage{Input: 1_000, Output: 1_000, Reasoning: 400, Batch: true}, "0.0049", nil},
		{may, Usage{Rerank: 1, Batch: true}, "", ErrUsage},
		{may, Usage{Audio: 1, Batch: true}, "", ErrUsage},
		// Each started minute of audio.
		{june, Usage{Audio: 1}, "0.01", nil},
		{june, Usage{Audio: time.Minute - 1}, "0.01", nil},
		{june, Usage{Audio: time.Minute}, "0.01", nil},
		{feb, Usage{Audio: time.Minute + 1}, "0.02", nil},
		{may, Usage{Audio: 61 * time.Second}, "0.02", nil},
		{may, Usage{Audio: 10 * time.Hour}, "6", nil},
		{may, Usage{Audio: math.MaxInt64}, "1537228.68", nil}, // 292 years
		{may, Usage{Input: 1, Audio: time.Second}, "0.0100018", nil},
		// Counts that cannot be.
		{may, Usage{Input: -1}, "", ErrUsage},
		{may, Usage{Output: -1}, "", ErrUsage},
		{may, Usage{Output: 1, Reasoning: -1}, "", ErrUsage},
		{may, Usage{Rerank: -1}, "", ErrUsage},
		{may, Usage{Audio: -1}, "", ErrUsage},
		{may, Usage{Output: 10, Reasoning: 11}, "", ErrUsage},
		{may, Usage{Output: 10, Reasoning: 11, Batch: true}, "", ErrUsage},
		// The edge of what an amount holds: 2⁶³-1 nano-euro are 9223372036.854775807 €.
		{june, Usage{Input: 10_248_191_152_060_862}, "9223372036.8547758", nil},
		{june, Usage{Input: 10_248_191_152_060_863}, "", ErrOverflow},
		{june, Usage{Output: 2_305_843_009_213_693}, "9223372036.854772", nil},
		{june, Usage{Output: 2_305_843_009_213_693, Input: 4}, "9223372036.8547756", nil},
		{june, Usage{Output: 2_305_843_009_213_693, Input: 5}, "", ErrOverflow},
		{june, Usage{Input: max}, "", ErrOverflow},
		{june, Usage{Input: max, Output: max, Reasoning: max}, "", ErrOverflow},
		{may, Usage{Input: max, Output: max, Batch: true}, "", ErrOverflow},
	}
	for _, row := range rows {
		bill, err := Default().At(at(t, row.when)).Bill(row.usage)
		require.ErrorIs(t, err, row.err, "%s %+v", row.when, row.usage)
		if row.err != nil {
			require.Zero(t, bill, "%s %+v", row.when, row.usage)
			continue
		}
		require.Equal(t, row.want, bill.Total.String(), "%s %+v", row.when, row.usage)
		requireAddsUp(t, bill)
	}
}

func requireAddsUp(t *testing.T, b Bill) {
	t.Helper()
	var sum Amount
	for line := range b.Lines() {
		amount, err := line.Price.Mul(line.Units)
		require.NoError(t, err)
		require.Equal(t, amount, line.Amount)
		require.Equal(t, line, b.Line(line.Kind))
		sum, err = sum.Add(amount)
		require.NoError(t, err)
	}
	require.Equal(t, b.Total, sum)
}

func TestBillBreakdown(t *testing.T) {
	bill, err := Default().At(at(t, page)).Bill(Usage{Input: 70, Output: 200, Reasoning: 40, Audio: 61 * time.Second, Estimated: true})
	require.NoError(t, err)
	text, err := json.Marshal(bill)
	require.NoError(t, err)
	require.JSONEq(t, `{"tariff":"2025-06","total":"0.021543","estimated":true,"lines":[
		{"kind":"input","units":70,"price":"0.0000009","amount":"0.000063"},
		{"kind":"output","units":160,"price":"0.000004","amount":"0.00064"},
		{"kind":"reasoning_output","units":40,"price":"0.000021","amount":"0.00084"},
		{"kind":"audio_minutes","units":2,"price":"0.01","amount":"0.02"}]}`, string(text))
	require.Equal(t, Line{Kind: Rerank}, bill.Line(Rerank))
	require.Equal(t, Line{Kind: kindCount}, bill.Line(kindCount))
	require.Equal(t, "unknown", kindCount.String())
	for range bill.Lines() {
		break // an iterator may be left early
	}
}

func TestZeroTariff(t *testing.T) {
	for _, tariff := range []Tariff{{}, new(PriceBook).At(time.Now()), Default().At(time.Time{})} {
		_, err := tariff.Bill(Usage{Input: 1})
		require.ErrorIs(t, err, ErrNoTariff)
		_, err = tariff.Quote(Request{})
		require.ErrorIs(t, err, ErrNoTariff)
		_, ok := tariff.Price(Input)
		require.False(t, ok)
	}
	_, err := Default().At(at(t, before)).Bill(Usage{})
	require.ErrorContains(t, err, "got 2025-06-04T23:59:59Z, want 2025-06-05T00:00:00Z or later")
	_, ok := Default().At(time.Now()).Price(kindCount)
	require.False(t, ok)
}

// Bills of token counts add up in any order and any split: billing calls one by
// one, shuffled, is billing their sum.
func TestBillsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 8))
	for round := range 300 {
		tariffs := Default().Tariffs()
		tariff := tariffs[round%len(tariffs)]
		var together Usage
		calls := make([]Usage, 1+random.IntN(40))
		for i := range calls {
			u := Usage{Input: random.Int64N(1e9), Output: random.Int64N(1e9)}
			u.Reasoning = random.Int64N(u.Output + 1)
			calls[i] = u
			together.Input += u.Input
			together.Output += u.Output
			together.Reasoning += u.Reasoning
		}
		random.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
		var sum Amount
		for _, u := range calls {
			bill, err := tariff.Bill(u)
			require.NoError(t, err)
			requireAddsUp(t, bill)
			sum, err = sum.Add(bill.Total)
			require.NoError(t, err)
		}
		whole, err := tariff.Bill(together)
		require.NoError(t, err)
		require.Equal(t, whole.Total, sum)
	}
}

func BenchmarkBill(b *testing.B) {
	tariff := Default().At(time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC))
	usage := Usage{Input: 7000, Output: 2000, Reasoning: 400, Rerank: 10, Audio: time.Minute}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tariff.Bill(usage); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAtBill(b *testing.B) {
	book, day := Default(), time.Date(2025, 11, 22, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.At(day).Bill(Usage{Input: 7, Output: 200}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBillAllocatesNothing(t *testing.T) {
	tariff := Default().At(at(t, may))
	usage := Usage{Input: 7000, Output: 2000, Reasoning: 400, Rerank: 10, Audio: time.Minute}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := tariff.Bill(usage); err != nil {
			t.Error(err)
		}
	}))
}
