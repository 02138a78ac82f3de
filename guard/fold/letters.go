package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// decodeSpaced joins letters that were set apart, by spaces ("i g n o r e") or by a sign
// ("i.g.n.o.r.e"), and parts words that were joined by a sign ("ignore.all.rules").
func decodeSpaced(s string, d *draft) {
	w := weaver{s: s, d: d}
	for i := 0; i < len(s) && !d.full(); {
		if s[i] <= ' ' {
			i++
			continue
		}
		end := tokenEnd(s, i)
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case i+size == end:
			if last := lettersApart(s, i); last > 0 {
				w.joinLetters(i, last)
				end = last
			}
		case end-i >= 3:
			w.token(i, end)
		}
		i = end
	}
	w.rest()
}

// hasLetterwise reports whether some word of three letters and more is set apart by a sign. It looks
// once.
func (w *weaver) hasLetterwise() bool {
	if !w.looked {
		w.looked, w.letterwise = true, hasLetterwise(w.s)
	}
	return w.letterwise
}

func hasLetterwise(s string) bool {
	for i := gapEnd(s, 0); i < len(s); i = gapEnd(s, i) {
		end := tokenEnd(s, i)
		if sign := separator(s[i:end]); sign != 0 {
			if letters, _, alternate := letterwise(s[i:end], sign); alternate && letters > 2 {
				return true
			}
		}
		i = end
	}
	return false
}

// tokenEnd is where the token at i ends.
func tokenEnd(s string, i int) int {
	for i < len(s) && s[i] > ' ' {
		i++
	}
	return i
}

func gapEnd(s string, i int) int {
	for i < len(s) && s[i] <= ' ' {
		i++
	}
	return i
}

// lettersApart is where the run of single characters at i ends; 0 if it is too short.
func lettersApart(s string, i int) int {
	letters, end, step := 0, 0, 0
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if i+size < len(s) && s[i+size] > ' ' {
			break
		}
		if unicode.IsLetter(r) {
			letters++
		}
		end = i + size
		i = gapEnd(s, end)
		if step == 0 {
			step = i - end
		}
		if i-end < step {
			break
		}
	}
	if letters < 4 {
		return 0
	}
	return end
}

// joinLetters writes the single characters of s[start:end] side by side; a gap wider than the first
// is a space between words.
func (w *weaver) joinLetters(start, end int) {
	w.upTo(start)
	step := 0
	for i := start; i < end; {
		_, size := utf8.DecodeRuneInString(w.s[i:])
		next := gapEnd(w.s, i+size)
		gap := next - i - size
		if step == 0 {
			step = gap
		}
		if i+size >= end {
			next = end
		}
		add(w.d, w.s[i:i+size], i, min(i+size+step, end))
		if gap > step && next < end {
			add(w.d, " ", i+size+step, next)
		}
		i = next
	}
	w.done = end
}

// token looks for one sign between all letters, or between three words and more.
func (w *weaver) token(start, end int) {
	sign := separator(w.s[start:end])
	if sign == 0 {
		return
	}
	letters, parted, alternate := letterwise(w.s[start:end], sign)
	switch {
	case alternate && (letters > 2 || letters == 2 && w.hasLetterwise()):
		w.strip(start, end, sign, "")
	case !alternate && parted >= 3:
		w.strip(start, end, sign, " ")
	}
}

// letterwise counts the characters of token other than sign, and the places where sign parts them,
// and says if it parts all of them.
func letterwise(token string, sign byte) (others, parted int, alternate bool) {
	alternate = true
	after := true
	for i := range len(token) {
		switch c := token[i]; {
		case c == sign:
			after = true
			continue
		case !utf8.RuneStart(c):
			continue
		}
		if others > 0 && after {
			parted++
		}
		alternate = alternate && after
		others++
		after = false
	}
	return others, parted, alternate
}

// separator is the first ASCII sign of a token that stands behind its first letter.
func separator(token string) byte {
	for i := 1; i < len(token); i++ {
		if c := token[i]; c < utf8.RuneSelf && !isWordByte(c) && c != '\'' && c != '"' && isLetterOrHigh(token[i-1]) && i+1 < len(token) {
			return c
		}
	}
	return 0
}

func isLetterOrHigh(c byte) bool { return isLetter(c) || c >= utf8.RuneSelf }

// strip writes s[start:end] with instead in place of sign; of a row of signs the first one goes.
func (w *weaver) strip(start, end int, sign byte, instead string) {
	w.upTo(start)
	after := instead != "" // a sign here parts no words: it is the text's own
	for i := start; i < end && !w.d.full(); {
		if w.s[i] == sign && !after {
			add(w.d, instead, i, i+1)
			after = true
			i++
			continue
		}
		next := strings.IndexByte(w.s[i+1:end], sign) + i + 1
		if next == i {
			next = end
		}
		w.d.copy(w.s, i, next)
		after = false
		i = next
	}
	w.done = end
}

// leastStars is how many asterisks near one another are strewn, and not signs of their own.
const leastStars = 4

// decodeSplat takes out the asterisks that were strewn into and between words: around each of them
// that stands between letters.
func decodeSplat(s string, d *draft) {
	for at := 0; ; {
		first := strewn(s, at)
		if first < 0 {
			return
		}
		end := first // of the stretch, in which one such place is near the next
		for next := first; next >= 0 && next-end < around; next = strewn(s, end) {
			end = next + 1
		}
		start := runeStart(s, max(first-around, at))
		at = runeStart(s, min(end+around, len(s)))
		if strings.Count(s[start:at], "*") >= leastStars {
			d.part(start)
			d.withoutStars(s, start, at)
		}
	}
}

// strewn is where the first asterisk at i or behind it stands between letters; -1: nowhere.
func strewn(s string, i int) int {
	for ; i < len(s); i++ {
		n := strings.IndexByte(s[i:], '*')
		if n < 0 {
			break
		}
		if i += n; 0 < i && i+1 < len(s) && isLetterOrHigh(s[i-1]) && isLetterOrHigh(s[i+1]) {
			return i
		}
	}
	return -1
}

// withoutStars appends s[i:end] but for asterisks and spaces that stood between two of them.
func (d *draft) withoutStars(s string, i, end int) {
	for i < end {
		start := i
		for i < end && s[i] != '*' {
			i++
		}
		d.copy(s, start, i)
		for i < end && s[i] == '*' {
			i++
		}
		if n := len(d.bytes); n > 0 && d.bytes[n-1] == ' ' && i < end && s[i] == ' ' {
			i++
		}
	}
}

// leet maps the digits and signs that stand for letters.
var leet = [utf8.RuneSelf]byte{
	'0': 'o', '1': 'i', '2': 'z', '3': 'e', '4': 'a', '5': 's', '6': 'g', '7': 't', '8': 'b', '9': 'g',
	'@': 'a', '$': 's', '!': 'i', '|': 'l', '+': 't',
}

// longestLeet is more than a word has: what is longer is no word but data.
const longestLeet = 24

// decodeLeet reads digits as the letters that they stand for, in words that mix the two and in the
// numbers between such words.
func decodeLeet(s string, d *draft) {
	w := weaver{s: s, d: d}
	last := false
	i := gapEnd(s, 0)
	end := tokenEnd(s, i)
	letters, digits := leetLetters(s[i:end])
	for i < len(s) && !d.full() {
		next := gapEnd(s, end)
		nextEnd := tokenEnd(s, next)
		nextLetters, nextDigits := leetLetters(s[next:nextEnd])
		if digits && (letters || last || nextLetters && nextDigits) {
			w.leet(i, end)
		}
		last = letters && digits
		i, end, letters, digits = next, nextEnd, nextLetters, nextDigits
	}
	w.rest()
}

// leetLetters reports whether token has letters, and digits that stand for some.
func leetLetters(token string) (letters, digits bool) {
	if len(token) > longestLeet {
		return false, false
	}
	for i := range len(token) {
		letters = letters || isLetter(token[i])
		digits = digits || '0' <= token[i] && token[i] <= '9' || token[i] == '@' || token[i] == '$'
	}
	return letters, digits
}

// leet writes s[start:end] with letters for digits and signs; a sign at an edge is a sign.
func (w *weaver) leet(start, end int) {
	w.upTo(start)
	first, last := start, end
	for first < end && !isWordByte(w.s[first]) && w.s[first] != '@' && w.s[first] != '$' {
		first++
	}
	for last > first && !isWordByte(w.s[last-1]) && w.s[last-1] != '@' && w.s[last-1] != '$' {
		last--
	}
	one := leetOne(w.s[first:last])
	for i := first; i < last; i++ {
		switch c := w.s[i]; {
		case c >= utf8.RuneSelf || leet[c] == 0:
			continue
		case c == '1':
			w.d.copy(w.s, start, i)
			w.d.addByte(one, i, i+1)
		default:
			w.d.copy(w.s, start, i)
			w.d.addByte(leet[c], i, i+1)
		}
		start = i + 1
	}
	w.d.copy(w.s, start, end)
	w.done = end
}

// leetOne is what 1 stands for in word: i, or l if that makes a listed word.
func leetOne(word string) byte {
	if len(word) > longestLeet || strings.IndexByte(word, '1') < 0 {
		return 'i'
	}
	var read [longestLeet]byte
	for i := range len(word) {
		switch c := word[i]; {
		case c == '1':
			read[i] = 'l'
		case c < utf8.RuneSelf && leet[c] != 0:
			read[i] = leet[c]
		default:
			read[i] = c
		}
	}
	if theLexicon().words[string(read[:len(word)])] {
		return 'l'
	}
	return 'i'
}
