package cost

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// Energy is electricity in microwatt-hours, a thousand millionth of a kWh. A
// model at 0.15 kWh per million tokens takes 150 of them per token, so that
// sums are exact for every figure with at most three decimals.
type Energy int64

// KilowattHour is one kWh.
const KilowattHour Energy = 1_000_000_000

// KWh is the energy in kWh, for charts and ratios.
func (e Energy) KWh() float64 { return float64(e) / float64(KilowattHour) }

// String is the exact energy in kWh in plain form: "0.00003 kWh".
func (e Energy) String() string { return Amount(e).String() + " kWh" }

// EnergyTable is what is known about the energy of models, by date. It never
// changes and is safe for concurrent use. A nil or zero one knows nothing.
type EnergyTable struct {
	figures map[string][]EnergyFigure // by model; each slice by AsOf
}

// EnergyFigure is one published figure.
type EnergyFigure struct {
	AsOf     time.Time // the first instant it is used for
	PerToken Energy    // per token processed, prompt and answer alike
	Source   string
}

//go:embed data/energy.json
var embeddedEnergy []byte

var defaultEnergy = sync.OnceValue(func() *EnergyTable {
	table, err := LoadEnergy(bytes.NewReader(embeddedEnergy))
	if err != nil {
		panic(err) // a broken build, which every test of this package catches
	}
	return table
})

// DefaultEnergy returns the embedded table: the figures of the concepts page
// (from 2025-06-05) and of the model catalogue of 2025-11-22 and 2026-05-17.
// They contradict one another: llama3.3:70b stands at 11.75, 8.58 and 13.33.
func DefaultEnergy() *EnergyTable { return defaultEnergy() }

type energyFile struct {
	AsOf    string       `json:"as_of"`
	Source  string       `json:"source"`
	Note    string       `json:"note"`
	Figures []energyLine `json:"figures"`
}

type energyLine struct {
	Model  string `json:"model"`
	AsOf   string `json:"as_of"`
	KWh    Amount `json:"kwh_per_mtoken"` // a decimal like any amount, but of kWh
	Source string `json:"source"`
}

// LoadEnergy reads a table in the format of the embedded one, data/energy.json:
//
//	{"as_of": "2026-05-17", "source": "where the figures stand", "figures": [
//	  {"model": "gemma3:1b", "as_of": "2025-11-22", "kwh_per_mtoken": "0.15", "source": "model catalogue"}
//	]}
//
// The figures of one model stand in the order of their dates. Refused are
// unknown fields, keys given twice, figures of zero or below, or with more than
// three decimals.
func LoadEnergy(r io.Reader) (*EnergyTable, error) {
	var file energyFile
	if err := decodeStrict(r, maxData, &file); err != nil {
		return nil, fmt.Errorf("cost: energy table: %w", err)
	}
	if file.Source == "" {
		return nil, fmt.Errorf("cost: energy table: got no source, want where the figures stand")
	}
	if _, err := parseStart(file.AsOf); err != nil {
		return nil, fmt.Errorf("cost: energy table: as_of: %w", err)
	}
	table := &EnergyTable{figures: make(map[string][]EnergyFigure)}
	for i, line := range file.Figures {
		if err := table.add(line); err != nil {
			return nil, fmt.Errorf("cost: energy table: figure %d: %w", i+1, err)
		}
	}
	return table, nil
}

func (t *EnergyTable) add(line energyLine) error {
	asOf, err := parseStart(line.AsOf)
	if err != nil {
		return fmt.Errorf("as_of: %w", err)
	}
	if line.Model == "" {
		return fmt.Errorf("got no model")
	}
	if line.KWh <= 0 || line.KWh%1_000_000 != 0 {
		return fmt.Errorf("%s: got %v kWh per million tokens, want more than 0, with at most three decimals", quote(line.Model), line.KWh)
	}
	known := t.figures[line.Model]
	if len(known) > 0 && !asOf.After(known[len(known)-1].AsOf) {
		return fmt.Errorf("%s: got as_of %s, want one after the figure before it", quote(line.Model), line.AsOf)
	}
	t.figures[line.Model] = append(known, EnergyFigure{
		AsOf: asOf, PerToken: Energy(line.KWh / 1_000_000), Source: line.Source,
	})
	return nil
}

// At returns the figure for a model at the instant t: the latest published by
// then. It reports false for a model without one; unknown is never taken for 0.
func (t *EnergyTable) At(model string, at time.Time) (EnergyFigure, bool) {
	if t == nil {
		return EnergyFigure{}, false
	}
	figures := t.figures[model]
	for i := len(figures) - 1; i >= 0; i-- {
		if !at.Before(figures[i].AsOf) {
			return figures[i], true
		}
	}
	return EnergyFigure{}, false
}

// Of returns the energy of a call: its tokens in and out, and those of a
// rerank, at the model's figure. It reports false where the figure is unknown,
// the usage is one that [Tariff.Bill] refuses, the sum does not fit, or audio
// was used, for which nothing is published.
func (f EnergyFigure) Of(u Usage) (Energy, bool) {
	if u.check() != nil || u.Audio != 0 || f.PerToken <= 0 {
		return 0, false
	}
	var sum Amount
	for _, tokens := range [...]int64{u.Input, u.Output, u.Rerank} {
		e, err := Amount(f.PerToken).Mul(tokens)
		if err == nil {
			sum, err = sum.Add(e)
		}
		if err != nil {
			return 0, false
		}
	}
	return Energy(sum), true
}

// MarshalText writes kWh as a plain decimal, without the unit.
func (e Energy) MarshalText() ([]byte, error) { return Amount(e).MarshalText() }

// UnmarshalText reads what MarshalText writes.
func (e *Energy) UnmarshalText(text []byte) error {
	a, err := ParseAmount(string(text))
	if err != nil {
		return fmt.Errorf("cost: energy: got %s, want kWh like 0.15, with at most nine decimals", strconv.QuoteToASCII(string(text[:min(len(text), 40)])))
	}
	*e = Energy(a)
	return nil
}
