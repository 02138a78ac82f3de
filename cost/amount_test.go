package cost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseAmount(t *testing.T) {
	rows := []struct {
		in   string
		want Amount
		err  string // a part of it; "" for none
	}{
		{"0", 0, ""},
		{"-0", 0, ""},
		{"0.000806300", 806_300, ""},
		{"0.000000001", 1, ""},
		{"-0.000000001", -1, ""},
		{"12", 12 * Euro, ""},
		{"007.50", 7_500_000_000, ""},
		{"9223372036.854775807", math.MaxInt64, ""},
		{"-9223372036.854775808", math.MinInt64, ""},
		{"9223372036.854775808", 0, "overflow"},
		{"-9223372036.854775809", 0, "overflow"},
		{"9223372037", 0, "overflow"},
		{"18446744073709551616", 0, "overflow"},
		{"92233720368547758080", 0, "overflow"},
		{strings.Repeat("9", 1<<20), 0, "overflow"},
		{strings.Repeat("0", 1<<20) + "1", Euro, ""},
		{"", 0, "want euros"},
		{"-", 0, "want euros"},
		{".", 0, "want euros"},
		{".5", 0, "want euros"},
		{"5.", 0, "want euros"},
		{"1.2.3", 0, "want euros"},
		{"1,5", 0, "want euros"},
		{"+1", 0, "want euros"},
		{"--1", 0, "want euros"},
		{"1e3", 0, "want euros"},
		{" 1", 0, "want euros"},
		{"1 €", 0, "want euros"},
		{"0x10", 0, "want euros"},
		{"NaN", 0, "want euros"},
		{"٣", 0, "want euros"},
		{"0.0000000001", 0, "nine decimals"},
		{"0.0000000000", 0, "nine decimals"},
		{"x" + strings.Repeat("y", 1<<20), 0, "…"},
	}
	for _, row := range rows {
		got, err := ParseAmount(row.in)
		if row.err != "" {
			require.ErrorContains(t, err, row.err, "%.50q", row.in)
			require.Less(t, len(err.Error()), 300)
			continue
		}
		require.NoError(t, err, "%.50q", row.in)
		require.Equal(t, row.want, got, "%.50q", row.in)
	}
}

func TestAmountForms(t *testing.T) {
	rows := []struct {
		amount Amount
		plain  string
		places int
		fixed  string
	}{
		{806_300, "0.0008063", 6, "0.000806"},
		{806_300, "0.0008063", 9, "0.000806300"},
		{806_500, "0.0008065", 6, "0.000807"},
		{0, "0", 0, "0"},
		{0, "0", 2, "0.00"},
		{1, "0.000000001", 2, "0.00"},
		{-1, "-0.000000001", 2, "0.00"},
		{5_000_000, "0.005", 2, "0.01"},
		{-5_000_000, "-0.005", 2, "-0.01"},
		{4_999_999, "0.004999999", 2, "0.00"},
		{999_999_999, "0.999999999", 3, "1.000"},
		{12 * Euro, "12", 2, "12.00"},
		{1_234_567 * Euro, "1234567", 2, "1234567.00"},
		{Euro, "1", -5, "1"},
		{Euro, "1", 99, "1.000000000"},
		{math.MaxInt64, "9223372036.854775807", 0, "9223372037"},
		{math.MinInt64, "-9223372036.854775808", 9, "-9223372036.854775808"},
	}
	for _, row := range rows {
		require.Equal(t, row.plain, row.amount.String())
		require.Equal(t, row.plain, fmt.Sprintf("%v", row.amount))
		require.Equal(t, row.fixed, row.amount.Fixed(row.places))
		back, err := ParseAmount(row.plain)
		require.NoError(t, err)
		require.Equal(t, row.amount, back)
	}
}

func TestAmountInJSONAndLogs(t *testing.T) {
	type invoice struct{ Total Amount }
	text, err := json.Marshal(invoice{806_300})
	require.NoError(t, err)
	require.Equal(t, `{"Total":"0.0008063"}`, string(text))

	var back invoice
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, invoice{806_300}, back)
	require.Error(t, json.Unmarshal([]byte(`{"Total":0.0008063}`), &back), "a binary fraction is no money")
	require.Error(t, json.Unmarshal([]byte(`{"Total":"1,5"}`), &back))
	require.Equal(t, invoice{806_300}, back, "an error changes nothing")

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("billed", "total", back.Total)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("billed", "total", back.Total)
	require.Contains(t, log.String(), "total=0.0008063\n")
	require.Contains(t, log.String(), `"total":"0.0008063"`)
}

// Checked arithmetic against integers without a bound.
func TestAmountArithmetic(t *testing.T) {
	edges := []int64{0, 1, -1, 2, -2, 3, 900, 21_000, -900, math.MaxInt32, math.MinInt32, 1 << 32, 3037000499, 3037000500,
		math.MaxInt64 / 2, math.MaxInt64/2 + 1, math.MaxInt64 - 1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, math.MinInt64 / 2}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		edges = append(edges, int64(random.Uint64())>>random.IntN(63))
	}
	tested := 0
	for _, a := range edges {
		for _, b := range edges {
			x, y := big.NewInt(a), big.NewInt(b)
			for _, op := range []struct {
				want *big.Int
				do   func() (Amount, error)
			}{
				{new(big.Int).Add(x, y), func() (Amount, error) { return Amount(a).Add(Amount(b)) }},
				{new(big.Int).Sub(x, y), func() (Amount, error) { return Amount(a).Sub(Amount(b)) }},
				{new(big.Int).Mul(x, y), func() (Amount, error) { return Amount(a).Mul(b) }},
			} {
				got, err := op.do()
				if op.want.IsInt64() {
					require.NoError(t, err, "%d %d", a, b)
					require.Equal(t, op.want.Int64(), int64(got), "%d %d", a, b)
				} else {
					require.ErrorIs(t, err, ErrOverflow, "%d %d", a, b)
				}
				tested++
			}
		}
	}
	require.Greater(t, tested, 10_000)
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"0.000806300", "-9223372036.854775808", "1.", "1e9", "00000.1", "9223372036.854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAmount(s)
		if err != nil {
			require.Zero(t, a)
			return
		}
		want, ok := new(big.Rat).SetString(s)
		require.True(t, ok, "accepted what is no number: %q", s)
		require.Zero(t, want.Cmp(big.NewRat(int64(a), int64(Euro))), "%q", s)
		back, err := ParseAmount(a.String())
		require.NoError(t, err)
		require.Equal(t, a, back)
	})
}
