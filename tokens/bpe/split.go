package bpe

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// Classes of runes as the patterns tell them apart.
const (
	symbol  = 1 << iota // none of the others
	space               // \s but for newline
	newline             // \r \n
	number              // \p{N}
	upper               // \p{Lu} \p{Lt}
	lower               // \p{Ll}
	letter              // \p{Lm} \p{Lo}: counts as upper and as lower
	mark                // \p{M}: the same in o200k, a symbol in the others

	anyLetter = upper | lower | letter
)

// classTable classes the Basic Multilingual Plane; it is built with the first
// Encoding.
var classTable = sync.OnceValue(func() *[1 << 16]uint8 {
	t := new([1 << 16]uint8)
	for r := range t {
		t[r] = classOf(rune(r))
	}
	return t
})

func classOf(r rune) uint8 {
	switch {
	case r == '\r' || r == '\n':
		return newline
	case unicode.IsSpace(r):
		return space
	case unicode.Is(unicode.N, r):
		return number
	case unicode.Is(unicode.Lu, r) || unicode.Is(unicode.Lt, r):
		return upper
	case unicode.Is(unicode.Ll, r):
		return lower
	case unicode.Is(unicode.L, r):
		return letter
	case unicode.Is(unicode.M, r):
		return mark
	}
	return symbol
}

// at returns the class and width of the rune at i; 0, 0 at the end.
func (y *style) at(s string, i int) (class uint8, width int) {
	if i >= len(s) {
		return 0, 0
	}
	if c := s[i]; c < utf8.RuneSelf {
		return y.classes[c], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if int(r) < len(y.classes) {
		return y.classes[r], n
	}
	return classOf(r), n
}

// run returns the end of the run of the given classes at i.
func (y *style) run(s string, i int, classes uint8) int {
	for {
		c, n := y.at(s, i)
		if c&classes == 0 {
			return i
		}
		i += n
	}
}

// style is what tells the hand-written patterns apart.
type style struct {
	digits int  // the most digits in a piece
	cased  bool // o200k: words end where lower case turns to upper; marks are letters

	classes *[1 << 16]uint8
}

func (y *style) split(text string, yield func(string)) error {
	for i := 0; i < len(text); {
		end := y.next(text, i)
		yield(text[i:end])
		i = end
	}
	return nil
}

// next returns the end of the piece at i, trying the pattern's alternatives in
// its order.
func (y *style) next(s string, i int) int {
	c, n := y.at(s, i)
	if !y.cased && s[i] == '\'' {
		if end := contraction(s, i); end > i {
			return end
		}
	}
	if end := y.word(s, i, c, n); end > i {
		return end
	}
	if c == number {
		end := i + n
		for range y.digits - 1 {
			c, n := y.at(s, end)
			if c != number {
				break
			}
			end += n
		}
		return end
	}
	if end := y.symbols(s, i); end > i {
		return end
	}
	return y.blanks(s, i)
}

// word matches the alternatives with letters: at most one mark or blank before.
func (y *style) word(s string, i int, c uint8, n int) int {
	if !y.cased {
		if c&(anyLetter|number|newline) == 0 {
			i += n
		}
		if end := y.run(s, i, anyLetter); end > i {
			return end
		}
		return 0
	}
	joined := c&(anyLetter|number|newline) == 0
	if joined {
		if end := y.lowerWord(s, i+n); end > 0 {
			return suffix(s, end)
		}
	}
	if end := y.lowerWord(s, i); end > 0 {
		return suffix(s, end)
	}
	if joined {
		if end := y.upperWord(s, i+n); end > 0 {
			return suffix(s, end)
		}
	}
	if end := y.upperWord(s, i); end > 0 {
		return suffix(s, end)
	}
	return 0
}

// lowerWord is [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at i,
// or 0. The first part is greedy and gives back only what the second needs.
func (y *style) lowerWord(s string, i int) int {
	end, both := i, 0 // both: behind the last rune that either part takes
	for {
		c, n := y.at(s, end)
		if c&(upper|letter|mark) == 0 {
			break
		}
		end += n
		if c&upper == 0 {
			both = end
		}
	}
	if last := y.run(s, end, lower|letter|mark); last > end {
		return last
	}
	return both
}

// upperWord is [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]* at i,
// or 0.
func (y *style) upperWord(s string, i int) int {
	if end := y.run(s, i, upper|letter|mark); end > i {
		return y.run(s, end, lower|letter|mark)
	}
	return 0
}

func suffix(s string, i int) int { return max(i, contraction(s, i)) }

// contraction is (?i:'s|'t|'re|'ve|'m|'ll|'d) at i, or i.
func contraction(s string, i int) int {
	if i+1 >= len(s) || s[i] != '\'' {
		return i
	}
	switch s[i+1] | 0x20 {
	case 's', 't', 'm', 'd':
		return i + 2
	case 'r', 'v':
		if i+2 < len(s) && s[i+2]|0x20 == 'e' {
			return i + 3
		}
	case 'l':
		if i+2 < len(s) && s[i+2]|0x20 == 'l' {
			return i + 3
		}
	}
	return i
}

// symbols is " ?[^\s\p{L}\p{N}]+" and the newlines behind it, or i. o200k takes
// slashes among those newlines.
func (y *style) symbols(s string, i int) int {
	start := i
	if s[i] == ' ' {
		start++
	}
	end := y.run(s, start, symbol|mark)
	if end == start {
		return i
	}
	for end < len(s) && (s[end] == '\r' || s[end] == '\n' || y.cased && s[end] == '/') {
		end++
	}
	return end
}

// blanks is \s*[\r\n]+|\s+(?!\S)|\s+: up to the last newline, else all but the
// last blank, which belongs to what follows.
func (y *style) blanks(s string, i int) int {
	lines, last, end := 0, i, i
	for {
		c, n := y.at(s, end)
		if c&(space|newline) == 0 {
			break
		}
		last = end
		if end += n; c == newline {
			lines = end
		}
	}
	switch {
	case lines > 0:
		return lines
	case end == len(s) || last == i:
		return end
	}
	return last
}
