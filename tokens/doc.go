// Package tokens estimates how many tokens a text or a chat request costs,
// before it is sent, for the tokenizer families of the catalogue's models.
//
// # One text
//
//	est := tokens.For("gpt-oss:120b")
//	e := est.Estimate(prompt) // e.Low, e.Likely, e.High
//
// Likely is the best guess, High an upper bound to reserve money or context by,
// Low a lower one. No vocabulary is loaded: a text is cut into the runs that
// tokenizers treat alike, and each run looks up its cost in small tables that
// were fitted to exact counts. One pass, no allocation. [For] finds the family
// of a model; one that is not known falls back to [CharsPer4] between bounds
// that hold for any byte-level tokenizer.
//
// # A chat request
//
//	m := est.EstimateMessages(messages, toolJSON...)
//	// m.Input, m.System, m.Total
//
// counts roles, tool definitions and what the family's chat template adds. What
// cannot be known is said: images are counted but not priced (Images), and
// Unmeasured marks a template that nobody measured.
//
// # What is not covered
//
//   - Exact counts: package bpe, with a vocabulary that the host supplies.
//   - Images, audio and video: their tokens depend on the model's encoder.
//   - The server's own template: usage.prompt_tokens is the truth.
package tokens

//go:generate go run ./internal/fit -out tables
