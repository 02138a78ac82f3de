package lifecycle

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
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

// document reads one JSON file strictly. encoding/json takes a key twice,
// replaces bad UTF-8 and knows neither line nor path, so the document is walked
// token by token (lexer.go). The walk never descends where the caller expects a
// plain value, so nesting costs nothing.
type document struct {
	file string
	lexer
	path []string
}

// readDocument reads a file. A reader that knows its own name, as *os.File does,
// goes by that in errors.
func readDocument(r io.Reader, file string) (*document, error) {
	if named, ok := r.(interface{ Name() string }); ok {
		file = filepath.Base(named.Name())
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("lifecycle: %s: %w", file, err)
	case len(data) > maxFile:
		return nil, &FileError{File: file, Text: fmt.Sprintf("got more than %d bytes, want a table of at most 4 MiB", maxFile)}
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &FileError{File: file, Text: "got an empty file, want a JSON object"}
	}
	d := &document{file: file, lexer: lexer{data: data}}
	if i := invalidUTF8(data); i >= 0 {
		return nil, d.errorAt(i, "got bytes that are not UTF-8, want UTF-8")
	}
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

func (d *document) errorAt(offset int, format string, args ...any) error {
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

// want reads one token and refuses another kind than the one wanted.
func (d *document) want(kind byte, name string) (token, error) {
	t := d.next()
	switch {
	case t.kind != kind:
		return t, d.errorf("got %s, want %s", t, name)
	case kind == '"' && len(t.text) > maxString:
		return t, d.errorf("got a string of %d bytes, want at most %d", len(t.text), maxString)
	}
	return t, nil
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

// members reads what stands between two brackets and commas; member i.
func (d *document) members(open, end byte, name string, member func(i int) error) error {
	if _, err := d.want(open, name); err != nil {
		return err
	}
	for i := 0; ; i++ {
		next := d.peek()
		switch {
		case next == end:
			d.next()
			return nil
		case i > 0 && next != ',':
			return d.errorf("got %s, want a comma or %s", d.next(), token{kind: end})
		case i > 0:
			d.next()
		}
		if err := member(i); err != nil {
			return err
		}
	}
}

// object reads an object; field reads the value of one key. The first required
// keys of known must appear.
func (d *document) object(known []string, required int, field func(key string) error) error {
	var seen uint64 // bit i: known[i] was read; no object here has 64 keys
	d.peek()
	open := d.pos
	err := d.members('{', '}', "an object", func(int) error {
		t, err := d.want('"', "a key")
		if err != nil {
			return err
		}
		i := slices.Index(known, t.text)
		switch {
		case i < 0:
			return d.errorf("got the unknown key %s, want one of %s", clip(t.text), strings.Join(known, ", "))
		case seen&(1<<i) != 0:
			return d.errorf("got the key %q twice, want it once", t.text)
		}
		seen |= 1 << i
		if _, err := d.want(':', "a colon"); err != nil {
			return err
		}
		if len(d.path) > 0 {
			d.path = append(d.path, ".", t.text)
		} else {
			d.path = append(d.path, "", t.text)
		}
		if err := field(t.text); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-2]
		return nil
	})
	if err != nil {
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
	return d.members('[', ']', "a list", func(i int) error {
		if i == maxList {
			return d.errorf("got more than %d members, want fewer", maxList)
		}
		d.path = append(d.path, "["+strconv.Itoa(i)+"]")
		if err := item(i); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
		return nil
	})
}

// end makes sure that nothing follows the document.
func (d *document) end() error {
	if t := d.next(); t.kind != 0 {
		return d.errorf("got %s after the table, want the end of the file", t)
	}
	return nil
}

// text reads a string that is not empty and holds no control characters, nor
// the character that encoding/json puts in place of a lone surrogate.
func (d *document) text(dst *string) error {
	t, err := d.want('"', "a string")
	if err != nil {
		return err
	}
	s := t.text
	if s == "" || s != strings.TrimSpace(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }) {
		return d.errorf("got %s, want text without control characters and spaces around it", clip(s))
	}
	*dst = s
	return nil
}

func (d *document) date(dst *Date) error {
	t, err := d.want('"', "a date YYYY-MM-DD")
	if err != nil {
		return err
	}
	if *dst, err = ParseDate(t.text); err != nil {
		return d.errorf("got %s, %v", clip(t.text), errDate)
	}
	return nil
}

func (d *document) boolean(dst *bool) error {
	t, err := d.want('t', "true or false")
	*dst = t.text == "true"
	return err
}

// integer reads a whole number from 1 to limit.
func (d *document) integer(dst *int, limit int) error {
	t, err := d.want('0', "a whole number")
	if err != nil {
		return err
	}
	i, err := strconv.Atoi(t.text)
	if err != nil || i < 1 || i > limit {
		return d.errorf("got %s, want a whole number from 1 to %d", t, limit)
	}
	*dst = i
	return nil
}

// decimal reads a positive decimal that stands in a string, "0.85", in
// thousandths: a float would round it.
func (d *document) decimal(dst *int64) error {
	t, err := d.want('"', `a decimal in a string, as "0.85"`)
	if err != nil {
		return err
	}
	whole, frac, point := strings.Cut(t.text, ".")
	n, ok := digits(whole+(frac + "000")[:3], 0, len(whole)+3)
	if len(whole) < 1 || len(whole) > 9 || len(frac) > 3 || (point && frac == "") || !ok || n == 0 {
		return d.errorf(`got %s, want a positive decimal with at most three places, as "0.85"`, t)
	}
	*dst = int64(n)
	return nil
}
