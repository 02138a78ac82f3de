package limit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxData bounds a table in bytes: the embedded one has under 2 KB.
const maxData = 1 << 20

// decodeStrict reads one JSON value into v. It refuses unknown fields, anything
// after the value, more than maxData bytes, and a key written twice, of which
// encoding/json would silently take the last: with limits, maybe a larger one.
func decodeStrict(r io.Reader, v any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxData+1))
	if err != nil {
		return err
	}
	if len(data) > maxData {
		return fmt.Errorf("got more than %d bytes", maxData)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("got more after the JSON value, want one value")
	}
	return keysOnce(json.NewDecoder(bytes.NewReader(data)))
}

// keysOnce reads one value that is known to be valid and reports the first key
// that an object in it has twice. Like encoding/json it takes "ID" for "id". Its
// depth is bounded by encoding/json, which has decoded the value already.
func keysOnce(d *json.Decoder) error {
	token, err := d.Token()
	open, ok := token.(json.Delim)
	if err != nil || !ok {
		return err
	}
	seen := make(map[string]bool)
	for d.More() {
		if open == '{' {
			token, _ := d.Token() // a string: the value is valid
			key, _ := token.(string)
			folded := strings.ToLower(strings.ToUpper(key)) // ſ is an s there
			if seen[folded] {
				return fmt.Errorf("got the key %.40q twice in one object", key)
			}
			seen[folded] = true
		}
		if err := keysOnce(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
