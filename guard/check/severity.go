package check

import "fmt"

// Severity says how grave a finding is by itself.
type Severity uint8

// The severities, from a remark to certainty.
const (
	Info     Severity = iota // worth knowing, no reason to doubt: 0 points
	Low                      // a weak sign, common in honest prompts: 20 points
	Medium                   // doubtful by itself: 50 points
	High                     // an attack unless the host knows better: 100 points
	Critical                 // an attack beyond doubt: 200 points
)

var severities = [...]struct {
	name   string
	points int
}{
	Info:     {"info", 0},
	Low:      {"low", 20},
	Medium:   {"medium", 50},
	High:     {"high", 100},
	Critical: {"critical", 200},
}

// Points is what a finding of this severity adds to a report's score when it
// names no score of its own.
func (s Severity) Points() int {
	if int(s) < len(severities) {
		return severities[s].points
	}
	return 0
}

// String returns the severity in lower case: "info", "low", "medium", "high"
// or "critical".
func (s Severity) String() string {
	if int(s) < len(severities) {
		return severities[s].name
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// MarshalText returns [Severity.String].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [Severity.MarshalText] writes.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, known := range severities {
		if known.name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("check: severity: got %d bytes of another word, want info, low, medium, high or critical", len(text))
}
