package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzValid compares valid with encoding/json.
func FuzzValid(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `{`, `}`, `{}`, `[]`, ` [ ] `, `[1,2]`, `[1,]`, `[,1]`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{a:1}`, `{"a":{"b":[{"c":null},true,false]}} `, `[[}]`, `{"a":1]`,
		`1`, `-`, `-0`, `-0.0e+1`, `01`, `1.`, `.1`, `1e`, `1e+`, `1E5`, `+1`, `0x1`, `1 2`, `[1}`, `nul`, `null`, `nulll`, `truefalse`, `"`, `""`, `"\u00e9\"\\\/\b\f\n\r\t"`, `"\x"`, `"\`, `"\u12"`, `"\u12g4"`,
		"\"\n\"", "\"\xff\"", "\ufeff{}", "[1\x00]", "{\"a\":1\x00}", strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth), strings.Repeat(`[{"a":`, 70) + "1" + strings.Repeat("}]", 70), strings.Repeat(`[{"a":`, 70) + "1" + strings.Repeat("]}", 70),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { require.Equal(t, json.Valid(raw), valid(raw)) })
}

// BenchmarkValid has a request of ordinary length, by both.
func BenchmarkValid(b *testing.B) {
	raw := []byte(`{"model":"llama3.3:70b","messages":[{"role":"user","content":"` + strings.Repeat("The harbor was quiet that morning. ", 10) + `"}],"stream":true,"max_tokens":200}`)
	for _, row := range []struct {
		name string
		f    func([]byte) bool
	}{{"valid", valid}, {"json", json.Valid}} {
		b.Run(row.name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if !row.f(raw) {
					b.Fatal()
				}
			}
		})
	}
}
