package lifecycle

import "fmt"

// Phase is where a model stands in its life. The zero Phase belongs to no model.
type Phase uint8

// The phases in the order of a model's life. Each runs from its first day,
// included, to the first day of the next, excluded; doc.go has the table.
const (
	// Evaluation: quality tests and security validation; not for customers.
	Evaluation Phase = iota + 1
	// Deployment: test cluster, then rolled out step by step; not yet stable.
	Deployment
	// Production: launched, and further from its end than the notice.
	Production
	// Notice: inside the three months before the end of support.
	Notice
	// EndOfSupport: no longer maintained; it may be removed any day.
	EndOfSupport
	// Deprecated: a table records that it left the public platform. It can be
	// reactivated on request.
	Deprecated
	// Removed: gone. No later table lists it any more, or the three months
	// after its end of support are over and no table says that it stayed.
	Removed
)

var phaseNames = [...]string{"", "evaluation", "deployment", "production", "notice", "end of support", "deprecated", "removed"}

// Available reports whether the provider serves a model in this phase to all
// customers: production, notice and end of support.
func (p Phase) Available() bool { return p >= Production && p <= EndOfSupport }

// String returns the lower-case name: "end of support".
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// MarshalText writes the name of the phase.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the name of a phase; "" is the zero Phase.
func (p *Phase) UnmarshalText(b []byte) error {
	for i, name := range phaseNames {
		if string(b) == name {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("lifecycle: phase: got %s, want one of %q", clip(string(b)), phaseNames[1:])
}
