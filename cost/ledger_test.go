package cost

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func entry(t *testing.T, tenant, model, when string, u Usage) Entry {
	t.Helper()
	bill, err := Default().At(at(t, when)).Bill(u)
	require.NoError(t, err)
	e := Entry{Tenant: tenant, Model: model, Time: at(t, when), Bill: bill}
	if figure, ok := DefaultEnergy().At(model, e.Time); ok {
		e.Energy, e.EnergyKnown = figure.Of(u)
	}
	return e
}

func TestLedger(t *testing.T) {
	l := NewLedger(LedgerOptions{})
	for _, e := range []Entry{
		entry(t, "b", "gemma3:1b", "2026-05-17T23:59:59Z", Usage{Input: 100, Output: 10}),
		entry(t, "a", "gpt-oss:120b", "2026-05-18T00:00:00Z", Usage{Input: 1, Output: 9, Reasoning: 4}),
		entry(t, "a", "gemma3:1b", "2026-05-17T00:00:00Z", Usage{Input: 7, Output: 200}),
		entry(t, "a", "gemma3:1b", "2026-05-17T01:00:00Z", Usage{Input: 3, Output: 100, Estimated: true}),
		entry(t, "a", "gemma3:1b", "2026-05-17T02:00:00Z", Usage{Input: 5, Output: 6, Batch: true}),
		entry(t, "a", "voxtral", "2026-05-17T02:00:00Z", Usage{Audio: 61 * time.Second}),
		entry(t, "a", "qwen3-reranker:4b", "2026-05-17T02:00:00Z", Usage{Rerank: 50}),
	} {
		require.NoError(t, l.Record(e))
	}
	rows := l.Rows()
	var text bytes.Buffer
	require.NoError(t, WriteCSV(&text, rows))
	require.Equal(t, `day,tenant,model,calls,estimated,input,output,reasoning_output,rerank,batch_input,batch_output,audio_minutes,cost_eur,energy_kwh,energy_calls
2026-05-17,a,gemma3:1b,3,1,10,300,0,0,5,6,0,0.0024465,0.00004815,3
2026-05-17,a,qwen3-reranker:4b,1,0,0,0,0,50,0,0,0,0.0002,0,0
2026-05-17,a,voxtral,1,0,0,0,0,0,0,0,2,0.02,0,0
2026-05-17,b,gemma3:1b,1,0,100,10,0,0,0,0,0,0.00026,0.0000165,1
2026-05-18,a,gpt-oss:120b,1,0,1,5,4,0,0,0,0,0.0000738,0.0000237,1
`, text.String())

	text.Reset()
	require.NoError(t, WriteJSONL(&text, rows))
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	require.Len(t, lines, len(rows))
	for i, line := range lines {
		var back Row
		require.NoError(t, json.Unmarshal([]byte(line), &back))
		require.Equal(t, rows[i], back)
	}
	require.Error(t, WriteCSV(failingWriter{}, rows))
	require.Error(t, WriteJSONL(failingWriter{}, rows))

	require.Equal(t, rows[:4], l.Take("2026-05-18"))
	require.Equal(t, rows[4:], l.Rows())
	require.Empty(t, l.Take("2026-05-18"))
}

func TestLedgerBounds(t *testing.T) {
	require.ErrorContains(t, new(Ledger).Record(Entry{}), "NewLedger")
	l := NewLedger(LedgerOptions{MaxRows: 1, Location: time.FixedZone("UTC+2", 7200)})
	e := entry(t, "a", "m", "2026-05-17T22:00:00Z", Usage{Input: 1})
	require.NoError(t, l.Record(e))
	require.Equal(t, "2026-05-18", l.Rows()[0].Day, "the day of the ledger's zone")
	e.Time = e.Time.Add(-time.Nanosecond)
	require.ErrorIs(t, l.Record(e), ErrFull)
	e.Model = strings.Repeat("m", maxTenant+1)
	require.ErrorContains(t, l.Record(e), "257")

	huge := entry(t, "a", "m", "2026-05-17T22:00:00Z", Usage{Input: 5_000_000_000_000_000})
	require.NoError(t, l.Record(huge))
	require.ErrorIs(t, l.Record(huge), ErrOverflow)
	many := Entry{Tenant: "a", Model: "m", Time: huge.Time}
	many.Bill.lines[Input].Units = math.MaxInt64
	require.ErrorIs(t, l.Record(many), ErrOverflow)
	hot := Entry{Tenant: "a", Model: "m", Time: huge.Time, Energy: math.MaxInt64, EnergyKnown: true}
	require.NoError(t, l.Record(hot))
	require.ErrorIs(t, l.Record(hot), ErrOverflow)
	row := l.Rows()[0]
	require.Equal(t, int64(3), row.Calls, "what overflowed is not booked by half")
	require.Equal(t, int64(5_000_000_000_000_001), row.Input)
}

func TestLedgerConcurrent(t *testing.T) {
	const goroutines, rounds = 16, 500
	l := NewLedger(LedgerOptions{})
	e := entry(t, "a", "gemma3:1b", may, Usage{Input: 7, Output: 200})
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for range rounds {
				if err := l.Record(e); err != nil {
					t.Error(err)
				}
				l.Rows()
			}
		})
	}
	group.Wait()
	total, err := e.Bill.Total.Mul(goroutines * rounds)
	require.NoError(t, err)
	require.Equal(t, total, l.Rows()[0].Cost)
}

// No cell of the export starts a formula, behind blanks or in full width either.
func TestCSVInjection(t *testing.T) {
	rows := []struct {
		name  string
		inert bool // as it is, or behind an apostrophe
	}{
		{`=HYPERLINK("http://evil","x")`, false}, {"+1", false}, {"-1", false}, {"@SUM(A1)", false}, {"\tcmd", false},
		{"\rcmd", false}, {"\n=1", false}, {" =1", false}, {"\u00a0=1", false}, {"\u3000=1", false}, {"\ufeff=1", false},
		{"＝1", false}, {"＋1", false}, {"－1", false}, {"＠1", false}, {"'=1", false},
		{"a,b", true}, {"a\"b", true}, {"a=b", true}, {"", true}, {"nvidia/llama-nemotron-rerank-vl-1b-v2", true}, {"\xff", true},
	}
	for _, row := range rows {
		var text bytes.Buffer
		require.NoError(t, WriteCSV(&text, []Row{{Day: "2026-05-17", Tenant: "t", Model: row.name}}))
		records, err := csv.NewReader(&text).ReadAll()
		require.NoError(t, err)
		require.Len(t, records, 2)
		require.Len(t, records[1], len(csvHeader))
		want := row.name
		if !row.inert {
			want = "'" + row.name
		}
		require.Equal(t, want, records[1][2])
	}
}
