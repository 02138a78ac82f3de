// Package fold reads text as an attacker meant it.
package fold

import (
	"iter"
	"sort"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Span is a half-open range [Start, End) of bytes.
type Span struct {
	Start, End int
}

// View is one reading of a prompt, with a map back to the bytes it was read from.
type View struct {
	Name string // "folded" for the main view; else what was undone: "base64", "spaced", …
	Text []byte // the folded text; owned by the Text it came from

	from []point
	end  int
}

// point says that the view's bytes from at on stem from the source's bytes from src on.
type point struct{ at, src int }

// Span maps the bytes [start, end) of v.Text to the bytes of the source that they were read from.
func (v *View) Span(start, end int) Span {
	i := sort.Search(len(v.from), func(i int) bool { return v.from[i].at > start }) - 1
	j := sort.Search(len(v.from), func(i int) bool { return v.from[i].at >= end })
	s := Span{0, v.end}
	if i >= 0 {
		s.Start = v.from[i].src
	}
	if j < len(v.from) {
		s.End = v.from[j].src
	}
	return s
}

// Text is a prompt and its views. The zero value is ready; Reset reuses its memory.
// It is not safe for concurrent use.
type Text struct {
	source string
	main   View
}

// Reset folds source, forgetting what t held before.
func (t *Text) Reset(source string) {
	t.source = source
	t.main = View{Name: "folded", Text: t.main.Text[:0], from: t.main.from[:0], end: len(source)}
	var it norm.Iter
	it.InitString(norm.NFKC, source)
	for !it.Done() {
		t.main.from = append(t.main.from, point{len(t.main.Text), it.Pos()})
		t.main.Text = append(t.main.Text, strings.ToLower(string(it.Next()))...)
	}
}

// Source returns the prompt as it came.
func (t *Text) Source() string { return t.source }

// Main returns the folded view of the whole prompt.
func (t *Text) Main() *View { return &t.main }

// Decoded yields the further views, each made only when a cheap test says that it may matter.
func (t *Text) Decoded() iter.Seq[*View] {
	return func(func(*View) bool) {}
}
