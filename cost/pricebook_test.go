package cost

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDefaultPrices(t *testing.T) {
	tariffs := Default().Tariffs()
	require.NotEmpty(t, tariffs)
	rows := []struct {
		id     string
		prices [kindCount]string // EUR per token and per minute; "" where there is none
	}{
		{"2025-06", [...]string{"0.0000009", "0.000004", "0.000021", "", "", "", "0.01"}},
		{"2026-02", [...]string{"0.0000019", "0.000008", "0.000008", "", "", "", "0.01"}},
		{"2026-05", [...]string{"0.0000018", "0.000008", "0.000008", "0.000004", "0.0000009", "0.000004", "0.01"}},
	}
	for i, row := range rows {
		require.Equal(t, row.id, tariffs[i].ID)
		for kind, want := range row.prices {
			price, sold := tariffs[i].Price(Kind(kind))
			require.Equal(t, want != "", sold, "%s %v", row.id, Kind(kind))
			if sold {
				require.Equal(t, want, price.String(), "%s %v", row.id, Kind(kind))
			}
		}
	}
	tariffs[0] = Tariff{}
	require.Equal(t, "2025-06", Default().Tariffs()[0].ID, "a copy")
}

func book(tariffs string) string {
	return `{"as_of":"2026-05-17","source":"test","tariffs":[` + tariffs + `]}`
}

func TestLoad(t *testing.T) {
	rows := []struct{ file, err string }{
		{book(`{"id":"a","effective_from":"2026-01-01","input":"0.001"}`), ""},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"0"}`), ""},
		{book(`{"id":"a","effective_from":"2026-01-01T00:00:00+01:00","input":"1"}`), ""},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1","output":null}`), ""},
		{``, "EOF"},
		{`{}`, "no source"},
		{`{"source":"x"}`, "as_of"},
		{book(``), "no tariff"},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"0.0009"}`), "input: got 0.0009 EUR per million tokens, want at most three decimals"},
		{book(`{"id":"a","effective_from":"2026-01-01","input":0.9}`), "number"},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"-1"}`), "negative"},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"0,9"}`), `got "0,9"`},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1","inptu":"1"}`), "inptu"},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1","input":"2"}`), `"input" twice`},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1","Input":"2"}`), `"Input" twice`},
		{`{"as_of":"2026-05-17","source":"test","\u017fource":"x","tariffs":[]}`, `fource" twice`},
		{book(`{"id":"a","effective_from":"2026-01-01"}`), "no price"},
		{book(`{"id":"","effective_from":"2026-01-01","input":"1"}`), "no id"},
		{book(`{"id":"a","effective_from":"01/01/2026","input":"1"}`), `got "01/01/2026"`},
		{book(`{"id":"a","effective_from":"2026-01-02","input":"1"},{"id":"b","effective_from":"2026-01-01","input":"1"}`), `tariff "b"`},
		{book(`{"id":"a","effective_from":"2026-01-02","input":"1"},{"id":"b","effective_from":"2026-01-02","input":"1"}`), `tariff "b"`},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1"},{"id":"a","effective_from":"2026-01-02","input":"1"}`), `"a" twice`},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1"}`) + "x", "more after"},
		{book(`{"id":"a","effective_from":"2026-01-01","input":"1"}`) + "{}", "more after"},
		{strings.Repeat(" ", maxData) + "{}", "more than"},
		{strings.Repeat("[", 1<<20), "cost: price book"},
	}
	for _, row := range rows {
		loaded, err := Load(strings.NewReader(row.file))
		if row.err == "" {
			require.NoError(t, err, "%.200s", row.file)
			require.Len(t, loaded.Tariffs(), 1)
			continue
		}
		require.ErrorContains(t, err, row.err, "%.200s", row.file)
		require.Nil(t, loaded)
	}
	_, err := Load(iotest.ErrReader(iotest.ErrTimeout))
	require.ErrorIs(t, err, iotest.ErrTimeout)
}

func TestTariffFromInstant(t *testing.T) {
	loaded, err := Load(strings.NewReader(book(`{"id":"paris","effective_from":"2026-01-01T00:00:00+01:00","input":"1"}`)))
	require.NoError(t, err)
	require.Equal(t, "paris", loaded.At(time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC)).ID)
	require.Empty(t, loaded.At(time.Date(2025, 12, 31, 22, 59, 59, 0, time.UTC)).ID)
}

func FuzzLoad(f *testing.F) {
	f.Add(embeddedPrices)
	f.Add([]byte(book(`{"id":"a","effective_from":"2026-01-01","input":"1","output":"999999999.999"}`)))
	f.Fuzz(func(t *testing.T, file []byte) {
		loaded, err := Load(bytes.NewReader(file))
		if err != nil {
			require.Nil(t, loaded)
			return
		}
		for _, tariff := range loaded.Tariffs() {
			require.Equal(t, tariff.ID, loaded.At(tariff.From).ID)
			bill, err := tariff.Bill(Usage{Input: 1000, Output: 1000, Reasoning: 1})
			if err == nil {
				requireAddsUp(t, bill)
			}
		}
	})
}

func FuzzLoadEnergy(f *testing.F) {
	f.Add([]byte(`{"as_of":"2026-05-17","source":"s","figures":[{"model":"m","as_of":"2026-01-01","kwh_per_mtoken":"0.15","source":"s"}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		table, err := LoadEnergy(bytes.NewReader(file))
		if err != nil {
			require.Nil(t, table)
			return
		}
		for model, figures := range table.figures {
			for _, figure := range figures {
				got, ok := table.At(model, figure.AsOf)
				require.True(t, ok)
				require.Equal(t, figure, got)
			}
		}
	})
}
