package cost

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Errors that a bill or a quote can end in, for errors.Is.
var (
	// ErrNoTariff says that no tariff was in force at the instant.
	ErrNoTariff = errors.New("cost: no tariff in force")
	// ErrNoPrice says that the tariff in force sells no such kind.
	ErrNoPrice = errors.New("cost: no price")
	// ErrUsage says that counts contradict one another or are negative.
	ErrUsage = errors.New("cost: usage")
)

// Tariff is a set of prices in force from a date on. The zero value is no
// tariff: it bills nothing. A Tariff never changes.
type Tariff struct {
	ID   string    // as the price book has it, like "2026-05"
	From time.Time // the first instant it holds

	prices [kindCount]Amount // per token, Audio per started minute
	sold   [kindCount]bool

	missing error // why there is no tariff, where At had none
}

// Price returns the price of one unit of the kind (a token, or a started minute
// of Audio), and whether the tariff has one.
func (t Tariff) Price(k Kind) (Amount, bool) {
	if k >= kindCount {
		return 0, false
	}
	return t.prices[k], t.sold[k]
}

// Bill is what a usage costs, exactly and by kind. It is a plain value.
type Bill struct {
	Tariff    string // id of the tariff it was made under
	Total     Amount // the sum of the lines
	Estimated bool   // the usage was an estimate

	lines [kindCount]Line
}

// Line is one kind on a bill: Amount = Units × Price.
type Line struct {
	Kind   Kind   `json:"kind"`
	Units  int64  `json:"units"` // tokens, or started minutes of Audio
	Price  Amount `json:"price"` // of one unit
	Amount Amount `json:"amount"`
}

// Line returns the line of a kind, which is zero where nothing was used.
func (b Bill) Line(k Kind) Line {
	if k >= kindCount {
		return Line{Kind: k}
	}
	line := b.lines[k]
	line.Kind = k
	return line
}

// Lines yields the lines that have units, in the order of the kinds.
func (b Bill) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for _, line := range b.lines {
			if line.Units != 0 && !yield(line) {
				return
			}
		}
	}
}

// MarshalJSON writes the total, the tariff and the lines that have units.
func (b Bill) MarshalJSON() ([]byte, error) {
	lines := make([]Line, 0, len(b.lines))
	for line := range b.Lines() {
		lines = append(lines, line)
	}
	return json.Marshal(struct {
		Tariff    string `json:"tariff"`
		Total     Amount `json:"total"`
		Estimated bool   `json:"estimated"`
		Lines     []Line `json:"lines"`
	}{b.Tariff, b.Total, b.Estimated, lines})
}

// Bill returns what the usage of one call costs, exact to the nano-euro. Each
// token is billed once: those of Reasoning at their own price, the rest of
// Output as output. In a batch all of Output is batch output. No use costs
// nothing, and is no error.
//
// Counts that are negative or contradict one another are [ErrUsage]; a kind in
// use that the tariff does not sell (rerank before 2026-05-17) is [ErrNoPrice].
func (t Tariff) Bill(u Usage) (bill Bill, err error) {
	if t.ID == "" {
		return Bill{}, cmp.Or(t.missing, ErrNoTariff)
	}
	if err := u.check(); err != nil {
		return Bill{}, err
	}
	bill.Tariff, bill.Estimated = t.ID, u.Estimated
	for k, n := range u.units() {
		if n == 0 {
			continue
		}
		if !t.sold[k] {
			return Bill{}, fmt.Errorf("%w for %v under tariff %s", ErrNoPrice, Kind(k), t.ID)
		}
		amount, err := t.prices[k].Mul(n)
		if err != nil {
			return Bill{}, err
		}
		if bill.Total, err = bill.Total.Add(amount); err != nil {
			return Bill{}, err
		}
		bill.lines[k] = Line{Kind: Kind(k), Units: n, Price: t.prices[k], Amount: amount}
	}
	return bill, nil
}
