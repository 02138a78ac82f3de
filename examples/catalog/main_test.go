package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	file("src/best.py", "model = \"deepseek-r1:70b\"\n")
	file("clean/best.py", "model = \"gpt-oss:120b\"\n")
	live := file("models.json", `{"data": [{"id": "new:1b"}, {"id": "gpt-oss:120b", "max_model_len": 1}, {"id": "qwq:32b"}]}`)
	svg, ics := filepath.Join(dir, "t.svg"), filepath.Join(dir, "m.ics")

	for _, tc := range []struct {
		args   string
		code   int
		out    []string // all must appear
		errOut string
	}{
		{"-at 2025-11-23", 0, []string{"2025-11-23, by the tables of 2025-11-22", "PRODUCTION (23)", "NOTICE (22)", "DEPRECATED (16)", "127 days left", "37 days left"}, ""},
		{"-at 2025-11-23 -hindsight", 0, []string{"by the tables of 2026-05-17", "EVALUATION (40)"}, ""},
		{"", 0, []string{"2026-05-17, by the tables of 2026-05-17", "then gpt-oss:120b"}, ""},
		{"-at 2020-01-01", 0, []string{"by the tables of 2026-05-17"}, ""},
		{"-at 2026-06-29 cogito:32b", 0, []string{"NOTICE (1)", "1 day left, then gpt-oss:120b"}, ""},
		{"-at 2026-06-30 cogito:32b", 0, []string{"END OF SUPPORT (1)", "ends today"}, ""},
		{"-at 2026-10-30 cogito:32b", 0, []string{"REMOVED (1)", "122 days ago, presumed"}, ""},
		{"none", 1, nil, `catalog: lifecycle: model: got "none"`},
		{"-model GPT-OSS:120B", 0, []string{`"phase": "production"`, `"action": "allow"`, `"publisher": "OpenAI"`}, ""},
		{"-model none", 1, nil, "want an id or alias"},
		{"-lint", 0, []string{"duplicate: gemma3:12b", "short-life: the policy says: Stabile Modelle: Feste Versionen", "breaches, by the policy of 2025-11-22"}, ""},
		{"-diff", 0, []string{"2025-11-22 -> 2026-05-17: 96 changes", "extended     gpt-oss:120b"}, ""},
		{"-diff -format markdown", 0, []string{"| extended | `gpt-oss:120b` | 2026-06-30 | 2027-12-30 |"}, ""},
		{"-diff -format json", 0, []string{`"kind": "extended"`}, ""},
		{"-diff -format xml", 2, nil, `-format: got "xml"`},
		{"-ics " + ics + " gpt-oss:20b", 0, nil, ""},
		{"-ics -", 0, []string{"BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n"}, ""},
		{"-svg " + svg, 0, nil, ""},
		{"-svg " + dir + "/no/where.svg", 1, nil, "no such file"},
		{"-scan " + dir + "/src", 1, []string{"best.py:1:10: deepseek-r1:70b was deprecated on 2025-10-17; use llama3.3:70b\n"}, ""},
		{"-scan " + dir + "/clean", 0, nil, ""},
		{"-scan " + dir + "/nowhere", 1, nil, "no such file"},
		{"-live " + live, 0, []string{"unknown    new:1b\n", "missing    voxtral, in production", "lingering  qwq:32b", "context    gpt-oss:120b: max_model_len 1", "2 matched\n"}, ""},
		{"-live " + dir + "/nowhere", 1, nil, "no such file"},
		{"-at tomorrow", 2, nil, `-at: lifecycle: date: got "tomorrow"`},
		{"-bogus", 2, nil, "flag provided but not defined"},
		{"-h", 0, nil, "usage: catalog"},
	} {
		var out, complaints bytes.Buffer
		code := run(strings.Fields(tc.args), &out, &complaints, time.Date(2026, 5, 17, 23, 0, 0, 0, time.UTC))
		require.Equal(t, tc.code, code, "%s: %s", tc.args, complaints.String())
		for _, want := range tc.out {
			require.Contains(t, out.String(), want, tc.args)
		}
		require.Contains(t, complaints.String(), tc.errOut, tc.args)
		require.NotContains(t, out.String(), "\x1b", "color is for terminals")
	}
	for name, want := range map[string]string{svg: "</svg>", ics: "gpt-oss:20b is in notice until 2026-09-30"} {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Contains(t, string(b), want)
	}
}

func TestModelIsJSON(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"-model", "deepseek-r1:70b"}, &out, &out, time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)))
	var answer map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &answer))
	require.Equal(t, "refuse", answer["action"])
}

func TestColor(t *testing.T) {
	tty, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	require.NoError(t, err)
	defer func() { _ = tty.Close() }()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	require.True(t, isTerminal(tty))
	t.Setenv("NO_COLOR", "1")
	require.False(t, isTerminal(tty))
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	require.False(t, isTerminal(tty))
	require.False(t, isTerminal(&bytes.Buffer{}))
	require.Equal(t, "\x1b[33mx\x1b[0m", (&options{color: true}).paint(4, "x"))
}
