package fold

import (
	"slices"
	"strings"
)

// The shortest runs that are worth a try.
const (
	leastBase64 = 16
	leastHex    = 6 // bytes, of decimal numbers too
)

// sextets are the values of the base64 characters in both alphabets (RFC 4648 §4, §5), plus one.
var sextets = func() (t [256]byte) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i) + 1
	}
	t['-'], t['_'] = t['+'], t['/']
	return t
}()

// decodeBase64 finds runs of base64 whose decoding is text.
func decodeBase64(s string, d *draft) {
	w := weaver{s: s, d: d}
	for i := 0; i+leastBase64 <= len(s) && !d.full(); {
		// A run of leastBase64 characters covers every leastBase64-th place.
		probe := i + leastBase64 - 1
		start := probe
		for start >= i && sextets[s[start]] != 0 {
			start--
		}
		if start >= i {
			i = start + 1
			continue
		}
		end := base64End(s, probe+1)
		padded := end
		for padded < len(s) && padded < end+2 && s[padded] == '=' {
			padded++
		}
		if !w.base64(i, end, padded) {
			if slash := strings.LastIndexByte(s[i:end], '/') + 1; slash > 0 && end-i-slash >= leastBase64 {
				w.base64(i+slash, end, padded)
			}
		}
		i = padded
	}
	w.rest()
}

// base64End is where the run ends that goes on at i, across line ends if the lines are full ones
// (RFC 2045 §6.8).
func base64End(s string, i int) int {
	for line := i - leastBase64; ; {
		for i < len(s) && sextets[s[i]] != 0 {
			i++
		}
		next := i
		if i < len(s) && s[i] == '\r' {
			next++
		}
		if i-line < 60 || next+4 > len(s) || s[next] != '\n' ||
			sextets[s[next+1]] == 0 || sextets[s[next+2]] == 0 || sextets[s[next+3]] == 0 {
			return i
		}
		line, i = next+1, next+1
	}
}

// base64 decodes s[start:end] in place of s[start:padded], if it is text.
func (w *weaver) base64(start, end, padded int) bool {
	text, bits, n := w.d.scratch[:0], uint32(0), 0
	for i := start; i < end; i++ {
		value := sextets[w.s[i]]
		if value == 0 {
			continue // a line end
		}
		bits = bits<<6 | uint32(value-1)
		if n += 6; n >= 8 {
			n -= 8
			c := byte(bits >> n)
			if isControl(c) || c >= 0xF8 {
				w.d.scratch = text
				return false // most runs that are no text end here, after a few bytes
			}
			if len(text) == cap(text) {
				text = slices.Grow(text, more(len(text), (end-start)/4*3))
			}
			text = append(text, c)
		}
	}
	w.d.scratch = text
	if !isText(text) {
		return false
	}
	w.replace(text, start, padded)
	return true
}

// isControl reports whether c is a control that no text has.
func isControl(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7F }

// decodeHex finds bytes written as pairs of hexadecimal digits, whose decoding is text.
func decodeHex(s string, d *draft) { decodeNumbers(s, d, leastHex, hexWord, hexPair) }

// decodeDecimal finds ASCII codes written as decimal numbers, whose decoding is text.
func decodeDecimal(s string, d *draft) { decodeNumbers(s, d, leastHex, decimalWord, decimalByte) }

// decodeBinary finds bytes written as eight binary digits, whose decoding is text.
func decodeBinary(s string, d *draft) { decodeNumbers(s, d, 4, binaryWord, binaryByte) }

// hexPair reads a byte as two hexadecimal digits, with or without 0x or \x before it.
func hexPair(s string) (byte, int) {
	at := 0
	if len(s) > 2 && (s[0] == '0' || s[0] == '\\') && s[1]|0x20 == 'x' {
		at = 2
	}
	n, size := hexNumber(s[at:], 2, 2)
	if size == 0 {
		return 0, 0
	}
	return byte(n), at + size
}

// binaryByte reads a byte as eight binary digits.
func binaryByte(s string) (c byte, size int) {
	if len(s) < 8 {
		return 0, 0
	}
	for _, digit := range []byte(s[:8]) {
		if digit&^1 != '0' {
			return 0, 0
		}
		c = c<<1 | digit&1
	}
	return c, 8
}

// decimalByte reads an ASCII code of two or three digits.
func decimalByte(s string) (byte, int) {
	n, size := 0, 0
	for size < len(s) && size < 4 && '0' <= s[size] && s[size] <= '9' {
		n = n*10 + int(s[size]-'0')
		size++
	}
	if size < 2 || n < '\n' || n > '~' {
		return 0, 0
	}
	return byte(n), size
}

// The kinds of word bytes: what a number may begin with.
const (
	anyWord = 1 << iota
	hexWord
	decimalWord
	binaryWord
)

// wordBytes says of what kinds each byte is; 0: it is of no word.
var wordBytes = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		if isWordByte(c) {
			t[i] = anyWord
		}
		if _, ok := hexDigit(c); ok {
			t[i] |= hexWord
		}
		if '0' <= c && c <= '9' {
			t[i] |= decimalWord
		}
		if c == '0' || c == '1' {
			t[i] |= binaryWord
		}
	}
	return t
}()

// decodeNumbers finds runs of at least least bytes that read reads, side by side or set apart; kind
// is what the first of them begins with.
func decodeNumbers(s string, d *draft, least int, kind uint8, read func(string) (byte, int)) {
	w := weaver{s: s, d: d}
	run := d.scratch[:0]
	for i := 0; i < len(s) && !d.full(); {
		switch is := wordBytes[s[i]]; {
		case is == 0:
			i++
			continue
		case is&kind == 0:
			i = wordEnd(s, i)
			continue
		}
		start, end := i, i
		run = run[:0]
		for i < len(s) {
			c, size := read(s[i:])
			if size == 0 {
				break
			}
			if len(run) == cap(run) {
				run = slices.Grow(run, more(len(run), (len(s)-start)/size))
			}
			run = append(run, c)
			i += size
			end = i
			for gap := 0; gap < 2 && i < len(s) && strings.IndexByte(" ,:;-\n\r\t", s[i]) >= 0; gap++ {
				i++
			}
		}
		whole := end == len(s) || !isWordByte(s[end])
		if len(run) >= least && whole && isText(run) {
			w.replace(run, start, end)
		}
		d.scratch = run
		if i = max(end, start+1); isWordByte(s[i-1]) {
			i = wordEnd(s, i)
		}
	}
	w.rest()
}

// wordEnd is where the word ends that goes on at i.
func wordEnd(s string, i int) int {
	for i < len(s) && wordBytes[s[i]] != 0 {
		i++
	}
	return i
}

// isWordByte reports whether c is an ASCII letter or digit.
func isWordByte(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' }
