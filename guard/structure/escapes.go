package structure

import (
	"strings"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/fold"
)

// maxEscape is the length of the longest escape that is read, "&#x0010ffff;".
const maxEscape = 12

// escapes looks for words in which an escape spells the letter that passes for
// a Latin one: what the model reads as "system" is no such word to a filter.
func (w *walker) escapes() {
	for _, opener := range []byte{'\\', '&'} {
		w.done = 0
		for at := 0; ; at = max(w.done, at+1) {
			i := strings.IndexByte(w.src[at:], opener)
			if i < 0 {
				break
			}
			at += i
			if r, _ := escape(w.src[at:]); w.classes.of(r) == twin {
				w.escapedWord(at)
			}
		}
	}
}

// escapedWord judges the word around the escape at i. Findings name the view in
// which the word stands without escapes.
func (w *walker) escapedWord(i int) {
	start := i
	for start > w.done && isWordByte(w.src[start-1]) {
		start--
	}
	if start < i && start > 0 && w.src[start-1] == '\\' {
		start++ // the n of \n is no letter of the word
	}
	d := word{start: start, hiddenStart: -1}
	for i = start; i < len(w.src); {
		if isWordByte(w.src[i]) {
			d.ascii(w.src[i], i)
			i++
			continue
		}
		r, size := escape(w.src[i:])
		if size == 0 {
			r, size = utf8.DecodeRuneInString(w.src[i:])
		}
		if c := w.classes.of(r); c == latin || c == twin || c == foreign || c == mark {
			d.wide(r, c, i)
		} else {
			break
		}
		i += size
	}
	d.end, w.done = i, i
	w.judgeScripts(&d, fold.Escapes)
}

// escape reads the character that s begins with as \u0443, \u{443}, &#1091; or
// &#x443;. A size of 0 means none, or one of ASCII.
func escape(s string) (r rune, size int) {
	switch {
	case len(s) < 6:
	case strings.HasPrefix(s, `\u{`):
		r, size = number(s, 3, 16, '}')
	case strings.HasPrefix(s, `\u`):
		if r, ok := hex4(s, 2); ok && r >= utf8.RuneSelf {
			return r, 6
		}
	case strings.HasPrefix(s, "&#x"), strings.HasPrefix(s, "&#X"):
		r, size = number(s, 3, 16, ';')
	case strings.HasPrefix(s, "&#"):
		r, size = number(s, 2, 10, ';')
	}
	if r < utf8.RuneSelf {
		return 0, 0
	}
	return r, size
}

// number reads digits from s[i:] up to the closing byte.
func number(s string, i int, base rune, closer byte) (r rune, size int) {
	for ; i < len(s) && i < maxEscape && r <= utf8.MaxRune; i++ {
		c := s[i]
		switch {
		case c == closer:
			return r, i + 1
		case isDigit(c):
			r = r*base + rune(c-'0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r*base + rune(c|0x20-'a'+10)
		default:
			return 0, 0
		}
	}
	return 0, 0
}
