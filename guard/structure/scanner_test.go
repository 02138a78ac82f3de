package structure

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// scan reads src to its end and says how that came about.
func scan(src string) (tokens int, last token) {
	s := scanner{src: src}
	for {
		t := s.next()
		if t.kind == end || t.kind == bad || t.kind == deep {
			return tokens, t
		}
		tokens++
	}
}

func TestScannerStops(t *testing.T) {
	for _, row := range []struct {
		src    string
		tokens int
		last   kind
		at     int
	}{
		{`{}`, 2, end, 2},
		{` [ ] and more`, 2, end, 4},
		{`{"a":[1,-0.5e+3,true,false,null,"x\n\u00e9"]} tail`, 11, end, 45},
		{``, 0, bad, 0},
		{`{`, 1, bad, 1},
		{`{"a"}`, 1, bad, 4},
		{`{"a":}`, 2, bad, 5},
		{`{"a":1,}`, 3, bad, 7},
		{`[1,]`, 2, bad, 3},
		{`[1}`, 2, bad, 2},
		{`[01]`, 2, bad, 2},
		{`["\x"]`, 1, bad, 3},
		{`["\u12g4"]`, 1, bad, 3},
		{"[\"a\nb\"]", 1, bad, 3},
		{`[text](https://example.com)`, 1, bad, 2},
		{`{{name}}`, 1, bad, 1},
		{strings.Repeat("[", maxDepth+1), maxDepth, deep, maxDepth},
	} {
		tokens, last := scan(row.src)
		require.Equal(t, row.last, last.kind, row.src)
		require.Equal(t, row.at, last.start, row.src)
		require.Equal(t, row.tokens, tokens, row.src)
	}
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}]}`, `[-1.5e-7]`, `"\ud800"`, "[\"\xff\"]", `{"a":1}x`, `tru`, `-`, `1e`, "[\"\u007f\"]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		_, last := scan(src)
		if last.kind == deep {
			return
		}
		valid := last.kind == end && skipSpace(src, last.end) == len(src)
		require.Equal(t, json.Valid([]byte(src)), valid)
	})
}
