package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// validJSON refuses what is not one JSON value in UTF-8. What readers take in
// different ways (a byte order mark, UTF-16, broken UTF-8, halves of surrogate
// pairs) is refused here, so that the guard reads what a machine reads.
// encoding/json bounds the depth (10,000); a bomb of many values is refused too.
func validJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return badBody("want UTF-8")
	}
	switch {
	case !json.Valid(raw):
	case crowded(raw):
		return badBody("want at most %d names, strings and objects", maxValues)
	default:
		return nil
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return badBody("it is empty")
	}
	var value json.RawMessage
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(raw, &value), &syntax) {
		return badBody("no JSON at byte %d", syntax.Offset)
	}
	return badBody("want one JSON value")
}

// maxValues bounds the names, strings and objects of a body. Each costs memory, up
// to a hundred times its bytes, and strings a judgment; numbers are passed over.
const maxValues = 1 << 18

// crowded reports whether valid JSON has more. None has with less than three
// bytes for each, so most bodies are not looked at.
func crowded(raw []byte) bool {
	if len(raw) < 3*maxValues {
		return false
	}
	n := 0
	for w := (walker{raw: raw}); w.at < len(raw); {
		switch raw[w.at] {
		case '"':
			w.text()
			n++
			continue
		case '{':
			n++
		}
		w.at++
	}
	return n > maxValues
}

// walker goes through JSON that is known to be valid, without copying it. Each
// byte is looked at once for every level of the API's own that it lies below.
type walker struct {
	raw []byte
	at  int
}

func (w *walker) space() {
	for w.at < len(w.raw) && (w.raw[w.at] == ' ' || w.raw[w.at] == '\n' || w.raw[w.at] == '\r' || w.raw[w.at] == '\t') {
		w.at++
	}
}

// text passes a string.
func (w *walker) text() []byte {
	begin := w.at
	for w.at++; w.raw[w.at] != '"'; w.at++ {
		if w.raw[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.raw[begin:w.at]
}

// value passes any value.
func (w *walker) value() []byte {
	begin, depth := w.at, 0
	for w.at < len(w.raw) {
		switch w.raw[w.at] {
		case '"':
			w.text()
		case '{', '[':
			depth++
			w.at++
		case '}', ']':
			if depth == 0 { // the end of what a number stands in
				return w.raw[begin:w.at]
			}
			depth--
			w.at++
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return w.raw[begin:w.at]
			}
			w.at++
			continue
		default:
			w.at++
			continue
		}
		if depth == 0 {
			break
		}
	}
	return w.raw[begin:w.at]
}

// each calls f with every member of an object, its name as it is written.
func each(raw []byte, f func(name, value []byte, at span) error) error {
	w := walker{raw: raw}
	if w.space(); w.at == len(raw) || raw[w.at] != '{' {
		return badBody("want a JSON object")
	}
	for w.at++; ; w.at++ { // past the brace, then past commas
		if w.space(); raw[w.at] == '}' {
			return nil
		}
		name := w.text()
		w.space()
		w.at++ // the colon
		w.space()
		begin := w.at
		if err := f(name, w.value(), span{begin, w.at}); err != nil {
			return err
		}
		if w.space(); raw[w.at] == '}' {
			return nil
		}
	}
}

// members calls f with every member of an object and where its value stands. A
// name that stands twice is refused, and so is one of the known names in
// another case: two readers may take different ones.
func members(raw []byte, known []string, f func(name string, value []byte, at span) error) error {
	var seen names
	return each(raw, func(quoted, value []byte, at span) error {
		name, err := nameOf(quoted, known)
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return badBody("a name of an object stands twice")
		}
		return f(name, value, at)
	})
}

// nameOf reads the name of a member.
func nameOf(quoted []byte, known []string) (string, error) {
	inside := quoted[1 : len(quoted)-1]
	for _, k := range known {
		if string(inside) == k {
			return k, nil
		}
	}
	name, err := unquote(quoted)
	if err != nil {
		return "", err
	}
	for _, k := range known {
		if len(name) <= 2*len(k) && name != k && strings.EqualFold(name, k) {
			return "", badBody("the name %s is written in another case", k)
		}
	}
	return name, nil
}

// names are those of one object. Most objects have few: they need no map.
type names struct {
	few  [12]string
	n    int // of few
	many map[string]struct{}
}

// add reports whether the name is new.
func (s *names) add(name string) bool {
	if _, twice := s.many[name]; twice || slices.Contains(s.few[:s.n], name) {
		return false
	}
	switch {
	case s.n < len(s.few):
		s.few[s.n] = name
		s.n++
	case s.many == nil:
		s.many = map[string]struct{}{name: {}}
	default:
		s.many[name] = struct{}{}
	}
	return true
}

// elements calls f with every element of an array.
func elements(raw []byte, f func(value []byte) error) error {
	w := walker{raw: raw}
	if w.space(); w.at == len(raw) || raw[w.at] != '[' {
		return badBody("want a JSON array")
	}
	for w.at++; ; w.at++ { // past the bracket, then past commas
		if w.space(); raw[w.at] == ']' {
			return nil
		}
		if err := f(w.value()); err != nil {
			return err
		}
		if w.space(); raw[w.at] == ']' {
			return nil
		}
	}
}

// texts calls f with every string of a value, as eachText finds them.
func texts(raw []byte, unread map[string]bool, f func(string)) error {
	return eachText(raw, unread, func(quoted []byte) error {
		s, err := unquote(quoted)
		if err == nil {
			f(s)
		}
		return err
	})
}

// eachText calls f with every string of a value as it is written, at any depth,
// that is no name of a member and does not stand below a member that unread
// names (one whose name is written with escapes is read). It is one pass.
func eachText(raw []byte, unread map[string]bool, f func(quoted []byte) error) error {
	for w := (walker{raw: raw}); w.at < len(raw); {
		if raw[w.at] != '"' {
			w.at++
			continue
		}
		quoted := w.text()
		if w.space(); w.at == len(raw) || raw[w.at] != ':' {
			if err := f(quoted); err != nil {
				return err
			}
			continue
		}
		if w.at++; unread[string(quoted[1:len(quoted)-1])] {
			w.space()
			w.value()
		}
	}
	return nil
}

// unquote reads a JSON string. Half of a surrogate pair is refused: readers make
// different things of it.
func unquote(value []byte) (string, error) {
	if len(value) < 2 || value[0] != '"' {
		return "", badBody("want a string")
	}
	inside := value[1 : len(value)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return string(inside), nil
	}
	plain, rest, whole := unescape(make([]byte, 0, len(inside)), inside)
	if !whole || len(rest) > 0 {
		return "", badBody("a string holds half of a surrogate pair")
	}
	return string(plain), nil
}

// optional reads a string that may be null or missing.
func optional(value []byte) (string, error) {
	if len(value) == 0 || string(value) == "null" {
		return "", nil
	}
	return unquote(value)
}
