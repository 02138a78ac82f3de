// Package check is the vocabulary that the prompt checks share: what goes in
// ([Input]), what comes out ([Finding]), and what a check is ([Check]).
//
// It decides nothing. The layers in guard/structure, guard/patterns and
// guard/behavior implement [Check]; package guard runs them, adds up their
// findings and decides what happens to the prompt. A host program that writes
// a check of its own needs this package and guard/fold, and can prove the check
// against guard/guardtest:
//
//	type noPhoneBook struct{}
//
//	func (noPhoneBook) Inspect(_ context.Context, p *check.Prompt, dst []check.Finding) []check.Finding {
//		folded := p.Folded.Main()
//		if i := bytes.Index(folded.Text, []byte("phone book")); i >= 0 {
//			dst = append(dst, check.Finding{
//				Rule:     "acme/phone-book",
//				Layer:    "acme",
//				Severity: check.Low,
//				Span:     folded.Span(i, i+len("phone book")),
//				View:     folded.Name,
//				Why:      "asks for the phone book",
//			})
//		}
//		return dst
//	}
//
// # What is not here
//
// No text of a prompt is ever part of a [Finding]: a finding says where it
// looked (a [Span] of bytes in [Input].Text) and why, so that it can be logged.
package check
