// Package guard judges prompts before they reach a language model: it finds
// attempts to override instructions, to draw out a system prompt, to smuggle
// text past the eye, and says where and why.
//
//	g, err := guard.New(guard.Options{})
//	…
//	r := g.Inspect(ctx, guard.Input{Tenant: "acme", Session: "42", Text: prompt})
//	if r.Action == guard.Block {
//		slog.Warn("refused", "report", r) // rules and score; never the text
//	}
//
// # Layers
//
// A prompt is folded once (guard/fold) and then shown to the checks in turn:
//
//   - guard/structure: JSON that hides orders, letters that pass for others,
//     invisible characters, control tokens of chat templates.
//   - guard/patterns: rules in plain files, in English, French, German, Spanish,
//     Chinese and Japanese. [Options].Rules adds those of the host.
//   - [Options].Checks: what the host writes in Go against guard/check.
//   - guard/behavior: what earlier prompts of the session make of this one. It
//     needs [Input].Session, and remembers in [Options].History.
//
// # From findings to an action
//
// Each finding has points: Info 0, Low 20, Medium 50, High 100, Critical 200,
// unless its rule says otherwise. The score of a report is the sum over the
// distinct rules that fired, each counted once, by its gravest finding: saying
// the same thing twice makes nothing worse, and there is no cap. From 50 points
// on a prompt is flagged, from 100 on blocked. A [Policy] sets other thresholds,
// switches rules off, and allows known texts:
//
//	guard.Options{Tenants: map[string]guard.Policy{
//		"acme": {
//			Block:    200,
//			Disabled: []string{"template/*"},
//			Allow:    []guard.Allowed{{SHA256: guard.TextSHA256(ourOwnTemplate)}},
//		},
//		"lab": {Off: true}, // every report then says Off
//	}}
//
// Policies and rules change while the guard is in use, by [Guard.SetPolicy],
// [Guard.RemovePolicy] and [Guard.SetRules].
//
// # Cleaning
//
// [Sanitize] takes out what a report names and what nobody can see, and cuts a
// prompt to a length without breaking a character. It is for hosts that would
// rather go on than refuse; inspect what it returns again.
//
// # The other direction
//
// What a model answers is scanned by guard/output while it streams: canaries,
// the system prompt word for word, links that carry data, hidden HTML, secrets.
//
// # What is not covered
//
// The guard reads words; it does not understand them. An attack that says what
// it wants in a way that no rule knows, a searched-for suffix that reads like
// words, a harmful question politely asked: all pass. Prompts in other languages than the six are judged
// by structure and behavior, and by what they borrow from the six. It is one
// layer of a defense: give a model no right that its least trusted reader may
// not have.
package guard
