package patterns

import (
	"bytes"
	"unicode"
)

// A flood is one word many times in a row, or one group of up to maxPeriod
// characters of an unspaced script; only blanks and marks stand between.
const maxPeriod = 8

// tokens watches the words of a view for stretches that may be a flood. In one,
// every word has an echo: the same word stands shortly before it. Long rows of
// echoes are rare in honest text, and nothing else is looked at closely.
type tokens struct {
	count  uint32               // words and characters so far, over all views
	first  uint32               // count at the start of the view
	starts [maxPeriod + 1]int32 // where the last of them begin, by count
	seen   [256]uint32          // count at which a character of that hash was last seen
	key    uint64               // of the last word
	echoes int                  // in a row
	from   int32                // where a flood that the row belongs to may begin
	words  bool                 // the row is of words, not of characters
	done   []bool               // by flood rule: found in this view
}

func (t *tokens) begin(rules int) {
	t.count += maxPeriod + 1 // out of reach of what was seen before
	t.first = t.count
	t.echoes = 0
	t.key = 0
	t.done = append(t.done[:0], make([]bool, rules)...)
}

// word takes note of a word that begins at i; equal words have equal keys.
func (t *tokens) word(w *work, i int, key uint64) {
	echo := key == t.key && t.words
	t.key = key
	t.step(w, i, echo, true)
}

// character takes note of a character at i, whose bytes begin x.
func (t *tokens) character(w *work, i int, x uint64) {
	seen := &t.seen[x&threeBytes*spread>>56]
	echo := t.count-*seen <= maxPeriod
	*seen = t.count
	t.step(w, i, echo, false)
}

func (t *tokens) step(w *work, i int, echo, words bool) {
	if t.echoes > 0 && (!echo || words != t.words) {
		t.end(w, i)
	}
	t.words = words
	if echo {
		if t.echoes == 0 {
			t.from = t.starts[(t.count-min(maxPeriod, t.count-t.first))%uint32(len(t.starts))]
		}
		t.echoes++
	}
	t.starts[t.count%uint32(len(t.starts))] = int32(i)
	t.count++
}

// end closes a row of echoes at i, and looks at it if it is long enough.
func (t *tokens) end(w *work, i int) {
	if t.echoes > 0 && t.echoes >= w.watch-1 {
		periods := maxPeriod
		if t.words {
			periods = 1
		}
		w.watch = 0
		for k, r := range w.floods {
			if t.done[k] {
				continue
			}
			var at span
			if at, t.done[k] = flood(w.text[:i], int(t.from), r.times, periods); t.done[k] {
				w.flooded = append(w.flooded, match{mark{start: int32(at.start), end: int32(at.end)}, r.rule})
			} else if w.watch == 0 || r.times < w.watch {
				w.watch = r.times
			}
		}
	}
	t.echoes = 0
}

// span is a place in a view.
type span struct{ start, end int }

// flood returns the flood that is complete first in text, from a place on, of
// groups of up to so many words; and all of it.
func flood(text []byte, from, times, periods int) (found span, ok bool) {
	var run echo
	for period := 1; period <= periods; period++ {
		e := newEcho(text, from, period)
		start, n := 0, period
		for ; e.ahead.end > 0 && (!ok || e.ahead.end < found.end); e.advance() {
			if !e.same() {
				n = period
				continue
			}
			if n == period {
				start = e.behind.start
			}
			if n++; n >= times*period {
				found, ok, run = span{start, e.ahead.end}, true, e
				break
			}
		}
	}
	if ok {
		for run.advance(); run.ahead.end > 0 && run.same(); run.advance() {
			found.end = run.ahead.end
		}
	}
	return found, ok
}

// echo is a pair of words, so many apart.
type echo struct {
	text          []byte
	period        int
	behind, ahead word
}

type word struct {
	span
	unspaced bool // a single character
}

func newEcho(text []byte, from, period int) echo {
	e := echo{text: text, period: period, behind: nextWord(text, from)}
	e.ahead = e.behind
	for range period {
		if e.ahead.end > 0 {
			e.ahead = nextWord(text, e.ahead.end)
		}
	}
	return e
}

func (e *echo) advance() {
	e.behind = nextWord(e.text, e.behind.end)
	e.ahead = nextWord(e.text, e.ahead.end)
}

// same reports whether the word ahead repeats the one behind, as in a flood:
// it has a letter, and in groups stand only characters of unspaced scripts.
func (e *echo) same() bool {
	s := e.text[e.behind.start:e.behind.end]
	return (e.period == 1 || e.behind.unspaced && e.ahead.unspaced) &&
		bytes.Equal(s, e.text[e.ahead.start:e.ahead.end]) && bytes.ContainsFunc(s, unicode.IsLetter)
}

// nextWord returns the first word of text that begins at i or after; its end is
// 0 if there is none.
func nextWord(text []byte, i int) word {
	for i < len(text) {
		c, n := classOf(text[i:])
		if c == other {
			i += n
			continue
		}
		w := word{span{i, i + n}, c == unspaced}
		for c == spaced && w.end < len(text) {
			next, n := classOf(text[w.end:])
			if next != spaced {
				break
			}
			w.end += n
		}
		return w
	}
	return word{}
}
