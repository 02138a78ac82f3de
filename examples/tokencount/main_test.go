package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("Good morning, and thank you."), 0o600))
	for _, row := range []struct {
		name   string
		args   []string
		stdin  string
		exit   int
		stdout string // regular expression
		stderr string
	}{
		{name: "by model", stdin: `{"id":"7","text":"Hello there","model":"gpt-oss:120b"}`,
			stdout: `^\{"id":"7","tokens":\d,"low":\d,"high":\d,"family":"o200k"\}\n$`},
		{name: "by family", stdin: `{"id":[1],"text":"Hello there","family":"qwen"}` + "\n",
			stdout: `^\{"id":\[1\],"tokens":\d,.*"family":"qwen"\}\n$`},
		{name: "unknown model", stdin: `{"id":null,"text":"twelve chars","model":"olmo"}`,
			stdout: `^\{"id":null,"tokens":3,"low":1,"high":12,"family":"unknown"\}\n$`},
		{name: "no id, blank lines", stdin: "\n\r\n" + `{"text":"","model":"qwen3:8b"}`,
			stdout: `^\{"id":3,"tokens":0,"low":0,"high":0,"family":"qwen"\}\n$`},
		{name: "bad lines", stdin: "x\n{}\n" + `{"text":"x"}` + "\n" + `{"text":"x","family":"gpt"}` + "\n" + `{"id":5,"text":"x","family":"qwen"}`, exit: 1,
			stdout: `^\{"id":5,`, stderr: `line 1: got no JSON .*FILE\n.*line 2: got no "text"\n.*line 3: got neither.*\n.*line 4: tokens: family: got "gpt"`},
		{name: "a giant line", stdin: strings.Repeat("x", maxLine+1) + "\n" + `{"text":"x","family":"qwen"}`, exit: 1,
			stdout: `^\{"id":2,`, stderr: `line 1: got more than 64 MB`},
		{name: "nothing"},
		{name: "a file", args: []string{"-at", "2025-11-22", file},
			stdout: `a\.txt +o200k +\d+ +\d +\d+ +0\.00000\d+\n`},
		{name: "before the first tariff", args: []string{"-at", "2001-01-01", file}, stdout: `qwen +\d+ +\d+ +\d+ +-\n`},
		{name: "no such file", args: []string{filepath.Join(t.TempDir(), "none")}, exit: 1, stderr: `none`},
		{name: "bad date", args: []string{"-at", "soon"}, exit: 2, stderr: `got "soon"`},
		{name: "bad flag", args: []string{"-x"}, exit: 2, stderr: `flag provided but not defined`},
	} {
		var out, complaints bytes.Buffer
		require.Equal(t, row.exit, run(row.args, strings.NewReader(row.stdin), &out, &complaints), row.name)
		require.Regexp(t, row.stdout, out.String(), row.name)
		require.Regexp(t, row.stderr, complaints.String(), row.name)
		if row.exit == 0 {
			require.Empty(t, complaints.String(), row.name)
		}
	}
}
