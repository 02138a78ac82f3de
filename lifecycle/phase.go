package lifecycle

import "fmt"

// Phase is where a model stands in its life. The zero Phase belongs to no model.
type Phase uint8

// The phases in the order of a model's life. Each runs from its first day,
// included, to the first day of the next, excluded; doc.go has the table.
const (
	// Evaluation is quality tests and security validation; not for customers.
	Evaluation Phase = iota + 1
	// Deployment is a test cluster, then a rollout step by step; not yet stable.
	Deployment
	// Production is from the launch until the notice.
	Production
	// Notice is the last three months before the end of support.
	Notice
	// EndOfSupport models are no longer maintained and may be removed any day.
	EndOfSupport
	// Deprecated models left the public platform, as a table records. They can
	// be reactivated on request.
	Deprecated
	// Removed models are gone: no later table lists them, or the three months
	// after the end of support are over and no table says that they stayed.
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
