package cost_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/llmaas/llmaas-go/cost"
)

// The example of the concepts page, at a date of its prices: a prompt of 30
// characters, 7 tokens by its rule, and an answer of 200.
func Example() {
	prompt, answer := "Erklären Sie die Photosynthese", int64(200)
	day := time.Date(2025, 11, 22, 0, 0, 0, 0, time.UTC)

	bill, err := cost.Default().At(day).Bill(cost.Usage{Input: int64(len([]rune(prompt)) / 4), Output: answer})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bill.Total.Fixed(9), "€")
	for line := range bill.Lines() {
		fmt.Println(line.Kind, line.Units, "×", line.Price, "=", line.Amount)
	}
	// Output:
	// 0.000806300 €
	// input 7 × 0.0000009 = 0.0000063
	// output 200 × 0.000004 = 0.0008
}

// The same call on both sides of a price change.
func ExamplePriceBook_At() {
	usage := cost.Usage{Input: 70, Output: 200, Reasoning: 40}
	for _, day := range []int{9, 10} {
		tariff := cost.Default().At(time.Date(2026, 2, day, 0, 0, 0, 0, time.UTC))
		bill, err := tariff.Bill(usage)
		fmt.Println(tariff.ID, bill.Total, err)
	}
	// Output:
	// 2025-06 0.001543 <nil>
	// 2026-02 0.001733 <nil>
}

func ExampleParseUsage() {
	reply := []byte(`{"choices":[],"usage":{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270,"reasoning_tokens":40}}`)
	u, err := cost.ParseUsage(reply)
	fmt.Println(u.Input, u.Output, u.Reasoning, err)

	cut, err := cost.UsageOr(nil, cost.Usage{Input: 70, Output: 12}) // a stream cut short
	fmt.Println(cut.Input, cut.Output, cut.Estimated, err)
	// Output:
	// 70 200 40 <nil>
	// 70 12 true <nil>
}

func ExampleTariff_Quote() {
	tariff := cost.Default().At(time.Date(2025, 11, 22, 0, 0, 0, 0, time.UTC))
	q, err := tariff.Quote(cost.Request{
		Input:     cost.Range{Low: 60, Likely: 70, High: 80}, // or cost.Range(an estimate of package tokens)
		MaxTokens: 200, LikelyOutput: 100, Reasoning: true,
	})
	fmt.Println(q.Least, q.Likely, q.Most, err)
	// Output: 0.000054 0.000463 0.004272 <nil>
}

func ExampleBudget() {
	ctx, now := context.Background(), time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)
	budget, err := cost.NewBudget(cost.BudgetOptions{Cap: func(string) cost.Amount { return 1 * cost.Euro }})
	if err != nil {
		fmt.Println(err)
		return
	}
	call := func(most, exact cost.Amount) error {
		r, err := budget.Reserve(ctx, "acme", most, now)
		if err != nil {
			return err
		}
		defer r.Release(ctx) // for every path that does not settle
		return r.Settle(ctx, exact)
	}
	fmt.Println(call(cost.Euro, cost.Euro/4))

	var over *cost.OverBudgetError
	if errors.As(call(cost.Euro, cost.Euro), &over) {
		fmt.Println("spent", over.Balance.Spent, "of", over.Cap, "until", over.Resets.Format(time.DateOnly))
	}
	// Output:
	// <nil>
	// spent 0.25 of 1 until 2026-06-01
}

// The concepts page: a million tokens take 0.15 kWh with the small model and
// 11.75 kWh with the large one, 78 times as much.
func ExampleCompare() {
	day := time.Date(2025, 6, 5, 0, 0, 0, 0, time.UTC)
	request := cost.Request{Input: cost.Range{Low: 900_000, Likely: 900_000, High: 900_000}, MaxTokens: 100_000}
	offers, err := cost.Compare(cost.Default(), cost.DefaultEnergy(), day, request, cost.Needs{}, []cost.Candidate{
		{ID: "llama3.3:70b", Context: 1_000_000},
		{ID: "gemma3:1b", Context: 1_000_000},
		{ID: "nobody measured this", Context: 1_000_000},
		{ID: "granite3.3:2b", Context: 120_000},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range offers {
		switch {
		case o.Misfit != "":
			fmt.Println(o.ID+":", o.Misfit)
		case o.EnergyKnown:
			fmt.Println(o.ID+":", o.Quote.Likely, "€,", o.Energy)
		default:
			fmt.Println(o.ID+":", o.Quote.Likely, "€, energy unknown")
		}
	}
	fmt.Println(int(offers[1].Energy/offers[0].Energy), "times")
	// Output:
	// gemma3:1b: 1.21 €, 0.15 kWh
	// llama3.3:70b: 1.21 €, 11.75 kWh
	// nobody measured this: 1.21 €, energy unknown
	// granite3.3:2b: context of 120000 tokens is too small
	// 78 times
}

func ExampleLedger() {
	ledger := cost.NewLedger(cost.LedgerOptions{})
	day := time.Date(2026, 5, 17, 9, 0, 0, 0, time.UTC)
	for range 3 {
		bill, err := cost.Default().At(day).Bill(cost.Usage{Input: 7, Output: 200})
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := ledger.Record(cost.Entry{Tenant: "acme", Model: "gemma3:1b", Time: day, Bill: bill}); err != nil {
			fmt.Println(err)
		}
	}
	if err := cost.WriteJSONL(os.Stdout, ledger.Rows()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"day":"2026-05-17","tenant":"acme","model":"gemma3:1b","calls":3,"estimated":0,"input":21,"output":600,"reasoning_output":0,"rerank":0,"batch_input":0,"batch_output":0,"audio_minutes":0,"cost_eur":"0.0048378","energy_kwh":"0","energy_calls":0}
}
