package fold

import (
	"encoding/base64"
	"strings"
)

// The shortest runs that are worth a try.
const (
	leastBase64 = 16
	leastHex    = 6 // bytes
)

// alphabets says which characters base64 is made of, in both its alphabets.
var alphabets = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
		t[c] = true
	}
	return t
}()

// decodeBase64 finds runs of base64 whose decoding is text.
func decodeBase64(s string, d *draft) {
	w := weaver{s: s, d: d}
	for i := 0; i+leastBase64 <= len(s) && !d.full(); {
		// A run of leastBase64 characters covers every leastBase64-th place.
		probe := i + leastBase64 - 1
		start := probe
		for start >= i && alphabets[s[start]] {
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
		if text := base64Text(s[i:end]); text != "" {
			w.replace(text, i, padded)
		} else if slash := strings.LastIndexByte(s[i:end], '/') + 1; slash > 0 && end-i-slash >= leastBase64 {
			if text := base64Text(s[i+slash : end]); text != "" {
				w.replace(text, i+slash, padded)
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
		for i < len(s) && alphabets[s[i]] {
			i++
		}
		next := i
		if i < len(s) && s[i] == '\r' {
			next++
		}
		if i-line < 60 || next+4 > len(s) || s[next] != '\n' || !alphabets[s[next+1]] || !alphabets[s[next+2]] || !alphabets[s[next+3]] {
			return i
		}
		line, i = next+1, next+1
	}
}

// base64Text decodes a run, or returns "" if it is no text.
func base64Text(run string) string {
	clean := strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "").Replace(run)
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	// The first characters tell most runs from text, cheaply.
	var head [12]byte
	if n, err := base64.RawStdEncoding.Decode(head[:], []byte(clean[:min(16, len(clean)/4*4)])); err != nil || !startsText(head[:n]) {
		return ""
	}
	text, err := base64.RawStdEncoding.DecodeString(clean)
	if err != nil || !isText(text) {
		return ""
	}
	return string(text)
}

// startsText reports whether b can be the start of a text.
func startsText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7F || c >= 0xF8 {
			return false
		}
	}
	return true
}

// decodeHex finds bytes written as pairs of hexadecimal digits, whose decoding is text.
func decodeHex(s string, d *draft) { decodeNumbers(s, d, leastHex, hexPair) }

// decodeBinary finds bytes written as eight binary digits, whose decoding is text.
func decodeBinary(s string, d *draft) { decodeNumbers(s, d, 4, binaryByte) }

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

// decodeNumbers finds runs of at least least bytes that read reads, side by side or set apart.
func decodeNumbers(s string, d *draft, least int, read func(string) (byte, int)) {
	w := weaver{s: s, d: d}
	var run []byte
	for i := 0; i < len(s) && !d.full(); {
		if !isWordByte(s[i]) || i > 0 && isWordByte(s[i-1]) {
			i++
			continue
		}
		start, end := i, i
		run = run[:0]
		for i < len(s) {
			c, size := read(s[i:])
			if size == 0 {
				break
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
			w.replace(string(run), start, end)
		}
		for i = max(end, start+1); i < len(s) && isWordByte(s[i]) && isWordByte(s[i-1]); {
			i++
		}
	}
	w.rest()
}

// isWordByte reports whether c is an ASCII letter or digit.
func isWordByte(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' }
