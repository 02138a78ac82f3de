// Package cost knows what a call to the service may cost before it is made,
// and what it did cost after, exact to the nano-euro and by the tariff of the
// day. It also keeps budgets and books, and knows the energy of models.
//
// # Bills
//
// A [PriceBook] holds dated tariffs, a [Tariff] bills a [Usage]:
//
//	bill, err := cost.Default().At(day).Bill(cost.Usage{Input: 70, Output: 200, Reasoning: 40})
//	fmt.Println(bill.Total)                    // 0.001543, in euros
//	fmt.Println(bill.Line(cost.Output).Units)  // 160
//
// Money is an [Amount], an integer of nano-euro. At up to three decimals per
// million tokens every price is a whole number of them, so nothing is rounded
// anywhere; what does not fit is [ErrOverflow] and never wraps. Amounts print
// and parse as plain decimals in every locale, and are strings in JSON.
//
// The embedded tariffs are those of the concepts page (0.9 € in, 4 € out, 21 €
// reasoning, per million tokens, from 2025-06-05) and of two later revisions of
// the service's documentation (2026-02-10 and 2026-05-17). [Load] reads others
// without a rebuild. There is no tariff before the first: its bill is
// [ErrNoTariff]. For the prices of today say At(time.Now()).
//
// # Usage
//
// [ParseUsage] reads what the service sends, with reasoning_tokens at the top
// level or in completion_tokens_details. Reasoning is a part of completion, and
// each token is billed once. When a stream was cut short, [UsageOr] takes the
// caller's estimate instead and marks it; the mark stays on the bill and in the
// ledger.
//
// # Before the call
//
// A [Quote] is the least, likely and most that a [Request] can cost, from an
// estimate of its prompt and its max_tokens. [Compare] and [Cheapest] put models
// side by side, with cost and energy:
//
//	q, err := tariff.Quote(cost.Request{Input: cost.Range{Low: 60, Likely: 70, High: 80}, MaxTokens: 200})
//
// # Budgets
//
// A [Budget] caps what a tenant spends in a calendar month. The most is
// reserved before the call and the exact cost settled after it, so that any
// number of calls at once stay below the cap:
//
//	r, err := budget.Reserve(ctx, tenant, q.Most, time.Now())
//	if err != nil {
//		return err // an *OverBudgetError says when the next month begins
//	}
//	defer r.Release(ctx)
//	… // the call
//	err = r.Settle(ctx, bill.Total)
//
// Balances live in a [BudgetMemory], which a host snapshots and restores, or in
// shared state behind [BudgetState].
//
// # Books
//
// A [Ledger] adds up bills by tenant, model and day; [WriteCSV] and
// [WriteJSONL] export its rows.
//
// # Energy
//
// An [EnergyTable] holds published figures of kWh per million tokens by model
// and date. They are measurements of the provider, differ between its own pages,
// and are missing for many models: unknown stays unknown, and is never zero.
//
// # What is not here
//
// Counting tokens is package tokens' work. Taxes, currencies other than the
// euro, purchase credits and rounding to cents are the host's, and so is the
// price of images and speech, which the source does not print. A rerank reply
// that says only search units cannot be billed: the price is per token.
package cost
