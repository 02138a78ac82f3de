package fold

import (
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeEscapes undoes the escapes of C, JSON, Python, JavaScript and Rust.
func decodeEscapes(s string, d *draft) { decodeSigns(s, d, '\\', escape) }

// decodePercent undoes percent-encoding (RFC 3986 §2.1), and the %uXXXX of old scripts.
func decodePercent(s string, d *draft) { decodeSigns(s, d, '%', percent) }

// decodeEntities undoes HTML character references, numeric ones also without their semicolon.
func decodeEntities(s string, d *draft) { decodeSigns(s, d, '&', entity) }

// decodeSigns replaces what read reads wherever sign stands. It gets the text from the sign on, and
// appends what that stands for; size 0: for nothing.
func decodeSigns(s string, d *draft, sign byte, read func(dst []byte, s string) (text []byte, size int)) {
	w := weaver{s: s, d: d}
	for i := 0; i < len(s) && !d.full(); {
		if s[i] != sign {
			n := strings.IndexByte(s[i:], sign)
			if n < 0 {
				break
			}
			i += n
		}
		text, size := read(d.scratch[:0], s[i:])
		d.scratch = text
		if size > 0 {
			w.replace(text, i, i+size)
		}
		i += max(size, 1)
	}
	w.rest()
}

// escape reads a backslash and what it escapes.
func escape(dst []byte, s string) (text []byte, size int) {
	if len(s) < 2 {
		return dst, 0
	}
	switch s[1] {
	case 'n', 'r':
		return append(dst, '\n'), 2
	case 't':
		return append(dst, ' '), 2
	case '"', '\\', '/', '\'':
		return append(dst, s[1]), 2
	case 'u', 'U':
		return unicodeEscape(dst, s)
	case 'x':
		if n, size := hexNumber(s[2:], 2, 2); size > 0 {
			return append(dst, byte(n)), 2 + size // a byte of UTF-8, maybe
		}
		return braced(dst, s)
	}
	if '0' <= s[1] && s[1] <= '3' && len(s) >= 4 && isOctal(s[2]) && isOctal(s[3]) {
		return append(dst, (s[1]-'0')<<6|(s[2]-'0')<<3|s[3]-'0'), 4
	}
	return dst, 0
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// unicodeEscape reads \uXXXX, a surrogate pair of them, \UXXXXXXXX or \u{X…}.
func unicodeEscape(dst []byte, s string) ([]byte, int) {
	if s[1] == 'U' {
		if n, size := hexNumber(s[2:], 8, 8); size > 0 {
			return utf8.AppendRune(dst, rune(n)), 2 + size
		}
	}
	n, size := hexNumber(s[2:], 4, 4)
	if size == 0 {
		return braced(dst, s)
	}
	if utf16.IsSurrogate(rune(n)) && len(s) >= 12 && s[6] == '\\' && s[7]|0x20 == 'u' {
		if low, size := hexNumber(s[8:], 4, 4); size > 0 {
			if r := utf16.DecodeRune(rune(n), rune(low)); r != utf8.RuneError {
				return utf8.AppendRune(dst, r), 12
			}
		}
	}
	return utf8.AppendRune(dst, rune(n)), 6
}

// braced reads \u{X…} and \x{X…}.
func braced(dst []byte, s string) ([]byte, int) {
	if len(s) < 5 || s[2] != '{' {
		return dst, 0
	}
	n, size := hexNumber(s[3:], 1, 6)
	if size == 0 || len(s) <= 3+size || s[3+size] != '}' {
		return dst, 0
	}
	return utf8.AppendRune(dst, rune(n)), 4 + size
}

// hexNumber reads least to most hexadecimal digits at the start of s; size 0: there are fewer.
func hexNumber(s string, least, most int) (n uint32, size int) {
	for size < len(s) && size < most {
		digit, ok := hexDigit(s[size])
		if !ok {
			break
		}
		n = n<<4 | uint32(digit)
		size++
	}
	if size < least {
		return 0, 0
	}
	return n, size
}

// hexDigits are the values of the hexadecimal digits, plus one.
var hexDigits = func() (t [256]byte) {
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i) + 1
	}
	copy(t['A':'G'], t['a':'g'])
	return t
}()

func hexDigit(c byte) (byte, bool) { return hexDigits[c] - 1, hexDigits[c] != 0 }

// percent reads %XX or %uXXXX.
func percent(dst []byte, s string) ([]byte, int) {
	if n, size := hexNumber(s[1:], 2, 2); size > 0 {
		return append(dst, byte(n)), 3
	}
	if len(s) > 1 && s[1] == 'u' {
		if n, size := hexNumber(s[2:], 4, 4); size > 0 {
			return utf8.AppendRune(dst, rune(n)), 6
		}
	}
	return dst, 0
}

// longestEntity is more than any name of an HTML character reference takes.
const longestEntity = 34

// entity reads &#NN; &#xXX; or &name;.
func entity(dst []byte, s string) ([]byte, int) {
	if len(s) < 3 {
		return dst, 0
	}
	if s[1] == '#' {
		return numericEntity(dst, s)
	}
	if !isLetter(s[1]) {
		return dst, 0
	}
	for i := 2; i < len(s) && i < longestEntity; i++ {
		switch c := s[i]; {
		case c == ';':
			text := html.UnescapeString(s[:i+1])
			if text == s[:i+1] {
				return dst, 0
			}
			return append(dst, text...), i + 1
		case !isWordByte(c):
			return dst, 0
		}
	}
	return dst, 0
}

func numericEntity(dst []byte, s string) ([]byte, int) {
	var n uint32
	i := 2
	if s[2]|0x20 == 'x' {
		digits := 0
		n, digits = hexNumber(s[3:], 1, 6)
		if digits == 0 {
			return dst, 0
		}
		i = 3 + digits
	} else {
		for ; i < len(s) && i < 16 && '0' <= s[i] && s[i] <= '9'; i++ {
			n = min(n*10+uint32(s[i]-'0'), utf8.MaxRune+1)
		}
		if i == 2 {
			return dst, 0
		}
	}
	if i < len(s) && s[i] == ';' {
		i++
	}
	return utf8.AppendRune(dst, rune(n)), i
}
