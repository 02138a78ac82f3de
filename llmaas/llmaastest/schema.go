package llmaastest

import (
	"encoding/json"
	"strings"
)

// maxSchemaDepth bounds how deep an instance is built.
const maxSchemaDepth = 32

// instance returns the smallest JSON that fits a JSON schema: every property,
// the first of an enum, one item per array, "Paris" for a string, 1 for a number.
func instance(schema json.RawMessage) string {
	data, err := json.Marshal(instanceOf(schema, 0))
	if err != nil {
		return "{}"
	}
	return string(data)
}

func instanceOf(schema json.RawMessage, depth int) any {
	var s struct {
		Type       json.RawMessage            `json:"type"`
		Enum       []any                      `json:"enum"`
		Const      any                        `json:"const"`
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
		Minimum    *float64                   `json:"minimum"`
		MinItems   int                        `json:"minItems"`
	}
	if json.Unmarshal(schema, &s) != nil || depth > maxSchemaDepth {
		return map[string]any{}
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case is(s.Type, "string"):
		return "Paris"
	case is(s.Type, "integer"), is(s.Type, "number"):
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case is(s.Type, "boolean"):
		return true
	case is(s.Type, "null"):
		return nil
	case is(s.Type, "array"):
		items := make([]any, min(max(s.MinItems, 1), maxSchemaDepth))
		for i := range items {
			items[i] = instanceOf(s.Items, depth+1)
		}
		return items
	}
	object := make(map[string]any, len(s.Properties))
	for name, property := range s.Properties {
		object[name] = instanceOf(property, depth+1)
	}
	return object
}

// is reports whether a schema's type, a word or a list of words, names want.
func is(typ json.RawMessage, want string) bool {
	return strings.Contains(string(typ), `"`+want+`"`)
}
