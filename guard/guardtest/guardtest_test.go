package guardtest_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/guardtest"
	"github.com/stretchr/testify/require"
)

// noPhoneBook is the check of package check's documentation.
type noPhoneBook struct{}

func (noPhoneBook) Inspect(_ context.Context, p *check.Prompt, dst []check.Finding) []check.Finding {
	folded := p.Folded.Main()
	for _, word := range []string{"phone book", "ignore"} {
		if i := bytes.Index(folded.Text, []byte(word)); i >= 0 {
			dst = append(dst, check.Finding{
				Rule: "acme/phone-book", Layer: "acme", Severity: check.Low,
				Span: folded.Span(i, i+len(word)), View: folded.Name, Why: "asks for the phone book",
			})
		}
	}
	return dst
}

func TestCheck(t *testing.T) {
	guardtest.TestCheck(t, noPhoneBook{})
	b, err := behavior.New(behavior.Options{Scan: noPhoneBook{}})
	require.NoError(t, err)
	guardtest.TestCheck(t, b)
}

func TestHistory(t *testing.T) {
	guardtest.TestHistory(t, func(t *testing.T, window, halfLife time.Duration) behavior.History {
		h, err := behavior.NewMemory(behavior.MemoryOptions{Window: window, HalfLife: halfLife})
		require.NoError(t, err)
		return h
	})
}
