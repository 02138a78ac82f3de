package patterns

import (
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// hostRegexp is an expression with look-around or back-references, tried only
// where one of the prefilter's texts occurs.
type hostRegexp struct {
	expression *regexp2.Regexp
	prefilter  []string // folded
}

func newHostRegexp(expression string, prefilter []string) (*hostRegexp, error) {
	re, err := regexp2.Compile(expression)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = 100 * time.Millisecond
	return &hostRegexp{re, prefilter}, nil
}

func (h *hostRegexp) wanted(text string) bool {
	for _, s := range h.prefilter {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
