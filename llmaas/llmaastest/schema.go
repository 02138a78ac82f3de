package llmaastest

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
)

// Bounds of an instance, so that a schema that speaks of itself ends.
const (
	plainDepth     = 8      // below it, what may be left out is
	maxSchemaDepth = 32     // below it, all is null
	maxSchemaNodes = 10_000 // further values are null
)

// instance returns JSON that fits a JSON schema: every property, the first of an
// enum and of what may be any of several, one item per array, "Paris" for a string
// without a format, 1 for a number that may be 1. Patterns are passed over.
func instance(root json.RawMessage) string {
	in := instances{root: root}
	data, err := json.Marshal(in.of(root, 0))
	if err != nil {
		return "{}"
	}
	return string(data)
}

// schema is what counts of a JSON schema (draft 2020-12, and definitions of older ones).
type schema struct {
	Ref              string                     `json:"$ref"`
	Type             json.RawMessage            `json:"type"`
	Enum             []any                      `json:"enum"`
	Const            json.RawMessage            `json:"const"`
	AnyOf            []json.RawMessage          `json:"anyOf"`
	OneOf            []json.RawMessage          `json:"oneOf"`
	AllOf            []json.RawMessage          `json:"allOf"`
	Properties       map[string]json.RawMessage `json:"properties"`
	Required         []string                   `json:"required"`
	Items            json.RawMessage            `json:"items"`
	PrefixItems      []json.RawMessage          `json:"prefixItems"`
	MinItems         int                        `json:"minItems"`
	MaxItems         *int                       `json:"maxItems"`
	Minimum          *float64                   `json:"minimum"`
	Maximum          *float64                   `json:"maximum"`
	ExclusiveMinimum *float64                   `json:"exclusiveMinimum"`
	ExclusiveMaximum *float64                   `json:"exclusiveMaximum"`
	MinLength        int                        `json:"minLength"`
	MaxLength        *int                       `json:"maxLength"`
	Format           string                     `json:"format"`
}

// instances builds one instance.
type instances struct {
	root  json.RawMessage
	nodes int
}

func (in *instances) of(raw json.RawMessage, depth int) any {
	var s schema
	in.nodes++
	if depth > maxSchemaDepth || in.nodes > maxSchemaNodes {
		return nil
	}
	_ = json.Unmarshal(raw, &s) // what cannot be read is not asked for
	switch either := append(s.AnyOf, s.OneOf...); {
	case s.Ref != "":
		return in.of(in.find(s.Ref), depth+1)
	case len(s.Const) > 0:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(either) > 0 && depth > plainDepth:
		return in.of(slices.MinFunc(either, func(a, b json.RawMessage) int { return len(a) - len(b) }), depth+1)
	case len(either) > 0:
		return in.of(either[0], depth+1)
	case len(s.AllOf) > 0:
		return in.all(s, depth)
	case is(s.Type, "string"):
		return s.text()
	case is(s.Type, "integer"), is(s.Type, "number"):
		return s.number()
	case is(s.Type, "boolean"):
		return true
	case is(s.Type, "array"):
		return in.array(s, depth)
	case is(s.Type, "null"):
		return nil
	}
	return in.object(s, depth)
}

// find follows a pointer into the schema ("#/$defs/city", RFC 6901).
func (in *instances) find(ref string) json.RawMessage {
	at, ok := in.root, strings.HasPrefix(ref, "#")
	for _, name := range strings.Split(ref, "/")[1:] {
		var members map[string]json.RawMessage
		ok = ok && json.Unmarshal(at, &members) == nil
		at = members[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
	}
	if !ok {
		return nil
	}
	return at
}

func (in *instances) object(s schema, depth int) map[string]any {
	object := make(map[string]any, len(s.Properties))
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if depth <= plainDepth || slices.Contains(s.Required, name) {
			object[name] = in.of(s.Properties[name], depth+1)
		}
	}
	return object
}

// all fits every schema of a list, if they are of objects, and else the last.
func (in *instances) all(s schema, depth int) any {
	object := in.object(s, depth)
	for _, raw := range s.AllOf {
		one := in.of(raw, depth+1)
		members, ok := one.(map[string]any)
		if !ok {
			return one
		}
		maps.Copy(object, members)
	}
	return object
}

func (in *instances) array(s schema, depth int) []any {
	n := s.MinItems
	if depth <= plainDepth {
		n = max(n, 1)
	}
	if s.MaxItems != nil {
		n = min(n, *s.MaxItems)
	}
	items := make([]any, 0)
	for _, raw := range s.PrefixItems {
		items = append(items, in.of(raw, depth+1))
	}
	for len(items) < min(n, maxSchemaNodes) {
		items = append(items, in.of(s.Items, depth+1))
	}
	return items
}

// formats are strings of the formats that JSON schemas name.
var formats = map[string]string{
	"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "time": "03:04:05Z", "duration": "P1D",
	"email": "paris@example.com", "hostname": "paris.example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"uri": "https://example.com/paris", "url": "https://example.com/paris", "uuid": "0190163d-8694-739b-aea5-966c26f8ad91",
}

func (s schema) text() string {
	if text, ok := formats[s.Format]; ok {
		return text
	}
	text := "Paris"
	if more := min(s.MinLength, maxSchemaNodes) - len(text); more > 0 {
		text += strings.Repeat("!", more)
	}
	if s.MaxLength != nil {
		text = text[:min(max(*s.MaxLength, 0), len(text))]
	}
	return text
}

func (s schema) number() float64 {
	n := 1.0
	if s.Minimum != nil {
		n = max(n, math.Ceil(*s.Minimum))
	}
	if s.ExclusiveMinimum != nil && n <= *s.ExclusiveMinimum {
		n = math.Floor(*s.ExclusiveMinimum) + 1
	}
	if s.Maximum != nil {
		n = min(n, *s.Maximum)
	}
	if s.ExclusiveMaximum != nil && n >= *s.ExclusiveMaximum {
		n = math.Ceil(*s.ExclusiveMaximum) - 1
	}
	return n
}

// is reports whether a schema's type, a word or a list of words, names want.
func is(typ json.RawMessage, want string) bool {
	return strings.Contains(string(typ), `"`+want+`"`)
}
