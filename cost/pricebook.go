package cost

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// PriceBook is a series of dated tariffs. It never changes and is safe for
// concurrent use. The zero value holds no tariff, and bills nothing.
type PriceBook struct {
	tariffs []Tariff // by From, each earlier than the next
}

//go:embed data/prices.json
var embeddedPrices []byte

var defaultBook = sync.OnceValue(func() *PriceBook {
	book, err := Load(bytes.NewReader(embeddedPrices))
	if err != nil {
		panic(err) // a broken build, which every test of this package catches
	}
	return book
})

// Default returns the embedded price book: the tariffs of the concepts page and
// of the service's public documentation, from 2025-06-05 on.
func Default() *PriceBook { return defaultBook() }

// bookFile is the shape of data/prices.json.
type bookFile struct {
	AsOf    string       `json:"as_of"`
	Source  string       `json:"source"`
	Note    string       `json:"note"`
	Tariffs []tariffLine `json:"tariffs"`
}

type tariffLine struct {
	ID            string  `json:"id"`
	EffectiveFrom string  `json:"effective_from"`
	Input         *Amount `json:"input"`
	Output        *Amount `json:"output"`
	Reasoning     *Amount `json:"reasoning_output"`
	Rerank        *Amount `json:"rerank"`
	BatchInput    *Amount `json:"batch_input"`
	BatchOutput   *Amount `json:"batch_output"`
	Audio         *Amount `json:"audio_per_started_minute"`
}

// Load reads a price book in the format of the embedded one, data/prices.json:
//
//	{"as_of": "2026-05-17", "source": "where the prices stand", "tariffs": [
//	  {"id": "2026-05", "effective_from": "2026-05-17", "input": "1.8", "output": "8", "audio_per_started_minute": "0.01"}
//	]}
//
// Prices are decimal strings in EUR per million tokens, audio in EUR per started
// minute. A tariff holds from its effective_from (a date begins at 00:00 UTC; an
// RFC 3339 instant is taken as it stands) until the next begins. A kind without
// a price is not sold under that tariff. Refused are unknown fields, keys given
// twice, negative prices, tariffs out of order, and a price per token that is
// not whole nano-euro: with at most three decimals per million, every bill is
// exact and nothing is ever rounded.
func Load(r io.Reader) (*PriceBook, error) {
	var file bookFile
	if err := decodeStrict(r, maxData, &file); err != nil {
		return nil, fmt.Errorf("cost: price book: %w", err)
	}
	if file.Source == "" {
		return nil, fmt.Errorf("cost: price book: got no source, want where the prices stand")
	}
	if _, err := parseStart(file.AsOf); err != nil {
		return nil, fmt.Errorf("cost: price book: as_of: %w", err)
	}
	if len(file.Tariffs) == 0 {
		return nil, fmt.Errorf("cost: price book: got no tariff, want one at least")
	}
	book := &PriceBook{tariffs: make([]Tariff, 0, len(file.Tariffs))}
	for i, line := range file.Tariffs {
		tariff, err := line.tariff()
		if err != nil {
			return nil, fmt.Errorf("cost: price book: tariff %d: %w", i+1, err)
		}
		if i > 0 && !tariff.From.After(book.tariffs[i-1].From) {
			return nil, fmt.Errorf("cost: price book: tariff %s: got effective_from %s, want one after the tariff before it",
				quote(line.ID), line.EffectiveFrom)
		}
		if slices.ContainsFunc(book.tariffs, func(t Tariff) bool { return t.ID == tariff.ID }) {
			return nil, fmt.Errorf("cost: price book: got the tariff %s twice", quote(line.ID))
		}
		book.tariffs = append(book.tariffs, tariff)
	}
	return book, nil
}

func (l tariffLine) tariff() (Tariff, error) {
	if l.ID == "" {
		return Tariff{}, fmt.Errorf("got no id")
	}
	from, err := parseStart(l.EffectiveFrom)
	if err != nil {
		return Tariff{}, fmt.Errorf("effective_from: %w", err)
	}
	t := Tariff{ID: l.ID, From: from}
	for kind, price := range [kindCount]*Amount{
		l.Input, l.Output, l.Reasoning, l.Rerank, l.BatchInput, l.BatchOutput, l.Audio,
	} {
		if price == nil {
			continue
		}
		unit := *price
		if unit < 0 {
			return Tariff{}, fmt.Errorf("%v: got %v, want no negative price", Kind(kind), unit)
		}
		if Kind(kind) != Audio {
			if unit%1_000_000 != 0 {
				return Tariff{}, fmt.Errorf("%v: got %v EUR per million tokens, want at most three decimals (whole nano-euro per token)",
					Kind(kind), unit)
			}
			unit /= 1_000_000
		}
		t.prices[kind], t.sold[kind] = unit, true
	}
	if t.sold == [kindCount]bool{} {
		return Tariff{}, fmt.Errorf("%s: got no price", quote(l.ID))
	}
	return t, nil
}

// At returns the tariff in force at the instant t. Before the first tariff, and
// for the zero time, it is one that bills nothing: its Bill and Quote return
// [ErrNoTariff].
func (b *PriceBook) At(t time.Time) Tariff {
	for i := len(b.tariffs) - 1; i >= 0; i-- {
		if !t.Before(b.tariffs[i].From) {
			return b.tariffs[i]
		}
	}
	if len(b.tariffs) == 0 {
		return Tariff{}
	}
	return Tariff{missing: fmt.Errorf("%w: got %s, want %s or later",
		ErrNoTariff, t.UTC().Format(time.RFC3339), b.tariffs[0].From.Format(time.RFC3339))}
}

// Tariffs returns a copy of all tariffs, the earliest first.
func (b *PriceBook) Tariffs() []Tariff { return slices.Clone(b.tariffs) }
