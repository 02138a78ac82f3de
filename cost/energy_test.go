package cost

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEnergyAt(t *testing.T) {
	rows := []struct {
		model, when string
		perMillion  string // kWh; "" for unknown
	}{
		{"gemma3:1b", before, ""},
		{"gemma3:1b", june, "0.15"},
		{"llama3.3:70b", june, "11.75"},
		{"llama3.3:70b", "2025-11-21T23:59:59Z", "11.75"},
		{"llama3.3:70b", page, "8.58"},
		{"llama3.3:70b", may, "13.33"},
		{"gpt-oss:120b", june, ""},
		{"gpt-oss:120b", page, "1.69"},
		{"gpt-oss:120b", may, "2.37"},
		{"qwq:32b", may, "23.99"},             // not in the later catalogue: the last figure stands
		{"embeddinggemma:300m", page, ""},     // no figure yet
		{"embeddinggemma:300m", may, "0.35"},  // the first one
		{"bge-reranker-large", farFuture, ""}, // never one
		{"no such model", may, ""},
		{"", may, ""},
	}
	for _, row := range rows {
		figure, ok := DefaultEnergy().At(row.model, at(t, row.when))
		require.Equal(t, row.perMillion != "", ok, "%s %s", row.model, row.when)
		if !ok {
			continue
		}
		require.NotEmpty(t, figure.Source)
		e, ok := figure.Of(Usage{Input: 400_000, Output: 600_000, Reasoning: 600_000})
		require.True(t, ok)
		require.Equal(t, row.perMillion+" kWh", e.String(), "%s %s", row.model, row.when)
	}
}

func TestEnergyOf(t *testing.T) {
	figure := EnergyFigure{PerToken: 150}
	rows := []struct {
		usage Usage
		want  Energy
		ok    bool
	}{
		{Usage{}, 0, true},
		{Usage{Input: 7, Output: 200}, 31_050, true},
		{Usage{Rerank: 10}, 1500, true},
		{Usage{Input: 10, Batch: true}, 1500, true},
		{Usage{Audio: 1}, 0, false},
		{Usage{Input: -1}, 0, false},
		{Usage{Input: math.MaxInt64}, 0, false},
		{Usage{Input: math.MaxInt64 / 150, Output: 1}, 0, false},
	}
	for _, row := range rows {
		got, ok := figure.Of(row.usage)
		require.Equal(t, row.ok, ok, "%+v", row.usage)
		require.Equal(t, row.want, got, "%+v", row.usage)
	}
	_, ok := EnergyFigure{}.Of(Usage{Input: 1})
	require.False(t, ok, "no figure is unknown, not zero")
	for _, table := range []*EnergyTable{nil, {}} {
		_, ok = table.At("gemma3:1b", time.Now())
		require.False(t, ok)
	}
}

func TestEnergyJSON(t *testing.T) {
	text, err := json.Marshal(Energy(31_050))
	require.NoError(t, err)
	require.Equal(t, `"0.00003105"`, string(text))
	var back Energy
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, Energy(31_050), back)
	require.ErrorContains(t, json.Unmarshal([]byte(`"1 kWh"`), &back), "want kWh")
	require.InEpsilon(t, 0.5, (KilowattHour / 2).KWh(), 1e-12)
}

func TestLoadEnergy(t *testing.T) {
	file := func(figures string) string {
		return `{"as_of":"2026-05-17","source":"test","figures":[` + figures + `]}`
	}
	rows := []struct{ file, err string }{
		{file(``), ""},
		{file(`{"model":"m","as_of":"2026-01-01","kwh_per_mtoken":"0.001","source":"s"}`), ""},
		{`{"figures":[]}`, "no source"},
		{`{"source":"x","as_of":"soon"}`, "as_of"},
		{file(`{"model":"","as_of":"2026-01-01","kwh_per_mtoken":"1"}`), "no model"},
		{file(`{"model":"m","as_of":"today","kwh_per_mtoken":"1"}`), "as_of"},
		{file(`{"model":"m","as_of":"2026-01-01","kwh_per_mtoken":"0"}`), "more than 0"},
		{file(`{"model":"m","as_of":"2026-01-01"}`), "more than 0"},
		{file(`{"model":"m","as_of":"2026-01-01","kwh_per_mtoken":"0.0001"}`), "three decimals"},
		{file(`{"model":"m","as_of":"2026-01-01","kwh_per_mtoken":0.1}`), "number"},
		{file(`{"model":"m","as_of":"2026-01-02","kwh_per_mtoken":"1"},{"model":"m","as_of":"2026-01-01","kwh_per_mtoken":"1"}`), "figure 2"},
	}
	for _, row := range rows {
		_, err := LoadEnergy(strings.NewReader(row.file))
		if row.err == "" {
			require.NoError(t, err, row.file)
		} else {
			require.ErrorContains(t, err, row.err, row.file)
		}
	}
}
