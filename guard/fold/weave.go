package fold

import (
	"unicode"
	"unicode/utf8"
)

// weaver copies a text to a draft with decoded runs in place, each with some of the text around it.
type weaver struct {
	s    string
	d    *draft
	done int // s[:done] is dealt with
	some bool

	looked, letterwise bool // for words that are set apart letter by letter; there is one
}

// upTo copies what stands before start, or as much of it as belongs to the runs.
func (w *weaver) upTo(start int) {
	switch {
	case w.some && start-w.done <= 2*context:
		w.d.copy(w.s, w.done, start)
	default:
		w.rest()
		if w.some {
			w.d.addByte('\n', start, start)
		}
		w.d.copy(w.s, runeStart(w.s, max(start-context, w.done)), start)
	}
	w.some = true
}

// replace puts text for s[start:end].
func (w *weaver) replace(text []byte, start, end int) {
	w.upTo(start)
	add(w.d, text, start, end)
	w.done = end
}

// rest copies what follows the last run.
func (w *weaver) rest() {
	if w.some {
		w.d.copy(w.s, w.done, runeStart(w.s, min(w.done+context, len(w.s))))
	}
}

// runeStart moves i back to the start of a character.
func runeStart[T string | []byte](s T, i int) int {
	for back := 0; back < utf8.UTFMax-1 && 0 < i && i < len(s) && !utf8.RuneStart(s[i]); back++ {
		i--
	}
	return i
}

// isText reports whether decoded bytes read like text: valid UTF-8, mostly letters and spaces.
func isText(b []byte) bool {
	letters, others := 0, 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			return false
		case r == ' ' || unicode.IsLetter(r):
			letters++
		case r < utf8.RuneSelf && isControl(byte(r)):
			return false
		default:
			others++
		}
		b = b[size:]
	}
	return letters >= 3 && letters >= 2*others
}
