package tokens

import (
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

// Estimate is a number of tokens and its bounds. Low and High each hold for at
// least 99 texts in 100 of every class measured; see the package comment.
type Estimate struct {
	Low    int `json:"low"`
	Likely int `json:"likely"`
	High   int `json:"high"`
}

// Plus adds two estimates, bound to bound.
func (e Estimate) Plus(f Estimate) Estimate {
	return Estimate{e.Low + f.Low, e.Likely + f.Likely, e.High + f.High}
}

// Estimator estimates tokens for one tokenizer family. It is immutable and safe
// for concurrent use.
type Estimator struct {
	family   string
	table    *runs.Table // nil for an unknown family
	template *template   // nil when no template was measured
}

// Family is one of Families, or Unknown.
func (e *Estimator) Family() string { return e.family }

// Estimate reads text once, without allocating. Text need not be valid UTF-8.
func (e *Estimator) Estimate(text string) Estimate {
	var m meter
	m.add(e, text)
	return m.estimate(e)
}

// CharsPer4 is the rule of thumb of four characters a token: code points
// divided by four, rounded down, so that thirty characters are seven tokens.
// Bytes that are no UTF-8 count one each.
func CharsPer4(text string) int { return utf8.RuneCountInString(text) / 4 }

// meter gathers several texts before the bounds are drawn, so that the errors
// of many short texts may cancel out.
type meter struct {
	sums  runs.Sums
	bytes int
	chars int
}

func (m *meter) add(e *Estimator, text string) {
	m.bytes += len(text)
	if e.table == nil {
		m.chars += utf8.RuneCountInString(text)
		return
	}
	e.table.Scan(text, &m.sums)
}

func (m *meter) merge(o *meter) {
	m.bytes += o.bytes
	m.chars += o.chars
	m.sums.Add(&o.sums)
}

func (m *meter) subtract(o *meter) {
	m.bytes -= o.bytes
	m.chars -= o.chars
	m.sums.Subtract(&o.sums)
}

func (m *meter) estimate(e *Estimator) Estimate {
	if e.table == nil {
		return unknownEstimate(m.chars, m.bytes)
	}
	low, likely, high := e.table.Bounds(&m.sums, m.bytes)
	return Estimate{low, likely, high}
}

// unknownEstimate bounds a text of a tokenizer nobody measured: above by one
// token a byte, below by twelve characters a token (prose, code and JSON stay
// above it in all eight measured families).
func unknownEstimate(chars, bytes int) Estimate {
	if bytes == 0 {
		return Estimate{}
	}
	return Estimate{Low: chars / 12, Likely: chars / 4, High: bytes}
}
