package cost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxData bounds a table in bytes: the embedded ones have under 20 KB.
const maxData = 4 << 20

// decodeStrict reads one JSON value into v. It refuses unknown fields, anything
// after the value, a key written twice (encoding/json silently takes the last:
// with prices that is a wrong bill) and more than limit bytes.
func decodeStrict(r io.Reader, limit int64, v any) error {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return err
	}
	if int64(len(data)) > limit {
		return fmt.Errorf("got more than %d bytes", limit)
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
				return fmt.Errorf("got the key %s twice in one object", quote(key))
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

// parseStart reads when something takes effect: a date, which begins at 00:00
// UTC, or an RFC 3339 instant.
func parseStart(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("got %s, want a date like 2026-05-17 or an RFC 3339 time", quote(s))
	}
	return t.UTC(), nil
}
