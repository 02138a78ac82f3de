package limit

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTiers(t *testing.T) {
	none := Unlimited
	require.Equal(t, []Tier{
		{ID: "tier-1", PurchaseCredit: 200 * nanoEuro, MonthlyBudget: 1000 * nanoEuro, OutputPerHour: 150_000, OutputPerDay: 3_600_000, RequestsPerMinute: none, Concurrent: none},
		{ID: "tier-2", PurchaseCredit: 500 * nanoEuro, MonthlyBudget: 3000 * nanoEuro, OutputPerHour: 300_000, OutputPerDay: 7_200_000, RequestsPerMinute: none, Concurrent: none},
		{ID: "tier-3", PurchaseCredit: 1000 * nanoEuro, MonthlyBudget: 5000 * nanoEuro, OutputPerHour: 450_000, OutputPerDay: 10_800_000, RequestsPerMinute: none, Concurrent: none},
		{ID: "tier-4", PurchaseCredit: 4000 * nanoEuro, MonthlyBudget: 10_000 * nanoEuro, OutputPerHour: 600_000, OutputPerDay: 14_400_000, RequestsPerMinute: none, Concurrent: none},
		{ID: "monthly-billing", MonthlyBudget: none, OutputPerHour: none, OutputPerDay: none, RequestsPerMinute: none, Concurrent: none, Priority: "high"},
	}, Tiers())
	Tiers()[0] = Tier{}
	require.Equal(t, "tier-1", Tiers()[0].ID, "a copy")
}

func TestLoadTiers(t *testing.T) {
	file := func(tiers string) string { return `{"as_of":"2026-05-17","source":"test","tiers":[` + tiers + `]}` }
	rows := []struct{ file, err string }{
		{file(`{"id":"a"}`), ""},
		{file(`{"id":"a","requests_per_minute":0,"concurrent_requests":null,"monthly_budget_eur":"8589934591"}`), ""},
		{``, "EOF"},
		{`{}`, "no source"},
		{`{"source":"x"}`, "as_of"},
		{file(``), "none"},
		{file(`{"id":""}`), "no id"},
		{file(`{"id":"a"},{"id":"a"}`), `"a" twice`},
		{file(`{"id":"a","concurrent_requests":-1}`), "concurrent_requests: got -1"},
		{file(`{"id":"a","output_tokens_per_hour":1.5}`), "1.5"},
		{file(`{"id":"a","monthly_budget_eur":1000}`), "number"},
		{file(`{"id":"a","monthly_budget_eur":"1000.50"}`), "monthly_budget_eur"},
		{file(`{"id":"a","monthly_budget_eur":"8589934592"}`), "whole euros"},
		{file(`{"id":"a","purchase_credit_eur":"-1"}`), "purchase_credit_eur"},
		{file(`{"id":"a","output_per_hour":1}`), "output_per_hour"},
		{file(`{"id":"a"}`) + "{}", "more after"},
		{file(`{"id":"a","output_tokens_per_day":1,"output_tokens_per_day":2}`), `"output_tokens_per_day" twice`},
		{file(`{"id":"a","ID":"b"}`), `"ID" twice`},
		{`{"as_of":"2026-05-17","source":"test","tiers":[{"id":"a"}],"tiers":[{"id":"b"}]}`, `"tiers" twice`},
		{file(`{"id":"a"}`) + strings.Repeat(" ", maxData), "more than"},
	}
	for _, row := range rows {
		tiers, err := LoadTiers(strings.NewReader(row.file))
		if row.err == "" {
			require.NoError(t, err, row.file)
			require.Len(t, tiers, 1)
			continue
		}
		require.ErrorContains(t, err, row.err, row.file)
		require.Nil(t, tiers)
	}
}

func FuzzLoadTiers(f *testing.F) {
	f.Add([]byte(`{"as_of":"2026-05-17","source":"s","tiers":[{"id":"a","monthly_budget_eur":"1000","concurrent_requests":4}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		tiers, err := LoadTiers(bytes.NewReader(file))
		if err != nil {
			require.Nil(t, tiers)
			return
		}
		for _, tier := range tiers {
			require.GreaterOrEqual(t, min(tier.OutputPerHour, tier.OutputPerDay, tier.RequestsPerMinute, tier.Concurrent, tier.MonthlyBudget, tier.PurchaseCredit), int64(0))
		}
	})
}
