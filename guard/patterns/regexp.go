package patterns

import (
	"time"

	"github.com/dlclark/regexp2/v2"
)

// hostRegexp is an expression with look-around or back-references, tried only
// where a literal of the prefilter occurs.
type hostRegexp struct {
	expression *regexp2.Regexp
	prefilter  element
}

func newHostRegexp(expression string) (*hostRegexp, error) {
	re, err := regexp2.Compile(expression)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = 100 * time.Millisecond
	return &hostRegexp{expression: re}, nil
}
