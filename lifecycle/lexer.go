package lifecycle

import (
	"bytes"
	"encoding/json"
	"strings"
)

// lexer cuts JSON (RFC 8259 §2) into tokens and remembers where each began.
type lexer struct {
	data  []byte
	pos   int // behind the token read last
	start int // of the token read last
}

// token is one of them. kind is its first byte, except that a number is '0',
// true and false are 't', the end of the file is 0, and '?' is no JSON.
type token struct {
	kind byte
	text string // of a string its value, else as written
}

// String names a token as the author of the file would.
func (t token) String() string {
	switch t.kind {
	case 0:
		return "the end of the file"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '}':
		return "the end of the object"
	case ']':
		return "the end of the list"
	case '"', '0':
		return clip(t.text)
	case '?':
		return "bad JSON, " + clip(t.text)
	}
	return t.text
}

// peek returns the first byte of the next token, or 0.
func (l *lexer) peek() byte {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; c {
		case ' ', '\t', '\n', '\r':
			l.pos++
		default:
			return c
		}
	}
	return 0
}

func (l *lexer) next() token {
	c := l.peek()
	l.start = l.pos
	switch {
	case l.pos == len(l.data):
		l.start = len(bytes.TrimRight(l.data, " \t\r\n"))
		return token{}
	case strings.IndexByte("{}[],:", c) >= 0:
		l.pos++
		return token{c, string(c)}
	case c == '"':
		return l.quoted()
	}
	// A word runs to the next delimiter; encoding/json knows whether it is one.
	n := bytes.IndexAny(l.data[l.pos:], " \t\r\n{}[],:\"")
	if n < 0 {
		n = len(l.data) - l.pos
	}
	word := l.data[l.pos : l.pos+n]
	l.pos += n
	switch {
	case len(word) > maxString || !json.Valid(word):
		return token{'?', string(word[:min(n, maxString)])}
	case c == 'f':
		c = 't'
	case c == '-' || (c >= '0' && c <= '9'):
		c = '0'
	}
	return token{c, string(word)}
}

// quoted reads a string. One without escapes, as nearly all are, is taken as it
// stands; encoding/json reads the others.
func (l *lexer) quoted() token {
	plain := true
	for i := l.pos + 1; i < len(l.data); i++ {
		switch c := l.data[i]; {
		case c == '\\':
			plain = false
			i++
		case c == '"':
			raw := l.data[l.pos : i+1]
			l.pos = i + 1
			if plain {
				return token{'"', string(raw[1 : len(raw)-1])}
			}
			var s string
			if json.Unmarshal(raw, &s) != nil {
				return token{'?', string(raw[:min(len(raw), maxString)])}
			}
			return token{'"', s}
		case c < ' ':
			l.pos = i
			return token{'?', string(l.data[l.start:min(i+1, l.start+maxString)])}
		}
	}
	l.pos = len(l.data)
	l.start = l.pos
	return token{}
}
