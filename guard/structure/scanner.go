package structure

// kind is what the scanner met.
type kind uint8

const (
	end    kind = iota // the value is complete; the scanner stands behind it
	bad                // the byte at start cannot stand there (RFC 8259)
	deep               // more than maxDepth arrays and objects are open
	open               // { or [
	closed             // } or ]
	key                // the name of a member, with its quotes
	text               // a string that is a value, with its quotes
	scalar             // a number, true, false or null
)

// maxDepth is how many arrays and objects may be open at once. Parsers in wide
// use stop between 128 and 10,000; no honest document comes near.
const maxDepth = 512

// token is a piece of JSON: the bytes [start, end) of the text.
type token struct {
	kind       kind
	start, end int
}

// expectation is what the grammar allows next.
type expectation uint8

const (
	wantValue        expectation = iota
	wantValueOrClose             // behind [
	wantKey                      // behind a comma in an object
	wantKeyOrClose               // behind {
	wantCommaOrClose
	wantNothing
)

// scanner reads one JSON value as a stream of tokens. It needs no memory beyond
// itself and accepts exactly what RFC 8259 does, but for the depth; bytes in
// strings are taken as they come. Text behind the value is left alone.
type scanner struct {
	src     string
	pos     int
	want    expectation
	depth   int
	objects [maxDepth / 64]uint64 // bit d: the d-th open thing is an object
}

func (s *scanner) next() token {
	for {
		if s.want == wantNothing {
			return token{end, s.pos, s.pos}
		}
		s.pos = skipSpace(s.src, s.pos)
		if s.pos >= len(s.src) {
			return s.fail(s.pos)
		}
		c := s.src[s.pos]
		switch s.want {
		case wantCommaOrClose:
			if c != ',' {
				return s.close(c)
			}
			s.pos++
			s.want = wantValue
			if s.inObject() {
				s.want = wantKey
			}
		case wantKey, wantKeyOrClose:
			if c == '}' && s.want == wantKeyOrClose {
				return s.close(c)
			}
			return s.name(c)
		default:
			if c == ']' && s.want == wantValueOrClose {
				return s.close(c)
			}
			return s.value(c)
		}
	}
}

// fail stops the scanner at the byte that cannot stand where it is.
func (s *scanner) fail(at int) token {
	s.pos = at
	return token{bad, at, min(at+1, len(s.src))}
}

func (s *scanner) inObject() bool {
	d := s.depth - 1
	return s.objects[d/64]>>(d%64)&1 == 1
}

func (s *scanner) open(object bool) token {
	start := s.pos
	if s.depth == maxDepth {
		return token{deep, start, start + 1}
	}
	bit := uint64(1) << (s.depth % 64)
	s.objects[s.depth/64] &^= bit
	s.want = wantValueOrClose
	if object {
		s.objects[s.depth/64] |= bit
		s.want = wantKeyOrClose
	}
	s.depth++
	s.pos++
	return token{open, start, s.pos}
}

func (s *scanner) close(c byte) token {
	if c != '}' && c != ']' || (c == '}') != s.inObject() {
		return s.fail(s.pos)
	}
	s.pos++
	s.depth--
	s.behindValue()
	return token{closed, s.pos - 1, s.pos}
}

func (s *scanner) behindValue() {
	s.want = wantCommaOrClose
	if s.depth == 0 {
		s.want = wantNothing
	}
}

// name reads the name of a member and its colon.
func (s *scanner) name(c byte) token {
	if c != '"' {
		return s.fail(s.pos)
	}
	t := s.quoted(key)
	if t.kind == bad {
		return t
	}
	s.pos = skipSpace(s.src, s.pos)
	if s.pos >= len(s.src) || s.src[s.pos] != ':' {
		return s.fail(s.pos)
	}
	s.pos++
	s.want = wantValue
	return t
}

func (s *scanner) value(c byte) token {
	var t token
	switch {
	case c == '{' || c == '[':
		return s.open(c == '{')
	case c == '"':
		t = s.quoted(text)
	case c == '-' || isDigit(c):
		t = s.number()
	case c == 't':
		t = s.word("true")
	case c == 'f':
		t = s.word("false")
	case c == 'n':
		t = s.word("null")
	default:
		return s.fail(s.pos)
	}
	if t.kind != bad {
		s.behindValue()
	}
	return t
}

// quoted reads a string, RFC 8259 §7.
func (s *scanner) quoted(k kind) token {
	start := s.pos
	for i := start + 1; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			s.pos = i + 1
			return token{k, start, s.pos}
		case c < 0x20:
			return s.fail(i)
		case c == '\\':
			i++
			if i >= len(s.src) {
				return s.fail(i)
			}
			switch s.src[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(s.src, i+1); !ok {
					return s.fail(i)
				}
				i += 4
			default:
				return s.fail(i)
			}
		}
	}
	return s.fail(len(s.src))
}

// number reads a number, RFC 8259 §6.
func (s *scanner) number() token {
	start, i := s.pos, s.pos
	if s.src[i] == '-' {
		i++
	}
	ok := true
	if i < len(s.src) && s.src[i] == '0' {
		i++
	} else if i, ok = s.digits(i); !ok {
		return s.fail(i)
	}
	if i < len(s.src) && s.src[i] == '.' {
		if i, ok = s.digits(i + 1); !ok {
			return s.fail(i)
		}
	}
	if i < len(s.src) && s.src[i]|0x20 == 'e' {
		i++
		if i < len(s.src) && (s.src[i] == '+' || s.src[i] == '-') {
			i++
		}
		if i, ok = s.digits(i); !ok {
			return s.fail(i)
		}
	}
	s.pos = i
	return token{scalar, start, i}
}

// digits passes at least one digit from i on.
func (s *scanner) digits(i int) (int, bool) {
	start := i
	for i < len(s.src) && isDigit(s.src[i]) {
		i++
	}
	return i, i > start
}

func (s *scanner) word(w string) token {
	start := s.pos
	for i := range len(w) {
		if start+i >= len(s.src) || s.src[start+i] != w[i] {
			return s.fail(start + i)
		}
	}
	s.pos = start + len(w)
	return token{scalar, start, s.pos}
}

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// hex4 reads four hexadecimal digits at i.
func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
