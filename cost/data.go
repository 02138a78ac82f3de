package cost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	return duplicateKey(json.NewDecoder(bytes.NewReader(data)))
}

// duplicateKey walks valid JSON and reports the first key that an object has
// twice. Depth is bounded by encoding/json, which has decoded it already.
func duplicateKey(d *json.Decoder) error {
	type level struct {
		keys    map[string]bool // nil in an array
		wantKey bool
	}
	var levels []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			levels = levels[:len(levels)-1]
			continue
		}
		if n := len(levels); n > 0 && levels[n-1].keys != nil {
			top := &levels[n-1]
			if key, _ := token.(string); top.wantKey {
				if top.keys[key] {
					return fmt.Errorf("got the key %s twice in one object", quote(key))
				}
				top.keys[key], top.wantKey = true, false
				continue
			}
			top.wantKey = true
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{keys: map[string]bool{}, wantKey: true})
		case json.Delim('['):
			levels = append(levels, level{})
		}
	}
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
