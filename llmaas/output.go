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
	release, new := s.scanner.Write([]byte(text))
	out := string(release)
	*found = append(*found, new...)
	grave := withheld(new)
	if last && grave == nil {
		release, new = s.scanner.Close()
		*found = append(*found, new...)
		if grave = withheld(new); grave == nil {
			out += string(release)
		}
	}
	if grave != nil {
		return "", grave
	}
	return out, nil
}

func withheld(found []guard.Finding) error {
	for _, f := range found {
		if f.Severity >= guard.High {
			return &Error{Kind: ErrWithheld, Report: &guard.Report{Action: guard.Block, Findings: []guard.Finding{f}}}
		}
	}
	return nil
}
