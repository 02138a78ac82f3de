package guard

import (
	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/check"
)

// The vocabulary of the layers, so that a host needs one import.
type (
	// Input is one prompt (Text), and whose it is (Tenant, Session), and when it
	// came (Time): see [check.Input].
	Input = check.Input
	// Finding is one reason to doubt a prompt: Rule, Layer, Severity, Score, Span,
	// View, Why. See [check.Finding].
	Finding = check.Finding
	// Span is a half-open range of bytes in [Input].Text.
	Span = check.Span
	// Severity says how grave a finding is by itself: see [check.Severity] for its
	// points and texts.
	Severity = check.Severity
	// Check judges one prompt; a host may add its own by [Options].Checks.
	Check = check.Check
	// Prompt is what a [Check] sees.
	Prompt = check.Prompt
	// History remembers sessions; nil in [Options] means memory of this process.
	History = behavior.History
	// BehaviorPolicy is the part of a [Policy] that the behavior layer reads.
	BehaviorPolicy = behavior.Policy
)

// The severities, from a remark to certainty.
const (
	Info     = check.Info
	Low      = check.Low
	Medium   = check.Medium
	High     = check.High
	Critical = check.Critical
)
