package llmaas

import (
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
)

// Output scans answers while they come in. [*output.Rules] is one.
type Output interface {
	Scanner() *output.Scanner
}

// outputScan passes on what the scanner of one answer releases. Nil passes all.
type outputScan struct{ scanner *output.Scanner }

func newScan(rules Output) *outputScan {
	if rules == nil {
		return nil
	}
	return &outputScan{rules.Scanner()}
}

// write returns the part of text that may be passed on, and adds what was found.
// A finding of high severity is an error; nothing of what it is about is returned.
func (s *outputScan) write(text string, last bool, found *[]guard.Finding) (string, error) {
	if s == nil || text == "" && !last {
		return text, nil
	}
	release, fresh := s.scanner.Write([]byte(text))
	out := string(release)
	*found = keep(*found, fresh)
	grave := withheld(fresh)
	if last && grave == nil {
		release, fresh = s.scanner.Close()
		*found = keep(*found, fresh)
		if grave = withheld(fresh); grave == nil {
			out += string(release)
		}
	}
	if grave != nil {
		return "", grave
	}
	return out, nil
}

// maxFindings is how many findings of one answer a [Result] holds: the first.
const maxFindings = 100

// keep adds findings up to the bound. The scanner's own slice is reused by it.
func keep(found, fresh []guard.Finding) []guard.Finding {
	return append(found, fresh[:min(len(fresh), maxFindings-len(found))]...)
}

func withheld(found []guard.Finding) error {
	for _, f := range found {
		if f.Severity >= guard.High {
			return &Error{Kind: ErrWithheld, Report: &guard.Report{Action: guard.Block, Findings: []guard.Finding{f}}}
		}
	}
	return nil
}
