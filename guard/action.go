package guard

import "fmt"

// Action is what the guard advises to do with a prompt.
type Action uint8

// The actions, from the mildest to the gravest.
const (
	Allow Action = iota // pass it on
	Flag                // pass it on, and let a person look at it later
	Block               // refuse it
)

var actions = [...]string{Allow: "allow", Flag: "flag", Block: "block"}

// String returns "allow", "flag" or "block".
func (a Action) String() string {
	if int(a) < len(actions) {
		return actions[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// MarshalText returns [Action.String].
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [Action.MarshalText] writes.
func (a *Action) UnmarshalText(text []byte) error {
	for i, known := range actions {
		if known == string(text) {
			*a = Action(i)
			return nil
		}
	}
	return fmt.Errorf("guard: action: got %d bytes of another word, want allow, flag or block", len(text))
}
