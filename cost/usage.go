package cost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Usage is what one call used. The zero value is nothing, and costs nothing.
//
// The instructions and metadata that the concepts page calls system tokens come
// as part of the prompt's count and cost what input costs; there is no count and
// no price for them apart.
type Usage struct {
	Input     int64         `json:"input"`     // prompt tokens; the tokens of an embedding call
	Output    int64         `json:"output"`    // all completion tokens, those of Reasoning too
	Reasoning int64         `json:"reasoning"` // the part of Output that was reasoning
	Rerank    int64         `json:"rerank"`    // tokens of the query and documents of a rerank call
	Audio     time.Duration `json:"audio_ns"`  // length of one recording; each started minute counts whole
	Batch     bool          `json:"batch"`     // Input and Output went through the Batch API
	Estimated bool          `json:"estimated"` // the service did not say; these are estimates
}

// check refuses what no call can have used.
func (u *Usage) check() error {
	switch {
	case u.Input < 0 || u.Output < 0 || u.Reasoning < 0 || u.Rerank < 0 || u.Audio < 0:
		return fmt.Errorf("%w: got a negative count (input %d, output %d, reasoning %d, rerank %d, audio %v)",
			ErrUsage, u.Input, u.Output, u.Reasoning, u.Rerank, u.Audio)
	case u.Reasoning > u.Output:
		return fmt.Errorf("%w: got %d reasoning tokens in %d output tokens, want reasoning as a part of output",
			ErrUsage, u.Reasoning, u.Output)
	case u.Batch && (u.Rerank != 0 || u.Audio != 0):
		return fmt.Errorf("%w: got rerank or audio in a batch, which has prices for input and output only", ErrUsage)
	}
	return nil
}

// units sorts a usage that passed check into kinds.
func (u *Usage) units() (n [kindCount]int64) {
	if u.Batch {
		n[BatchInput], n[BatchOutput] = u.Input, u.Output
		return n
	}
	n[Input] = u.Input
	n[Output] = u.Output - u.Reasoning
	n[Reasoning] = u.Reasoning
	n[Rerank] = u.Rerank
	n[Audio] = startedMinutes(u.Audio)
	return n
}

func startedMinutes(d time.Duration) int64 {
	minutes := int64(d / time.Minute)
	if d%time.Minute > 0 {
		minutes++
	}
	return minutes
}

// ErrNoUsage says that a reply carries no counts, as when a stream was cut short.
var ErrNoUsage = errors.New("cost: no usage in the reply")

// wireUsage is the usage object of the service and of other servers of the same
// API, and a reply around it.
type wireUsage struct {
	Prompt     *count    `json:"prompt_tokens"`
	Completion *count    `json:"completion_tokens"`
	Total      *count    `json:"total_tokens"`
	Reasoning  *count    `json:"reasoning_tokens"` // the service's own place for it
	Seconds    *float64  `json:"seconds"`          // of audio, with "type":"duration"
	Details    *struct { // OpenAI's place for it
		Reasoning *count `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// ParseUsage reads the usage object of a reply, or the whole reply around it.
//
// Reasoning tokens are found at the top level of usage, where the service has
// them, or in completion_tokens_details, where OpenAI has them. OpenAI counts
// them inside completion_tokens, and so does ParseUsage, unless the reply itself
// says otherwise: when total_tokens is prompt + completion + reasoning, or there
// are more reasoning than completion tokens, they were counted apart and are
// added to Output. Either way Output ends up as all completion tokens and each
// token is billed once.
//
// Where completion_tokens is missing, what total_tokens has beyond the prompt is
// Output; a lone total_tokens (some rerank and embedding servers) is Input;
// seconds of audio are Audio. The counts of a rerank reply come as Input: the caller, who
// knows the endpoint, moves them to Rerank. Null counts are absent. A reply
// without any count is [ErrNoUsage]; counts that are negative, fractional or
// contradict one another are [ErrUsage].
func ParseUsage(reply []byte) (Usage, error) {
	var wire struct {
		wireUsage
		Usage *wireUsage `json:"usage"`
	}
	if len(bytes.TrimSpace(reply)) == 0 {
		return Usage{}, ErrNoUsage
	}
	if err := json.Unmarshal(reply, &wire); err != nil {
		if errors.Is(err, ErrUsage) {
			return Usage{}, err
		}
		// The decoder's own words may quote the reply, which is private.
		return Usage{}, fmt.Errorf("%w: got what is no usage object (%d bytes)", ErrUsage, len(reply))
	}
	if wire.Usage != nil {
		return wire.Usage.usage()
	}
	return wire.usage()
}

// UsageOr is [ParseUsage] for those who must bill in any case: where the reply
// carries no counts it returns the estimate, marked as Estimated, and no error;
// where it carries bad counts it returns the same with the error, to be reported.
func UsageOr(reply []byte, estimate Usage) (Usage, error) {
	u, err := ParseUsage(reply)
	if err == nil {
		return u, nil
	}
	estimate.Estimated = true
	if errors.Is(err, ErrNoUsage) {
		return estimate, nil
	}
	return estimate, err
}

func (w *wireUsage) usage() (Usage, error) {
	if w.Prompt == nil && w.Completion == nil && w.Total == nil && w.Seconds == nil {
		return Usage{}, ErrNoUsage
	}
	audio, err := w.audio()
	if err != nil {
		return Usage{}, err
	}
	reasoning, err := w.reasoning()
	if err != nil {
		return Usage{}, err
	}
	u := Usage{
		Input: w.Prompt.value(), Output: w.Completion.value(), Reasoning: reasoning, Audio: audio,
	}
	switch {
	case w.Prompt == nil && w.Completion == nil:
		u.Input = w.Total.value()
	case w.Completion == nil && w.Total.value() > u.Input:
		u.Output = w.Total.value() - u.Input
	}
	if w.countedApart(u) {
		if u.Output > math.MaxInt64-u.Reasoning {
			return Usage{}, fmt.Errorf("%w: completion and reasoning tokens", ErrOverflow)
		}
		u.Output += u.Reasoning
	}
	if err := u.check(); err != nil {
		return Usage{}, err
	}
	return u, nil
}

// countedApart reports whether the reply shows that its reasoning tokens are not
// among its completion tokens.
func (w *wireUsage) countedApart(u Usage) bool {
	if w.Total == nil {
		return u.Reasoning > u.Output
	}
	rest := w.Total.value() - u.Input // in range: both are ≥ 0
	switch {
	case rest == u.Output:
		return false
	case rest > u.Output && rest-u.Output == u.Reasoning:
		return true
	}
	return u.Reasoning > u.Output
}

// reasoning takes the count of either place. Servers fill the place they do not
// use with zero, so a zero gives way; two different counts are refused.
func (w *wireUsage) reasoning() (int64, error) {
	flat := w.Reasoning.value()
	if w.Details == nil {
		return flat, nil
	}
	nested := w.Details.Reasoning.value()
	if flat != 0 && nested != 0 && flat != nested {
		return 0, fmt.Errorf("%w: got %d reasoning_tokens and %d in completion_tokens_details", ErrUsage, flat, nested)
	}
	return max(flat, nested), nil
}

func (w *wireUsage) audio() (time.Duration, error) {
	if w.Seconds == nil {
		return 0, nil
	}
	// A year of audio in one file is no recording; NaN is no JSON.
	if s := *w.Seconds; s < 0 || s > 366*24*3600 {
		return 0, fmt.Errorf("%w: got %g seconds of audio, want 0 up to a year", ErrUsage, s)
	}
	return time.Duration(math.Ceil(*w.Seconds * float64(time.Second))), nil
}

// count is a token count on the wire: a whole number, also in the form 200.0 or
// 2e2, which some servers write.
type count int64

func (c *count) value() int64 {
	if c == nil {
		return 0
	}
	return int64(*c)
}

// UnmarshalJSON is called with any JSON value but null, which leaves the
// pointers above nil.
func (c *count) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		var ok bool
		if n, ok = wholeFloat(b); !ok {
			return fmt.Errorf("%w: got a token count that is no whole number", ErrUsage)
		}
	}
	if n < 0 {
		return fmt.Errorf("%w: got a negative token count", ErrUsage)
	}
	*c = count(n)
	return nil
}

// wholeFloat reads a JSON number with a fraction of zeros or an exponent, as far
// as a float64 counts exactly.
func wholeFloat(b []byte) (int64, bool) {
	f, err := json.Number(b).Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}
