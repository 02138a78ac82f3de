package main

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard"
)

// writeJSON writes the report with the id in front.
func writeJSON(w *bufio.Writer, p prompt, r guard.Report) error {
	report, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	w.WriteString(`{"id":`)
	w.Write(p.id)
	w.WriteByte(',')
	w.Write(report[1:])
	return w.WriteByte('\n')
}

// writeText shows what was found, under the place where it was found. Of a prompt
// without findings it says nothing.
func writeText(w *bufio.Writer, p prompt, r guard.Report) error {
	if len(r.Findings) == 0 {
		return nil
	}
	fmt.Fprintf(w, "%s  %s  score %d\n", visible(string(p.id)), r.Action, r.Score)
	for _, f := range r.Findings {
		before, piece, after := excerpt(p.text, f.Span)
		fmt.Fprintf(w, "  %s (%s)  bytes %d-%d, seen in %s: %s\n", f.Rule, f.Severity, f.Span.Start, f.Span.End, f.View, f.Why)
		fmt.Fprintf(w, "    %s%s%s\n", before, piece, after)
		fmt.Fprintf(w, "    %s%s\n", strings.Repeat(" ", width(before)), strings.Repeat("^", max(1, width(piece))))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(w, "  and %d more of the same rules\n", r.Omitted)
	}
	return nil
}

const (
	contextRunes = 30 // shown on each side of a finding
	pieceRunes   = 60 // shown of a finding
)

// excerpt cuts a finding and what stands around it out of a text, fit for one
// line of a terminal.
func excerpt(text string, s guard.Span) (before, piece, after string) {
	start := s.Start
	for n := 0; n < contextRunes && start > 0; n++ {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	end := s.End
	for n := 0; n < contextRunes && end < len(text); n++ {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	before, after = visible(text[start:s.Start]), visible(text[s.End:end])
	if start > 0 {
		before = "…" + before
	}
	if end < len(text) {
		after += "…"
	}
	return before, shorten(visible(text[s.Start:s.End])), after
}

// shorten leaves out the middle of a long piece.
func shorten(s string) string {
	runes := []rune(s)
	if len(runes) <= pieceRunes {
		return s
	}
	return string(runes[:pieceRunes/2]) + "…" + string(runes[len(runes)-pieceRunes/2:])
}

// visible writes what a terminal would hide or obey as Go escapes.
func visible(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// width is about how many columns a terminal gives s: none to marks, two to
// Chinese, Japanese, Korean and most emoji.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul),
			0x3000 <= r && r <= 0x303e, 0xff01 <= r && r <= 0xff60, 0x1f300 <= r && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

// counts is what -summary writes.
type counts struct {
	prompts int
	actions map[guard.Action]int
	rules   map[string]map[guard.Action]int
}

func newCounts() *counts {
	return &counts{actions: map[guard.Action]int{}, rules: map[string]map[guard.Action]int{}}
}

func (c *counts) add(_ *bufio.Writer, _ prompt, r guard.Report) error {
	c.prompts++
	c.actions[r.Action]++
	for _, rule := range r.Rules() {
		if c.rules[rule] == nil {
			c.rules[rule] = map[guard.Action]int{}
		}
		c.rules[rule][r.Action]++
	}
	return nil
}

// write prints the actions, then the rules, those that fired most first.
func (c *counts) write(w *bufio.Writer) {
	const row = "%-36s %9s %9s %9s %9s\n"
	fmt.Fprintf(w, row, "prompts", "all", "allow", "flag", "block")
	line := func(name string, of map[guard.Action]int) {
		fmt.Fprintf(w, strings.ReplaceAll(row, "%9s", "%9d"), name,
			of[guard.Allow]+of[guard.Flag]+of[guard.Block], of[guard.Allow], of[guard.Flag], of[guard.Block])
	}
	line("", c.actions)
	sum := func(rule string) (n int) {
		for _, k := range c.rules[rule] {
			n += k
		}
		return n
	}
	for _, rule := range slices.SortedFunc(maps.Keys(c.rules), func(a, b string) int {
		return cmp.Or(cmp.Compare(sum(b), sum(a)), cmp.Compare(a, b))
	}) {
		line(rule, c.rules[rule])
	}
}
