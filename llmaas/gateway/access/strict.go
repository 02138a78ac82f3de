package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// unmarshalStrict reads one JSON value as one reader alone can read it: no unknown
// fields, no name twice or in another case, nothing after it.
func unmarshalStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("got more after the JSON value")
	}
	return checkNames(json.NewDecoder(bytes.NewReader(data)))
}

// checkNames goes through a value that is known to be valid and not too deep.
// encoding/json takes the last of two names, and names in any case.
func checkNames(d *json.Decoder) error {
	var open []map[string]bool // the names seen of each open object; nil for an array
	name := false              // a name is next
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			open = append(open, make(map[string]bool))
		case json.Delim('['):
			open = append(open, nil)
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if name {
				if err := checkField(open[len(open)-1], token); err != nil {
					return err
				}
				name = false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] != nil // after a brace, or after a value in an object
	}
}

func checkField(seen map[string]bool, token json.Token) error {
	s, _ := token.(string) // names are strings
	switch {
	case strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		return errors.New("got the name of a field that is not in small letters")
	case seen[s]:
		return errors.New("got a field twice: " + s)
	}
	seen[s] = true
	return nil
}
