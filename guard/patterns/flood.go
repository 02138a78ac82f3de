package patterns

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// A flood is one word many times in a row, or one group of up to maxPeriod
// characters of an unspaced script; only blanks and marks stand between.
const maxPeriod = 8

// tokens watches the words of a view for stretches that may be a flood. In one,
// every word has an echo: the same word stands shortly before it. Long rows of
// echoes are rare in honest text, and nothing else is looked at closely.
type tokens struct {
	count  uint32      // characters so far, over all views
	seen   [256]uint32 // count at which a character of that hash was last seen
	key    uint64      // of the last word
	words  bool        // the last was a word, not a character
	echoes int         // in a row
	row    int         // where the first of the row begins
	done   []bool      // by flood rule: found in this view
}

func (t *tokens) begin(rules int) {
	t.count += maxPeriod + 1 // out of reach of what was seen before
	t.echoes = 0
	t.key = 0
	t.done = append(t.done[:0], make([]bool, rules)...)
}

// word takes note of a word that begins at i; equal words have equal keys.
func (t *tokens) word(w *work, i int, key uint64) {
	if echo := key == t.key && t.words; echo || t.echoes > 0 {
		t.step(w, i, echo)
	}
	t.key, t.words = key, true
}

// character takes note of a character at i, whose bytes begin x.
func (t *tokens) character(w *work, i int, x uint64) {
	seen := &t.seen[x&threeBytes*spread>>56]
	if echo := t.count-*seen <= maxPeriod && !t.words; echo || t.echoes > 0 {
		t.step(w, i, echo)
	}
	*seen = t.count
	t.count++
	t.words = false
}

// step goes on with a row of echoes, or ends it.
func (t *tokens) step(w *work, i int, echo bool) {
	if !echo {
		t.end(w, i)
		return
	}
	if t.echoes == 0 {
		t.row = i
	}
	t.echoes++
}

// end closes a row of echoes at i, and looks at it if it is long enough.
func (t *tokens) end(w *work, i int) {
	if t.echoes > 0 && t.echoes >= w.watch-1 {
		periods := maxPeriod
		if t.words {
			periods = 1
		}
		from := wordsBefore(w.text, t.row, periods)
		w.watch = 0
		for k, r := range w.floods {
			if t.done[k] {
				continue
			}
			var at span
			if at, t.done[k] = flood(w.text[:i], from, r.times, periods); t.done[k] {
				w.flooded = append(w.flooded, match{mark{start: int32(at.start), end: int32(at.end)}, r.rule})
			} else if w.watch == 0 || r.times < w.watch {
				w.watch = r.times
			}
		}
	}
	t.echoes = 0
}

// wordsBefore returns where the n-th word before i begins, or the first.
func wordsBefore(text []byte, i, n int) int {
	for ; n > 0 && i > 0; n-- {
		for i > 0 && classBefore(text, i) == other {
			i--
		}
		if classBefore(text, i) == unspaced {
			_, size := utf8.DecodeLastRune(text[:i])
			i -= size
			continue
		}
		for i > 0 && classBefore(text, i) == spaced {
			_, size := utf8.DecodeLastRune(text[:i])
			i -= size
		}
	}
	return i
}

// span is a place in a view.
type span struct{ start, end int }

// flood returns the flood that is complete first in text, from a place on, of
// groups of up to so many words; and all of it.
func flood(text []byte, from, times, periods int) (found span, ok bool) {
	var recent [maxPeriod]word
	var runs [maxPeriod + 1]struct{ start, echoes int } // by period
	first, last := 1, periods
	for k, w := 0, nextWord(text, from); w.end > 0; k, w = k+1, nextWord(text, w.end) {
		for p := first; p <= min(last, k); p++ {
			behind, run := recent[(k-p)%maxPeriod], &runs[p]
			switch {
			case !w.repeats(text, behind, p):
				if ok {
					return found, true
				}
				run.echoes = 0
				continue
			case run.echoes == 0:
				run.start = behind.start
			}
			if run.echoes++; run.echoes+p >= times*p {
				found, ok = span{run.start, w.end}, true
				first, last = p, p // what remains is how far it goes
			}
		}
		recent[k%maxPeriod] = w
	}
	return found, ok
}

// word is a word of a view, or a character of a script without spaces.
type word struct {
	span
	unspaced bool
	lettered bool // it is not of digits alone
}

// repeats reports whether w is the word behind again, in groups of so many.
func (w word) repeats(text []byte, behind word, period int) bool {
	return w.lettered && (period == 1 || w.unspaced && behind.unspaced) &&
		w.end-w.start == behind.end-behind.start && bytes.Equal(text[w.start:w.end], text[behind.start:behind.end])
}

// isLetter is unicode.IsLetter, at once for kana and Han.
func isLetter(r rune) bool {
	return 0x3041 <= r && r <= 0x3096 || 0x30a1 <= r && r <= 0x30fa || 0x4e00 <= r && r <= 0x9fff || unicode.IsLetter(r)
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
		w := word{span: span{i, i + n}, unspaced: c == unspaced}
		for c == spaced && w.end < len(text) {
			if asciiWord(text[w.end]) {
				w.end++
				continue
			}
			next, n := classOf(text[w.end:])
			if next != spaced {
				break
			}
			w.end += n
		}
		w.lettered = text[i]|0x20-'a' < 26 || bytes.ContainsFunc(text[i:w.end], isLetter)
		return w
	}
	return word{}
}
