package check

import "time"

// Input is one prompt, and whose it is.
//
// The zero value is an empty prompt of the nameless tenant.
type Input struct {
	// Tenant separates customers: no state is ever shared between two of them,
	// and policies are chosen by it. "" is a tenant like any other.
	Tenant string

	// Session is the conversation, or the user, whose prompts belong together
	// for the behavior layer. "" means that there is none: the prompt is judged
	// by itself.
	Session string

	// Text is the prompt as it came, any bytes at all. Spans count bytes of it.
	Text string

	// Time is when the prompt came. Zero means now.
	Time time.Time
}
