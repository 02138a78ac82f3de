package lifecycle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// table wraps rows in a table whose first row stands in line 2.
func tableOf(rows string) string {
	return `{"as_of": "2026-01-01", "source": "test", "models": [` + "\n" + rows + "\n]}"
}

const goodRow = `{"id": "a:1b", "launched": "2025-01-01", "end_of_support": "2026-01-01"}`

// Each row is a way to get a table wrong, and where and what the error says.
func TestMalformed(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "table: got an empty file"},
		{"blank", " \n\t ", "table: got an empty file"},
		{"not JSON", "as_of: 2026-01-01", "table:1: got bad JSON"},
		{"byte order mark", "\ufeff" + tableOf(goodRow), "table:1: got bad JSON"},
		{"a list", "[]", "table:1: got a list, want an object"},
		{"a string", `"x"`, `table:1: got "x", want an object`},
		{"null", "null", "table:1: got null, want an object"},
		{"truncated in a row", tableOf(goodRow)[:80], "table:2: models[0] "},
		{"truncated after the rows", strings.TrimSuffix(tableOf(goodRow), "]}"), "table:2: models: got the end of the file, want a comma or the end of the list"},
		{"truncated before the brace", strings.TrimSuffix(tableOf(goodRow), "}"), "table:3: got the end of the file, want a comma or the end of the object"},
		{"no as_of", `{"source": "x", "models": []}`, `table:1: got no "as_of", want one`},
		{"no source", `{"as_of": "2026-01-01", "models": []}`, `table:1: got no "source", want one`},
		{"no models", `{"as_of": "2026-01-01", "source": "x"}`, `table:1: got no "models", want one`},
		{"unknown key", `{"as_of": "2026-01-01", "colour": 1}`, `table:1: got the unknown key "colour", want one of as_of`},
		{"key in another case", `{"As_Of": "2026-01-01"}`, `got the unknown key "As_Of"`},
		{"key twice", "{\"as_of\": \"2026-01-01\",\n\"as_of\": \"2026-01-02\"}", `table:2: got the key "as_of" twice`},
		{"empty source", `{"source": ""}`, `table:1: source: got ""`},
		{"padded source", `{"source": " x"}`, `table:1: source: got " x", want text without`},
		{"control character", `{"source": "a\u0000b"}`, `table:1: source: got "a\x00b"`},
		{"complete as a string", `{"complete": "yes"}`, `table:1: complete: got "yes", want true or false`},
		{"models as an object", `{"models": {}}`, `table:1: models: got an object, want a list`},
		{"row as a string", tableOf(`"a:1b"`), `table:2: models[0]: got "a:1b", want an object`},
		{"row without id", tableOf(`{"launched": "2025-01-01"}`), `table:2: models[0]: got no "id"`},
		{"id as a number", tableOf(`{"id": 7}`), `table:2: models[0].id: got "7", want a model id`},
		{"id empty", tableOf(`{"id": ""}`), `models[0].id: got "", want a model id`},
		{"id with a space", tableOf(`{"id": "a b"}`), `models[0].id: got "a b", want a model id`},
		{"id not ASCII", tableOf(`{"id": "аdmin"}`), `want a model id: 1 to 128 printable ASCII`},
		{"id too long", tableOf(`{"id": "` + strings.Repeat("a", 129) + `"}`), `want a model id`},
		{"string too long", tableOf(`{"id": "` + strings.Repeat("a", 513) + `"}`), `got a string of 513 bytes, want at most 512`},
		{"duplicate id", tableOf(goodRow + ",\n" + goodRow), `table:3: models[1] "a:1b": got the name "a:1b", want one that "a:1b" does not have`},
		{"duplicate in another case", tableOf(goodRow + ",\n" + strings.ReplaceAll(goodRow, "a:1b", "b") + ",\n" + strings.ReplaceAll(goodRow, "a:1b", "c\", \"aliases\": [\"A:1B\"], \"note\": \"x")), `table:4: models[2] "c": got the name "A:1B"`},
		{"unsorted", tableOf(strings.ReplaceAll(goodRow, "a:1b", "b") + ",\n" + goodRow), `table:3: models[1] "a:1b": got "a:1b" after "b", want the ids sorted`},
		{"bad date", tableOf(strings.ReplaceAll(goodRow, "2025-01-01", "2025-02-29")), `table:2: models[0] "a:1b".launched: got "2025-02-29", want a day that exists, as YYYY-MM-DD`},
		{"date in the provider's form", tableOf(strings.ReplaceAll(goodRow, "2025-01-01", "13/06/2025")), `launched: got "13/06/2025"`},
		{"date as a number", tableOf(`{"id": "a", "launched": 20250101}`), `models[0] "a".launched: got "20250101", want a date YYYY-MM-DD`},
		{"date null", tableOf(`{"id": "a", "launched": null}`), `launched: got null, want a date`},
		{"end before launch", tableOf(strings.ReplaceAll(goodRow, "2026-01-01", "2024-01-01")), `table:2: models[0] "a:1b": got end_of_support 2024-01-01, want it after launched 2025-01-01`},
		{"end on the launch", tableOf(strings.ReplaceAll(goodRow, "2026-01-01", "2025-01-01")), `want it after launched 2025-01-01`},
		{"launch without end", tableOf(`{"id": "a", "launched": "2025-01-01"}`), `got "launched" without "end_of_support"`},
		{"no dates", tableOf(`{"id": "a"}`), `got no "launched", want it, or "evaluation" or "deployment"`},
		{"deployment before evaluation", tableOf(`{"id": "a", "evaluation": "2025-02-01", "deployment": "2025-01-01"}`), `got deployment 2025-01-01, want it after evaluation 2025-02-01`},
		{"own successor", tableOf(strings.ReplaceAll(goodRow, `"a:1b"`, `"a", "successor": "a"`)), `got itself as successor`},
		{"unknown field", tableOf(strings.ReplaceAll(goodRow, `"a:1b"`, `"a", "price": "1"`)), `table:2: models[0] "a": got the unknown key "price", want one of id,`},
		{"retired among the models", tableOf(`{"id": "a", "retired": "2025-01-01"}`), `got the unknown key "retired"`},
		{"launched among the retired", `{"as_of": "2026-01-01", "source": "x", "models": [], "retired": [{"id": "a", "launched": "2025-01-01"}]}`, `table:1: retired[0] "a": got the unknown key "launched"`},
		{"retired without a day", `{"as_of": "2026-01-01", "source": "x", "models": [], "retired": [{"id": "a"}]}`, `table:1: retired[0] "a": got no "retired"`},
		{"context as a string", tableOf(`{"id": "a", "context": "32k"}`), `context: got "32k", want a whole number`},
		{"context not whole", tableOf(`{"id": "a", "context": 1.5}`), `context: got "1.5", want a whole number from 1 to`},
		{"context zero", tableOf(`{"id": "a", "context": 0}`), `context: got "0", want a whole number from 1`},
		{"context too large", tableOf(`{"id": "a", "context": 1e99}`), `context: got "1e99"`},
		{"energy as a float", tableOf(`{"id": "a", "kwh_per_mtoken": 0.15}`), `kwh_per_mtoken: got "0.15", want a decimal in a string`},
		{"energy negative", tableOf(`{"id": "a", "kwh_per_mtoken": "-0.15"}`), `kwh_per_mtoken: got "-0.15", want a positive decimal`},
		{"energy with four places", tableOf(`{"id": "a", "kwh_per_mtoken": "0.1234"}`), `want a positive decimal with at most three places`},
		{"energy zero", tableOf(`{"id": "a", "kwh_per_mtoken": "0"}`), `want a positive decimal`},
		{"energy with a comma", tableOf(`{"id": "a", "kwh_per_mtoken": "0,15"}`), `want a positive decimal`},
		{"energy without digits", tableOf(`{"id": "a", "kwh_per_mtoken": "."}`), `want a positive decimal`},
		{"unknown capability", tableOf(`{"id": "a", "capabilities": ["magic"]}`), `models[0] "a".capabilities[0]: got "magic", want each of chat, tools`},
		{"capability twice", tableOf(`{"id": "a", "capabilities": ["chat", "chat"]}`), `capabilities[1]: got "chat", want each of`},
		{"capabilities as a string", tableOf(`{"id": "a", "capabilities": "chat"}`), `capabilities: got "chat", want a list`},
		{"alias as a number", tableOf(`{"id": "a", "aliases": [1]}`), `aliases[0]: got "1", want a string`},
		{"alias too long", tableOf(`{"id": "a", "aliases": ["` + strings.Repeat("a", 129) + `"]}`), `want an alias of at most 128 bytes`},
		{"alias that is the id", tableOf(strings.ReplaceAll(goodRow, `"a:1b"`, `"a", "aliases": ["A"]`)), `models[0] "a": got the name "A"`},
		{"not UTF-8", tableOf("{\"id\": \"a\",\n \"publisher\": \"Caf\xe9\"}"), "table:3: got bytes that are not UTF-8"},
		{"lone surrogate", tableOf(`{"id": "a", "publisher": "\ud800"}`), "publisher: got \"\ufffd\", want text"},
		{"trailing comma", tableOf(goodRow + ","), `table:3: models`},
		{"missing comma", tableOf(goodRow + "\n" + goodRow), `table:3: models: got an object, want a comma or the end of the list`},
		{"comment", tableOf("// the first\n" + goodRow), `table:2: models`},
		{"deep nesting", tableOf(strings.Repeat("[", 2_000_000)), `table:2: models[0]: got a list, want an object`},
		{"deep nesting in a field", tableOf(`{"id": ` + strings.Repeat(`{"a":`, 500_000)), `models[0].id: got an object, want a model id`},
		{"a second table", tableOf(goodRow) + tableOf(goodRow), `after the table, want the end of the file`},
		{"garbage behind", tableOf(goodRow) + "}", `after the table, want the end of the file`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Load(strings.NewReader(tc.text))
			require.Nil(t, c)
			require.ErrorContains(t, err, tc.want)
			var where *FileError
			require.ErrorAs(t, err, &where)
			require.LessOrEqual(t, len(err.Error()), 600, "an error stays readable")
		})
	}
	_, err := Load(strings.NewReader(tableOf(goodRow)))
	require.NoError(t, err, "the row that the others spoil")
}

// endless is a file without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestHugeFile(t *testing.T) {
	src := &endless{}
	_, err := Load(io.LimitReader(src, 100<<20))
	require.ErrorContains(t, err, "table: got more than 4194304 bytes, want a table of at most 4 MiB")
	require.Less(t, src.read, 16<<20, "what is too long is not read to its end")
}

func TestManyRows(t *testing.T) {
	var b strings.Builder
	for i := range maxList + 1 {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"id":"m%05d","evaluation":"2026-01-01"}`, i)
	}
	_, err := Load(strings.NewReader(`{"models": [` + b.String() + `]}`))
	require.ErrorContains(t, err, "got more than 20000 members")
}

// An error about a file that a person wrote names the file.
func TestErrorNamesTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mine.json")
	require.NoError(t, os.WriteFile(name, []byte(tableOf(goodRow+"\n7")), 0o600))
	f, err := os.Open(name)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	_, err = Load(f)
	require.EqualError(t, err, `lifecycle: mine.json:3: models: got "7", want a comma or the end of the list`)
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("cable out")
	_, err := Load(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = LoadPolicy(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = LoadOverlays(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}

func TestPolicyFile(t *testing.T) {
	_, err := LoadPolicy(strings.NewReader(policyJSON))
	require.NoError(t, err)
	for want, text := range map[string]string{
		`policy:6: review_months: got "0", want a whole number from 1 to 1200`: strings.Replace(policyJSON, `"review_months": 3`, `"review_months": 0`, 1),
		`got no "support_clause"`:      policyJSON[:strings.Index(policyJSON, `,`+"\n"+`"support_clause"`)] + "}",
		`got the unknown key "months"`: `{"months": 1}`,
		`after the table`:              policyJSON + "x",
	} {
		_, err := LoadPolicy(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}

// A table that cannot be read leaves the catalogue in force as it was.
func TestLiveKeepsTheOldOne(t *testing.T) {
	var live Live
	require.Same(t, Default(), live.Current())
	mine, err := Load(strings.NewReader(own))
	require.NoError(t, err)
	live.Replace(mine)
	if c, err := Load(strings.NewReader(own[:len(own)/2])); err == nil {
		live.Replace(c)
	}
	require.Same(t, mine, live.Current())
	live.Replace(nil)
	require.Same(t, Default(), live.Current())
}

// Replacing while others read is no race: the race detector watches.
func TestLiveConcurrently(t *testing.T) {
	var live Live
	mine, err := Load(strings.NewReader(own))
	require.NoError(t, err)
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 2000 {
				c := live.Current()
				if s, err := c.StatusOn("gemma3:27b", date("2026-07-01")); err != nil || s.Phase == 0 {
					panic("a catalogue in pieces")
				}
			}
		}()
	}
	for i := range 2000 {
		live.Replace([]*Catalogue{mine, nil}[i%2])
	}
	for range 4 {
		<-done
	}
}
