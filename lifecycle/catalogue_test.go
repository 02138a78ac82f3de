package lifecycle

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

// reference is one of the files in testdata/reference: the provider's tables
// as they were collected, kept to check the embedded data against.
type reference struct {
	AsOf   Date `json:"as_of"`
	Models []struct {
		ID           string  `json:"id"`
		Publisher    *string `json:"publisher"`
		Launched     Date    `json:"launched"`
		EndOfSupport Date    `json:"end_of_support"`
		LTS          bool    `json:"lts"`
		Replacement  *string `json:"replacement"`

		Parameters string   `json:"parameters"`
		Context    int      `json:"context_tokens"`
		Speed      *float64 `json:"speed_tokens_per_s"`
		Energy     *float64 `json:"energy_kwh_per_mtoken"`
		Licence    string   `json:"licence"`
		Tools      bool     `json:"tools"`
		Vision     bool     `json:"vision"`
		Reasoning  bool     `json:"reasoning"`
		Safety     bool     `json:"safety"`
	} `json:"models"`
	Retired []struct {
		ID        string  `json:"id"`
		Publisher *string `json:"publisher"`
		Retired   Date    `json:"retired"`
	} `json:"retired"`
}

func readReference(t *testing.T, name string) (r reference) {
	t.Helper()
	b, err := os.ReadFile("testdata/reference/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &r))
	return r
}

func rowsByID(rows []Model) map[string]Model {
	m := make(map[string]Model, len(rows))
	for _, row := range rows {
		m[row.ID] = row
	}
	return m
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func date(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Every row of the provider's lifecycle tables stands in the embedded data as
// printed, and no other row does.
func TestTablesAsPrinted(t *testing.T) {
	for _, tc := range []struct {
		day             string
		models, retired int
	}{
		{"2025-11-22", 46, 16},
		{"2026-05-17", 58, 42},
	} {
		ref := readReference(t, "lifecycle-"+tc.day+".json")
		f, err := dataFS.Open("data/" + tc.day + ".json")
		require.NoError(t, err)
		table, err := readTable(f, tc.day)
		require.NoError(t, err)
		require.Equal(t, tc.day, table.AsOf.String())
		require.NotEmpty(t, table.Source)
		require.Len(t, table.models, tc.models)
		require.Len(t, table.retired, tc.retired)

		models, retired := rowsByID(table.models), rowsByID(table.retired)
		rows := 0
		for _, want := range ref.Models {
			got, ok := models[want.ID]
			require.True(t, ok, want.ID)
			require.Equal(t, orEmpty(want.Publisher), got.Publisher, want.ID)
			require.Equal(t, want.Launched, got.Launched, want.ID)
			require.Equal(t, want.EndOfSupport, got.EndOfSupport, want.ID)
			require.Equal(t, want.LTS, got.LTS, want.ID)
			require.Equal(t, orEmpty(want.Replacement), got.Successor, want.ID)
			rows++
		}
		for _, want := range ref.Retired {
			got, ok := retired[want.ID]
			require.True(t, ok, want.ID)
			require.Equal(t, orEmpty(want.Publisher), got.Publisher, want.ID)
			require.Equal(t, want.Retired, got.Retired, want.ID)
			require.True(t, got.Reactivable, want.ID)
			rows++
		}
		require.Equal(t, tc.models+tc.retired, rows)
	}
}

// Every figure of the model catalogue stands in the embedded data as printed.
func TestFiguresAsPrinted(t *testing.T) {
	for day, count := range map[string]int{"2025-11-22": 43, "2026-05-17": 58} {
		ref := readReference(t, "models-"+day+".json")
		f, err := dataFS.Open("data/" + day + ".json")
		require.NoError(t, err)
		table, err := readTable(f, day)
		require.NoError(t, err)
		models := rowsByID(table.models)
		require.Len(t, ref.Models, count)
		for _, want := range ref.Models {
			got, ok := models[want.ID]
			require.True(t, ok, want.ID)
			require.Equal(t, want.Parameters, got.Parameters, want.ID)
			require.Equal(t, want.Context, got.Context, want.ID)
			require.Equal(t, want.Licence, got.Licence, want.ID)
			require.Equal(t, want.Tools, got.Capabilities.Has(Tools), want.ID)
			require.Equal(t, want.Vision, got.Capabilities.Has(Vision), want.ID)
			require.Equal(t, want.Reasoning, got.Capabilities.Has(Reasoning), want.ID)
			require.Equal(t, want.Safety, got.Capabilities.Has(Safety), want.ID)
			if want.Speed == nil {
				require.Zero(t, got.TokensPerSecond, want.ID)
			} else {
				require.InDelta(t, *want.Speed, got.TokensPerSecond, 1e-9, want.ID)
			}
			if want.Energy == nil {
				require.Zero(t, got.EnergyWh, want.ID)
			} else {
				require.InDelta(t, *want.Energy*1000, got.EnergyWh, 1e-6, want.ID)
			}
			if want.Publisher != nil && got.Publisher != *want.Publisher {
				require.NotEmpty(t, got.Note, "%s: the two pages of one day credit %s and %s", want.ID, got.Publisher, *want.Publisher)
			}
		}
	}
}

// A later table that prints another publisher or launch says so in a note.
func TestCorrectionsCarryANote(t *testing.T) {
	c := Default()
	corrected := 0
	old := rowsByID(c.tables[0].models)
	for _, row := range c.tables[1].models {
		before, ok := old[row.ID]
		if !ok || (before.Publisher == row.Publisher && before.Launched == row.Launched) {
			continue
		}
		corrected++
		require.NotEmpty(t, row.Note, row.ID)
	}
	require.Equal(t, 6, corrected)
}

func TestModel(t *testing.T) {
	c := Default()
	require.Equal(t, 105, c.Len())
	for _, name := range []string{"llama3.3:70b", "LLAMA3.3:70B", "Llama 3.3 70B", "llama 3.3 70b"} {
		m, err := c.Model(name)
		require.NoError(t, err, name)
		require.Equal(t, "llama3.3:70b", m.ID)
		require.Equal(t, "Meta", m.Publisher)
		require.Equal(t, int64(70e9), m.Size)
		require.Equal(t, "llama3", m.Tokenizer)
		require.Equal(t, date("2026-05-17"), m.AsOf)
	}
	m, err := c.Model("gpt-oss:120b")
	require.NoError(t, err)
	require.Equal(t, "OpenAI", m.Publisher, "the later table corrects the earlier one")
	m, err = c.AsKnown(date("2025-11-22")).Model("gpt-oss:120b")
	require.NoError(t, err)
	require.Equal(t, "Qwen Team", m.Publisher, "as printed at the time")

	for _, name := range []string{"", "gpt-5", "llama3.3", " llama3.3:70b", strings.Repeat("x", 1<<20), "\xff\x00"} {
		_, err := c.Model(name)
		require.ErrorIs(t, err, ErrUnknownModel)
		require.Less(t, len(err.Error()), 200)
		_, err = (&Catalogue{}).StatusAt(name, time.Now())
		require.ErrorIs(t, err, ErrUnknownModel)
	}
}

func TestModelIsACopy(t *testing.T) {
	m, err := Default().Model("gemma3:1b")
	require.NoError(t, err)
	m.Aliases[0] = "spoiled"
	again, err := Default().Model("gemma3:1b")
	require.NoError(t, err)
	require.Equal(t, []string{"Gemma 3 1B"}, again.Aliases)
}

func TestSize(t *testing.T) {
	for in, want := range map[string]int64{
		"120B": 120e9, "7B (8.3B)": 7e9, "32B (9B actifs)": 32e9, "0.6b": 6e8, "300m": 3e8, "1.7B": 17e8, "30b-a3b": 30e9, "1t": 1e12,
		"": 0, "b": 0, "e2b": 0, "12": 0, "12x": 0, "1.2.3b": 0, "9999999999b": 0, ".": 0, "4bit": 0,
	} {
		require.Equal(t, want, parseSize(in), in)
	}
}

const own = `{"as_of": "2026-06-01", "source": "ours", "models": [
{"id": "acme-chat:7b", "aliases": ["Acme Chat"], "launched": "2026-06-01", "end_of_support": "2027-06-01"},
{"id": "gemma3:27b", "launched": "2025-06-13", "end_of_support": "2027-01-31"}]}`

func TestMerge(t *testing.T) {
	mine, err := Load(strings.NewReader(own))
	require.NoError(t, err)
	c := Default().Merge(mine)
	require.Equal(t, Default().Len()+1, c.Len())
	require.Equal(t, date("2026-06-01"), c.AsOf())
	require.Len(t, c.Tables(), 3)

	m, err := c.Model("acme chat")
	require.NoError(t, err)
	require.Equal(t, "acme-chat:7b", m.ID)
	m, err = c.Model("gemma3:27b")
	require.NoError(t, err)
	require.Equal(t, date("2027-01-31"), m.EndOfSupport, "the later table corrects")
	require.Equal(t, "Google", m.Publisher, "what it does not print stays")
	m, err = c.Model("qwen3:0.6b")
	require.NoError(t, err)
	require.Zero(t, m.Vanished, "a table that is not complete removes nothing")
	_, err = Default().Model("acme-chat:7b")
	require.ErrorIs(t, err, ErrUnknownModel, "the merged catalogue is another one")
}

// A launch that a table saw stays; one that was planned gives way to the next plan.
func TestLaunchPostponed(t *testing.T) {
	early, err := Load(strings.NewReader(`{"as_of": "2026-01-01", "source": "test", "models": [
{"id": "a", "launched": "2026-02-01", "end_of_support": "2027-01-01"}, {"id": "b", "launched": "2026-01-01", "end_of_support": "2027-01-01"}]}`))
	require.NoError(t, err)
	late, err := Load(strings.NewReader(`{"as_of": "2026-01-15", "source": "test", "models": [
{"id": "a", "launched": "2026-03-01", "end_of_support": "2027-01-01"}, {"id": "b", "launched": "2026-03-01", "end_of_support": "2027-01-01"}]}`))
	require.NoError(t, err)
	for _, c := range []*Catalogue{early.Merge(late), late.Merge(early)} {
		for model, want := range map[string]string{"a": "2026-03-01", "b": "2026-01-01"} {
			m, err := c.Model(model)
			require.NoError(t, err)
			require.Equal(t, date(want), m.Launched, model)
		}
	}
}

func TestLoadFS(t *testing.T) {
	fsys := fstest.MapFS{"tables/a.json": {Data: []byte(own)}, "tables/b.json": {Data: []byte("{")}}
	c, err := LoadFS(fsys, "tables/a.json")
	require.NoError(t, err)
	require.Equal(t, 2, c.Len())
	_, err = LoadFS(fsys, "tables/*.json")
	require.ErrorContains(t, err, "lifecycle: b.json:1: got the end of the file")
	_, err = LoadFS(fsys, "none/*")
	require.ErrorContains(t, err, "got no file")
	_, err = LoadFS(fsys, "[")
	require.ErrorContains(t, err, "pattern")
}

func TestAsKnown(t *testing.T) {
	require.Zero(t, Default().AsKnown(date("2025-11-21")).Len())
	require.Equal(t, 61, Default().AsKnown(date("2025-11-22")).Len(), "62 rows, gemma3:12b in two of them")
	require.Equal(t, 61, Default().AsKnown(date("2026-05-16")).Len())
	require.Equal(t, 105, Default().AsKnown(date("2026-05-17")).Len())
}

func TestUnder(t *testing.T) {
	p := DefaultPolicy()
	require.Equal(t, []int{6, 3, 3}, []int{p.StableMonths, p.NoticeMonths, p.ReviewMonths})
	p.NoticeMonths = 1
	c, err := Default().Under(p)
	require.NoError(t, err)
	s, err := c.StatusOn("gpt-oss:20b", date("2026-08-29"))
	require.NoError(t, err)
	require.Equal(t, Production, s.Phase)
	s, err = Default().StatusOn("gpt-oss:20b", date("2026-08-29"))
	require.NoError(t, err)
	require.Equal(t, Notice, s.Phase)
	for _, bad := range []Policy{{}, {NoticeMonths: 1, StableMonths: 1}, {NoticeMonths: 1, ReviewMonths: 1}, {StableMonths: 1, ReviewMonths: 1}} {
		_, err = Default().Under(bad)
		require.ErrorContains(t, err, "want at least 1")
	}
}

// The embedded files keep one model a line, so that a diff shows what a review changed.
func TestOneModelALine(t *testing.T) {
	for name, rows := range map[string]int{"2025-11-22": 62, "2026-05-17": 100} {
		b, err := dataFS.ReadFile("data/" + name + ".json")
		require.NoError(t, err)
		lines := 0
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, `{"id": `) {
				require.True(t, json.Valid([]byte(strings.TrimRight(line, ",\n"))), line)
				lines++
			}
		}
		require.Equal(t, rows, lines)
	}
}

func TestTexts(t *testing.T) {
	for p := range Phase(len(phaseNames)) {
		b, err := p.MarshalText()
		require.NoError(t, err)
		var back Phase
		require.NoError(t, back.UnmarshalText(b))
		require.Equal(t, p, back)
	}
	var p Phase
	require.ErrorContains(t, p.UnmarshalText([]byte("retired")), `got "retired", want one of`)
	require.Equal(t, "phase(99)", Phase(99).String())
	require.Equal(t, "chat tools safety", (Chat | Safety | Tools).String())
	require.True(t, Production.Available() && Notice.Available() && EndOfSupport.Available())
	require.False(t, Evaluation.Available() || Deployment.Available() || Deprecated.Available() || Removed.Available() || Phase(0).Available())

	s, err := Default().StatusOn("cogito:32b", date("2026-06-01"))
	require.NoError(t, err)
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.JSONEq(t, `{"model": "cogito:32b", "day": "2026-06-01", "phase": "notice", "launched": "2025-06-13", "notice_from": "2026-03-30",
		"end_of_support": "2026-06-30", "removed_from": "2026-09-30", "days_left": 29, "successor": "gpt-oss:120b", "as_of": "2026-05-17"}`, string(b))
	var back Status
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, s, back)
}
