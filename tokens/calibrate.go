package tokens

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
)

const (
	calibrateModels = 256 // models a Calibrator keeps; the longest unused goes
	calibratePairs  = 48  // pairs it keeps per model, the newest
	calibrateTrust  = 5   // pairs before the learned line counts in full
	minScale        = 0.25
	maxScale        = 4.0
	maxOffset       = 1 << 16
)

// Calibrator learns, per model, how a server's counts differ from the estimates
// (another chat template, a tokenizer without a table) from the replies as they
// come in: tokens = scale × estimate + offset. The zero value is ready. It is
// safe for concurrent use, and its memory is bounded: 256 models of 48 pairs.
//
// The line is the median of slopes between pairs (Theil–Sen), which holds with
// up to a quarter of the pairs wrong; scale stays within 1/4 to 4.
type Calibrator struct {
	mu     sync.Mutex // guards all below
	clock  int64      // counts observations, for what is unused longest
	models map[string]*line
}

type line struct {
	Pairs  []pair `json:"pairs"` // oldest first
	used   int64
	fresh  bool
	scale  float64
	offset float64
}

// pair is an estimate and what the server counted.
type pair [2]float64

// Observe adds a reply: what was estimated for its request (the Total of
// EstimateMessages, before Adjust) and its usage.prompt_tokens. Counts below
// one are ignored.
func (c *Calibrator) Observe(model string, estimate Estimate, promptTokens int) {
	if estimate.Likely < 1 || promptTokens < 1 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.models[model]
	if l == nil {
		if c.models == nil {
			c.models = map[string]*line{}
		}
		if len(c.models) >= calibrateModels {
			c.evict()
		}
		l = &line{}
		c.models[model] = l
	}
	if len(l.Pairs) == calibratePairs {
		l.Pairs = slices.Delete(l.Pairs, 0, 1)
	}
	l.Pairs = append(l.Pairs, pair{float64(estimate.Likely), float64(promptTokens)})
	l.fresh = false
	c.clock++
	l.used = c.clock
}

func (c *Calibrator) evict() {
	oldest, at := "", int64(math.MaxInt64)
	for name, l := range c.models {
		if l.used < at {
			oldest, at = name, l.used
		}
	}
	delete(c.models, oldest)
}

// Adjust corrects an estimate by what was learned of the model; of an unknown
// one it returns the estimate unchanged.
func (c *Calibrator) Adjust(model string, e Estimate) Estimate {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.models[model]
	if l == nil {
		return e
	}
	if !l.fresh {
		l.learn()
	}
	c.clock++
	l.used = c.clock
	at := func(v int) int { return max(int(math.Round(l.scale*float64(v)+l.offset)), 0) }
	likely := at(e.Likely)
	return Estimate{Low: min(at(e.Low), likely), Likely: likely, High: max(at(e.High), likely)}
}

// learn draws the line. Slopes weigh by the distance they span, so that pairs of
// nearly equal estimates say little; where all are nearly equal the scale stays
// one and the offset takes the difference.
func (l *line) learn() {
	var slopes []weighted
	for i, p := range l.Pairs {
		for _, q := range l.Pairs[:i] {
			if dx := math.Abs(p[0] - q[0]); dx > 0.1*max(p[0], q[0]) {
				slopes = append(slopes, weighted{(p[1] - q[1]) / (p[0] - q[0]), dx})
			}
		}
	}
	l.scale = 1
	if len(l.Pairs) > 1 && len(slopes) > 0 {
		l.scale = min(max(median(slopes), minScale), maxScale)
	}
	rest := make([]weighted, len(l.Pairs))
	for i, p := range l.Pairs {
		rest[i] = weighted{p[1] - l.scale*p[0], 1 / (p[0] + 50)}
	}
	l.offset = min(max(median(rest), -maxOffset), maxOffset)
	if trust := float64(len(l.Pairs)) / calibrateTrust; trust < 1 {
		l.scale = 1 + trust*(l.scale-1)
		l.offset *= trust
	}
	l.fresh = true
}

type weighted struct{ v, w float64 }

func median(v []weighted) float64 {
	slices.SortFunc(v, func(a, b weighted) int { return cmp.Compare(a.v, b.v) })
	half := 0.0
	for _, x := range v {
		half += x.w / 2
	}
	for _, x := range v {
		if half -= x.w; half <= 0 {
			return x.v
		}
	}
	return v[len(v)-1].v
}

// MarshalJSON writes what was learned, for UnmarshalJSON after a restart.
func (c *Calibrator) MarshalJSON() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.models == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(c.models)
}

// UnmarshalJSON replaces what was learned by what MarshalJSON wrote.
func (c *Calibrator) UnmarshalJSON(b []byte) error {
	var models map[string]*line
	if err := json.Unmarshal(b, &models); err != nil {
		return fmt.Errorf("tokens: calibrator: %w", err)
	}
	if len(models) > calibrateModels {
		return fmt.Errorf("tokens: calibrator: got %d models, want at most %d", len(models), calibrateModels)
	}
	for name, l := range models {
		if l == nil || len(l.Pairs) == 0 || len(l.Pairs) > calibratePairs {
			return fmt.Errorf("tokens: calibrator: model %.64q: want 1 to %d pairs", name, calibratePairs)
		}
		for _, p := range l.Pairs {
			if !(p[0] >= 1) || !(p[1] >= 1) || p[0] > 1e12 || p[1] > 1e12 {
				return fmt.Errorf("tokens: calibrator: model %.64q: got a pair below 1 token", name)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.models = models
	return nil
}
