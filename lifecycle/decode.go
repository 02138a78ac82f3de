package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxFile   = 4 << 20 // bytes of one table; the embedded ones are under 32 KiB
	maxString = 512     // bytes of one string: an id, a note, a name
	maxList   = 20_000  // members of one array
)

// A FileError says where a data file is wrong. Text names what was found and
// what was wanted.
type FileError struct {
	File string // the name given by the reader or the file system; "table" if none
	Line int    // from 1; 0 if the file as a whole is meant
	Path string // the member: `models[3] "cogito:32b".launched`; may be empty
	Text string
}

// Error is `lifecycle: FILE:LINE: PATH: TEXT`.
func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString("lifecycle: " + e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Path != "" {
		b.WriteString(": " + e.Path)
	}
	return b.String() + ": " + e.Text
}

// document reads one JSON file strictly: encoding/json takes a key twice,
// replaces bad UTF-8 and knows neither line nor path, so the document is walked
// token by token. The walk never descends where the caller expects a plain
// value, so nesting costs nothing.
type document struct {
	file  string
	data  []byte
	dec   *json.Decoder
	start int64 // offset of the token read last
	path  []string
}

func readDocument(r io.Reader, file string) (*document, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("lifecycle: %s: %w", file, err)
	case len(data) > maxFile:
		return nil, &FileError{File: file, Text: fmt.Sprintf("got more than %d bytes, want a table of at most 4 MiB", maxFile)}
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &FileError{File: file, Text: "got an empty file, want a JSON object"}
	}
	d := &document{file: file, data: data}
	if i := invalidUTF8(data); i >= 0 {
		return nil, d.errorAt(int64(i), "got bytes that are not UTF-8, want UTF-8")
	}
	d.dec = json.NewDecoder(bytes.NewReader(data))
	d.dec.UseNumber()
	return d, nil
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
}

func (d *document) errorAt(offset int64, format string, args ...any) error {
	offset = min(offset, int64(len(d.data)))
	return &FileError{
		File: d.file,
		Line: 1 + bytes.Count(d.data[:offset], []byte("\n")),
		Path: strings.Join(d.path, ""),
		Text: fmt.Sprintf(format, args...),
	}
}

// errorf blames the value that was read last.
func (d *document) errorf(format string, args ...any) error {
	return d.errorAt(d.start, format, args...)
}

// token reads one token; the decoder's own errors become FileErrors.
func (d *document) token(want string) (json.Token, error) {
	t, err := d.dec.Token()
	d.start = d.dec.InputOffset()
	if err == nil {
		if s, ok := t.(string); ok && len(s) > maxString {
			return nil, d.errorf("got a string of %d bytes, want at most %d", len(s), maxString)
		}
		return t, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		d.start = int64(len(bytes.TrimRight(d.data, " \t\r\n")))
		return nil, d.errorf("got the end of the file, want %s", want)
	case errors.As(err, &syntax):
		return nil, d.errorAt(max(d.start, syntax.Offset), "got bad JSON (%s), want %s", strings.TrimPrefix(syntax.Error(), "json: "), want)
	}
	return nil, d.errorf("got bad JSON (%v), want %s", err, want)
}

// describe names a token as the author of the file would.
func describe(t json.Token) string {
	switch v := t.(type) {
	case json.Delim:
		return map[json.Delim]string{'{': "an object", '[': "a list", '}': "the end of the object", ']': "the end of the list"}[v]
	case string:
		return clip(v)
	case nil:
		return "null"
	case json.Number:
		return clip(string(v))
	}
	return fmt.Sprint(t)
}

// clip quotes s for an error message and keeps a hostile one short.
func clip(s string) string {
	if len(s) > 60 {
		cut := 57
		for cut > 50 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "..."
	}
	return strconv.Quote(s)
}

func (d *document) delim(want json.Delim, name string) error {
	t, err := d.token(name)
	if err != nil {
		return err
	}
	if t != want {
		return d.errorf("got %s, want %s", describe(t), name)
	}
	return nil
}

// object reads an object; field reads the value of one key, or returns
// errUnknownKey. required keys must appear.
func (d *document) object(known []string, required int, field func(key string) error) error {
	if err := d.delim('{', "an object"); err != nil {
		return err
	}
	open := d.start
	var seen uint64 // bit i: known[i] was read; no object here has 64 keys
	for d.dec.More() {
		t, err := d.token("a key")
		if err != nil {
			return err
		}
		key, _ := t.(string)
		i := slices.Index(known, key)
		switch {
		case i < 0:
			return d.errorf("got the unknown key %s, want one of %s", clip(key), strings.Join(known, ", "))
		case seen&(1<<i) != 0:
			return d.errorf("got the key %q twice, want it once", key)
		}
		seen |= 1 << i
		d.path = append(d.path, "."+key)
		if len(d.path) == 1 {
			d.path[0] = key
		}
		if err := field(key); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	if err := d.delim('}', "a comma or the end of the object"); err != nil {
		return err
	}
	for i, key := range known[:required] {
		if seen&(1<<i) == 0 {
			return d.errorAt(open, "got no %q, want one", key)
		}
	}
	return nil
}

// list reads an array; item reads member i.
func (d *document) list(item func(i int) error) error {
	if err := d.delim('[', "a list"); err != nil {
		return err
	}
	for i := 0; d.dec.More(); i++ {
		if i == maxList {
			return d.errorf("got more than %d members, want fewer", maxList)
		}
		d.path = append(d.path, "["+strconv.Itoa(i)+"]")
		if err := item(i); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	return d.delim(']', "a comma or the end of the list")
}

// end makes sure that nothing follows the document.
func (d *document) end() error {
	t, err := d.dec.Token()
	if errors.Is(err, io.EOF) {
		return nil
	}
	d.start = d.dec.InputOffset()
	if err != nil {
		return d.errorf("got something that is no JSON after the table, want the end of the file")
	}
	return d.errorf("got %s after the table, want the end of the file", describe(t))
}

func value[T any](d *document, want string) (T, error) {
	t, err := d.token(want)
	if err != nil {
		var zero T
		return zero, err
	}
	v, ok := t.(T)
	if !ok {
		return v, d.errorf("got %s, want %s", describe(t), want)
	}
	return v, nil
}

// text reads a string that is not empty and holds no control characters, nor
// the character that encoding/json puts in place of a lone surrogate.
func (d *document) text(dst *string) error {
	s, err := value[string](d, "a string")
	if err != nil {
		return err
	}
	if s == "" || s != strings.TrimSpace(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }) {
		return d.errorf("got %s, want text without control characters and spaces around it", clip(s))
	}
	*dst = s
	return nil
}

func (d *document) date(dst *Date) error {
	s, err := value[string](d, "a date YYYY-MM-DD")
	if err != nil {
		return err
	}
	if *dst, err = ParseDate(s); err != nil {
		return d.errorf("got %s, %v", clip(s), errDate)
	}
	return nil
}

func (d *document) boolean(dst *bool) (err error) {
	*dst, err = value[bool](d, "true or false")
	return err
}

// integer reads a whole number from 1 to limit.
func (d *document) integer(dst *int, limit int) error {
	n, err := value[json.Number](d, "a whole number")
	if err != nil {
		return err
	}
	i, err := strconv.Atoi(string(n))
	if err != nil || i < 1 || i > limit {
		return d.errorf("got %s, want a whole number from 1 to %d", clip(string(n)), limit)
	}
	*dst = i
	return nil
}

// decimal reads a positive decimal that stands in a string, "0.85", in
// thousandths: a float would round it.
func (d *document) decimal(dst *int64) error {
	s, err := value[string](d, `a decimal in a string, as "0.85"`)
	if err != nil {
		return err
	}
	whole, frac, point := strings.Cut(s, ".")
	n, ok := digits(whole+(frac + "000")[:3], 0, len(whole)+3)
	if len(whole) < 1 || len(whole) > 9 || len(frac) > 3 || (point && frac == "") || !ok || n == 0 {
		return d.errorf(`got %s, want a positive decimal with at most three places, as "0.85"`, clip(s))
	}
	*dst = int64(n)
	return nil
}
