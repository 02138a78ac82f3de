package limit

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Unlimited is a limit that is none.
const Unlimited int64 = math.MaxInt64

// nanoEuro is how many of the units of money of this package are a euro.
const nanoEuro = 1_000_000_000

// Tier is how much a tenant may use. The zero value of each limit allows
// nothing; Unlimited does not limit.
type Tier struct {
	ID string

	OutputPerHour     int64 // output tokens in an hour of the clock
	OutputPerDay      int64 // output tokens in a day, UTC
	RequestsPerMinute int64 // in a minute of the clock
	Concurrent        int64 // requests under way at once

	MonthlyBudget  int64 // nano-euro in a calendar month, UTC; enforced by Options.MonthlyBudget
	PurchaseCredit int64 // nano-euro paid up front; for the host's books
	Priority       string
}

//go:embed data/tiers.json
var embeddedTiers []byte

var defaultTiers = sync.OnceValue(func() []Tier {
	tiers, err := LoadTiers(bytes.NewReader(embeddedTiers))
	if err != nil {
		panic(err) // a broken build, which every test of this package catches
	}
	return tiers
})

// Tiers returns the five tiers of the service, from the embedded table
// data/tiers.json. They limit neither requests per minute nor those at once,
// since the source prints no figures for them.
func Tiers() []Tier { return slices.Clone(defaultTiers()) }

type tierFile struct {
	AsOf   string     `json:"as_of"`
	Source string     `json:"source"`
	Note   string     `json:"note"`
	Tiers  []tierLine `json:"tiers"`
}

type tierLine struct {
	ID                string  `json:"id"`
	Priority          string  `json:"priority"`
	PurchaseCredit    *string `json:"purchase_credit_eur"`
	MonthlyBudget     *string `json:"monthly_budget_eur"`
	OutputPerHour     *int64  `json:"output_tokens_per_hour"`
	OutputPerDay      *int64  `json:"output_tokens_per_day"`
	RequestsPerMinute *int64  `json:"requests_per_minute"`
	Concurrent        *int64  `json:"concurrent_requests"`
}

// LoadTiers reads tiers in the format of the embedded table:
//
//	{"as_of": "2026-05-17", "source": "where the limits stand", "tiers": [
//	  {"id": "tier-1", "monthly_budget_eur": "1000", "output_tokens_per_hour": 150000, "requests_per_minute": 600}
//	]}
//
// A limit that is absent or null is Unlimited. Money is whole euros, as strings.
// Unknown fields, keys and ids given twice and negative limits are refused.
func LoadTiers(r io.Reader) ([]Tier, error) {
	var file tierFile
	if err := decodeStrict(r, &file); err != nil {
		return nil, fmt.Errorf("limit: tiers: %w", err)
	}
	if file.Source == "" {
		return nil, errors.New("limit: tiers: got no source, want where the limits stand")
	}
	if _, err := time.Parse(time.DateOnly, file.AsOf); err != nil {
		return nil, errors.New("limit: tiers: as_of: got no date, want one like 2026-05-17")
	}
	if len(file.Tiers) == 0 {
		return nil, errors.New("limit: tiers: got none, want one at least")
	}
	tiers := make([]Tier, 0, len(file.Tiers))
	for i, line := range file.Tiers {
		tier, err := line.tier()
		if err != nil {
			return nil, fmt.Errorf("limit: tier %d: %w", i+1, err)
		}
		if slices.ContainsFunc(tiers, func(t Tier) bool { return t.ID == tier.ID }) {
			return nil, fmt.Errorf("limit: tier %d: got the id %.40q twice", i+1, tier.ID)
		}
		tiers = append(tiers, tier)
	}
	return tiers, nil
}

func (l tierLine) tier() (Tier, error) {
	if l.ID == "" {
		return Tier{}, errors.New("got no id")
	}
	t := Tier{ID: l.ID, Priority: l.Priority}
	for _, count := range [...]struct {
		name string
		from *int64
		to   *int64
	}{
		{"output_tokens_per_hour", l.OutputPerHour, &t.OutputPerHour},
		{"output_tokens_per_day", l.OutputPerDay, &t.OutputPerDay},
		{"requests_per_minute", l.RequestsPerMinute, &t.RequestsPerMinute},
		{"concurrent_requests", l.Concurrent, &t.Concurrent},
	} {
		*count.to = Unlimited
		if count.from == nil {
			continue
		}
		if *count.from < 0 {
			return Tier{}, fmt.Errorf("%s: got %d, want 0 or more", count.name, *count.from)
		}
		*count.to = *count.from
	}
	var err error
	if t.MonthlyBudget, err = wholeEuros(l.MonthlyBudget, Unlimited); err != nil {
		return Tier{}, fmt.Errorf("monthly_budget_eur: %w", err)
	}
	if t.PurchaseCredit, err = wholeEuros(l.PurchaseCredit, 0); err != nil {
		return Tier{}, fmt.Errorf("purchase_credit_eur: %w", err)
	}
	return t, nil
}

// wholeEuros reads euros as nano-euro.
func wholeEuros(s *string, absent int64) (int64, error) {
	if s == nil {
		return absent, nil
	}
	n, err := strconv.ParseUint(*s, 10, 33) // 2³³ € of nano-euro fit an int64
	if err != nil {
		return 0, fmt.Errorf("got %.40q, want whole euros like \"1000\"", *s)
	}
	return int64(n) * nanoEuro, nil
}
