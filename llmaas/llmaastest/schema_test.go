package llmaastest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstance(t *testing.T) {
	for schema, want := range map[string]string{
		``:     `{}`,
		`true`: `{}`,
		`{"type":"object","properties":{"b":{"type":["string","null"]},"a":{"type":"integer"}}}`: `{"a":1,"b":"Paris"}`,
		`{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"const":{"x":[null]}}}}`:                         `{"x":[null]}`,
		`{"$ref":"#/definitions/none"}`:                                                          `{}`,
		`{"$ref":"elsewhere.json"}`:                                                              `{}`,
		`{"anyOf":[{"type":"null"},{"type":"string"}]}`:                                          `null`,
		`{"oneOf":[{"enum":["x","y"]}]}`:                                                         `"x"`,
		`{"allOf":[{"properties":{"a":{"const":1}}},{"properties":{"b":{"const":2}}}]}`:          `{"a":1,"b":2}`,
		`{"allOf":[{"type":"string"}]}`:                                                          `"Paris"`,
		`{"type":"array","items":{"type":"boolean"},"minItems":2}`:                               `[true,true]`,
		`{"type":"array","prefixItems":[{"const":1},{"const":2}],"maxItems":2}`:                  `[1,2]`,
		`{"type":"array","maxItems":0}`:                                                          `[]`,
		`{"type":"number","minimum":-9,"maximum":9}`:                                             `1`,
		`{"type":"integer","minimum":2.5}`:                                                       `3`,
		`{"type":"integer","exclusiveMinimum":4}`:                                                `5`,
		`{"type":"integer","exclusiveMaximum":0}`:                                                `-1`,
		`{"type":"integer","exclusiveMinimum":true}`:                                             `1`,
		`{"type":"string","minLength":8}`:                                                        `"Paris!!!"`,
		`{"type":"string","maxLength":2}`:                                                        `"Pa"`,
		`{"type":"string","maxLength":-2}`:                                                       `""`,
		`{"type":"string","format":"date"}`:                                                      `"2026-01-02"`,
	} {
		require.Equal(t, want, instance(json.RawMessage(schema)), schema)
	}
	// Schemas that speak of themselves end, also those that branch.
	for _, schema := range []string{
		`{"$ref":"#"}`,
		`{"properties":{"l":{"$ref":"#"},"r":{"$ref":"#"},"m":{"$ref":"#"}},"required":["l","m"]}`,
		`{"type":"array","minItems":9,"items":{"$ref":"#"}}`,
		`{"type":"array","minItems":2000000000,"items":{}}`,
		`{"properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]}`,
		strings.Repeat(`{"items":`, 5000) + `{}` + strings.Repeat(`}`, 5000),
	} {
		got := instance(json.RawMessage(schema))
		require.True(t, json.Valid([]byte(got)))
		require.Less(t, len(got), 1<<20)
	}
}
