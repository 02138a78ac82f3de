package cost

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseUsage(t *testing.T) {
	const max = "9223372036854775807"
	rows := []struct {
		wire string
		want Usage
		err  error
	}{
		// The same 200 completion tokens, 40 of them reasoning, in each shape.
		{`{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270}`, Usage{Input: 70, Output: 200}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270,"reasoning_tokens":40}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270,"completion_tokens_details":{"reasoning_tokens":40}}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"reasoning_tokens":40,"completion_tokens_details":{"reasoning_tokens":40}}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"reasoning_tokens":40,"completion_tokens_details":{"reasoning_tokens":0}}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"reasoning_tokens":0,"completion_tokens_details":{"reasoning_tokens":40}}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"reasoning_tokens":41,"completion_tokens_details":{"reasoning_tokens":40}}`, Usage{}, ErrUsage},
		// Counted apart: the total says so, or nothing else can be meant.
		{`{"prompt_tokens":70,"completion_tokens":160,"total_tokens":270,"reasoning_tokens":40}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":10,"total_tokens":120,"reasoning_tokens":40}`, Usage{Input: 70, Output: 50, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":10,"reasoning_tokens":40}`, Usage{Input: 70, Output: 50, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":10,"total_tokens":99,"reasoning_tokens":40}`, Usage{Input: 70, Output: 50, Reasoning: 40}, nil},
		// A total that fits neither way, such as one with other tokens in it.
		{`{"prompt_tokens":70,"completion_tokens":200,"total_tokens":999,"reasoning_tokens":40}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":200,"total_tokens":0,"reasoning_tokens":40}`, Usage{Input: 70, Output: 200, Reasoning: 40}, nil},
		{`{"prompt_tokens":70,"completion_tokens":40,"total_tokens":999,"reasoning_tokens":40}`, Usage{Input: 70, Output: 40, Reasoning: 40}, nil},
		// The total says that 40 reasoning tokens are part of 10.
		{`{"prompt_tokens":70,"completion_tokens":10,"total_tokens":80,"reasoning_tokens":40}`, Usage{}, ErrUsage},
		// Embeddings, rerank, audio; whole replies and chunks.
		{`{"prompt_tokens":8,"total_tokens":8}`, Usage{Input: 8}, nil},
		{`{"total_tokens":56}`, Usage{Input: 56}, nil},
		{`{"prompt_tokens":8,"total_tokens":28}`, Usage{Input: 8, Output: 20}, nil},
		{`{"type":"duration","seconds":61.5}`, Usage{Audio: 61500 * time.Millisecond}, nil},
		{`{"id":"x","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":200}}`, Usage{Input: 7, Output: 200}, nil},
		// Nulls, floats, things we do not know.
		{`{"prompt_tokens":7,"completion_tokens":null,"completion_tokens_details":null,"reasoning_tokens":null}`, Usage{Input: 7}, nil},
		{`{"prompt_tokens":7,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":null,"audio_tokens":3}}`, Usage{Input: 7, Output: 2}, nil},
		{`{"prompt_tokens":7.0,"completion_tokens":2e2}`, Usage{Input: 7, Output: 200}, nil},
		{`{"prompt_tokens":0,"completion_tokens":0}`, Usage{}, nil},
		{`{"prompt_tokens":7.5,"completion_tokens":2}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":"7","completion_tokens":2}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":-7,"completion_tokens":2}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":7,"completion_tokens":-2.0}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":true}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":1e999999999}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":1e-999999999}`, Usage{Input: 0}, nil},
		{`{"prompt_tokens":1e300}`, Usage{}, ErrUsage},
		{`{"seconds":-1}`, Usage{}, ErrUsage},
		{`{"seconds":1e18}`, Usage{}, ErrUsage},
		{`{"prompt_tokens":` + max + `,"completion_tokens":` + max + `}`, Usage{Input: math.MaxInt64, Output: math.MaxInt64}, nil},
		{`{"prompt_tokens":` + max + `,"completion_tokens":` + max + `,"total_tokens":2,"reasoning_tokens":4}`, Usage{Input: math.MaxInt64, Output: math.MaxInt64, Reasoning: 4}, nil},
		{`{"completion_tokens":1,"reasoning_tokens":` + max + `}`, Usage{}, ErrOverflow},
		{`{"prompt_tokens":9223372036854775808}`, Usage{}, ErrUsage},
		// Nothing to read.
		{`{}`, Usage{}, ErrNoUsage},
		{`null`, Usage{}, ErrNoUsage},
		{``, Usage{}, ErrNoUsage},
		{"  \n", Usage{}, ErrNoUsage},
		{`{"usage":null}`, Usage{}, ErrNoUsage},
		{`{"usage":{}}`, Usage{}, ErrNoUsage},
		{`{"usage":{"billed_units":{"search_units":1}}}`, Usage{}, ErrNoUsage},
		{`{"choices":[{"delta":{"content":"secret"}}],"usage":null}`, Usage{}, ErrNoUsage},
		{`[]`, Usage{}, ErrUsage},
		{`"secret"`, Usage{}, ErrUsage},
		{`{"prompt_tokens":7`, Usage{}, ErrUsage},
		{`{"usage":"secret"}`, Usage{}, ErrUsage},
		{`{"completion_tokens_details":"secret"}`, Usage{}, ErrUsage},
		{strings.Repeat("[", 100_000), Usage{}, ErrUsage},
	}
	for _, row := range rows {
		got, err := ParseUsage([]byte(row.wire))
		require.ErrorIs(t, err, row.err, "%.200s", row.wire)
		if row.err != nil {
			require.NotContains(t, err.Error(), "secret")
		}
		require.Equal(t, row.want, got, "%.200s", row.wire)
	}
}

// Each token is billed once, whichever way the reply counts its reasoning.
func TestBillFromReply(t *testing.T) {
	const (
		none   = `{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270}`
		flat   = `{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270,"reasoning_tokens":40}`
		nested = `{"prompt_tokens":70,"completion_tokens":200,"total_tokens":270,"completion_tokens_details":{"reasoning_tokens":40}}`
		apart  = `{"prompt_tokens":70,"completion_tokens":160,"total_tokens":270,"reasoning_tokens":40}`
		only   = `{"prompt_tokens":70,"completion_tokens":200,"reasoning_tokens":200}`
	)
	rows := []struct{ wire, when, want string }{
		{none, juneEnd, "0.000863"}, // 70 × 0.9 + 200 × 4
		{flat, juneEnd, "0.001543"}, // 70 × 0.9 + 160 × 4 + 40 × 21
		{nested, juneEnd, "0.001543"},
		{apart, juneEnd, "0.001543"},
		{only, juneEnd, "0.004263"}, // 70 × 0.9 + 200 × 21
		{none, feb, "0.001733"},     // 70 × 1.9 + 200 × 8
		{flat, feb, "0.001733"},
		{nested, feb, "0.001733"},
		{apart, feb, "0.001733"},
		{only, may, "0.001726"}, // 70 × 1.8 + 200 × 8
	}
	for _, row := range rows {
		u, err := ParseUsage([]byte(row.wire))
		require.NoError(t, err)
		bill, err := Default().At(at(t, row.when)).Bill(u)
		require.NoError(t, err)
		require.Equal(t, row.want, bill.Total.String(), "%s %s", row.when, row.wire)
	}
}

func TestUsageOr(t *testing.T) {
	estimate := Usage{Input: 70, Output: 12}
	marked := Usage{Input: 70, Output: 12, Estimated: true}
	rows := []struct {
		wire string
		want Usage
		err  error
	}{
		{`{"prompt_tokens":1,"completion_tokens":2}`, Usage{Input: 1, Output: 2}, nil},
		{``, marked, nil},
		{`{"usage":null}`, marked, nil},
		{`{"prompt_tokens":-1}`, marked, ErrUsage},
		{`{"prompt_tok`, marked, ErrUsage},
	}
	for _, row := range rows {
		got, err := UsageOr([]byte(row.wire), estimate)
		require.ErrorIs(t, err, row.err, row.wire)
		require.Equal(t, row.want, got, row.wire)
	}
	bill, err := Default().At(at(t, may)).Bill(marked)
	require.NoError(t, err)
	require.True(t, bill.Estimated)
}

func FuzzParseUsage(f *testing.F) {
	f.Add([]byte(`{"usage":{"prompt_tokens":70,"completion_tokens":160,"total_tokens":270,"reasoning_tokens":40}}`))
	f.Add([]byte(`{"prompt_tokens":1e2,"completion_tokens":null,"completion_tokens_details":{"reasoning_tokens":0.0}}`))
	f.Add([]byte(`{"type":"duration","seconds":61.5}`))
	f.Fuzz(func(t *testing.T, wire []byte) {
		u, err := ParseUsage(wire)
		if err != nil {
			return
		}
		require.NoError(t, u.check(), "%+v", u)
		bill, err := Default().At(time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)).Bill(u)
		if err != nil {
			require.ErrorIs(t, err, ErrOverflow)
			return
		}
		require.Equal(t, u.Output, bill.Line(Output).Units+bill.Line(Reasoning).Units)
	})
}
