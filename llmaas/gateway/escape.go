package gateway

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// half stands for half of a surrogate pair, of which readers make different
// things.
const half = -1

// escaped reads the escape that s begins with (RFC 8259 §7). size is 0 when s ends
// before it does. A backslash that begins none stands for itself.
func escaped(s []byte) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unicodeEscape(s)
	}
	return '\\', 1
}

// unicodeEscape reads \u and four digits, or two of these that make one character.
func unicodeEscape(s []byte) (r rune, size int) {
	r, n := hex4(s[2:])
	switch {
	case n == 0:
		return 0, 0
	case n < 0:
		return '\\', 1
	case !utf16.IsSurrogate(r):
		return r, 6
	case r >= 0xDC00 || len(s) > 6 && s[6] != '\\' || len(s) > 7 && s[7] != 'u':
		return half, 6
	case len(s) < 8:
		return 0, 0
	}
	low, n := hex4(s[8:])
	if n == 0 {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return half, 6
	}
	return r, 12
}

// hex4 reads four hexadecimal digits. n is 0 when s ends before, and -1 when it
// has others.
func hex4(s []byte) (r rune, n int) {
	for n < 4 {
		if n == len(s) {
			return 0, 0
		}
		c := rune(s[n])
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, -1
		}
		r = r<<4 | c
		n++
	}
	return r, n
}

// unescape appends to b what s, the inside of a JSON string, stands for, half of a
// surrogate pair as U+FFFD. It says whether there was none, and returns what is
// left when s ends in an escape: fewer than 12 bytes.
func unescape(b, s []byte) (plain, rest []byte, whole bool) {
	whole = true
	for len(s) > 0 {
		n := bytes.IndexByte(s, '\\')
		if n < 0 {
			return append(b, s...), nil, whole
		}
		b, s = append(b, s[:n]...), s[n:]
		r, size := escaped(s)
		if size == 0 {
			break
		}
		whole = whole && r != half
		b, s = utf8.AppendRune(b, r), s[size:]
	}
	return b, s, whole
}
