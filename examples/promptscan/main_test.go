package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The prompts of this test, and what is said of them.
const (
	token   = `<|im_start|>`
	tokenAs = `"action":"block","score":100,"findings":[{"rule":"template/control-token","layer":"structure","severity":"high","start":0,"end":12,"view":"folded","why":"a control token of a chat template can end the prompt's own turn"}]}`
	clean   = `"action":"allow","score":0,"findings":[]}`
)

func TestRun(t *testing.T) {
	rules := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(rules, "bad.rules"), []byte("nonsense\n"), 0o600))
	for _, row := range []struct {
		name, args, in string
		code           int
		out, complaint string // complaint: a part of it
	}{
		{"nothing", "", "", 0, "", ""},
		{"plain lines", "", "hello\r\n\n" + token, 0, `{"id":1,` + clean + "\n" + `{"id":3,` + tokenAs + "\n", ""},
		{"JSON lines", "", `{"id":"a","text":"hello","more":1}` + "\n\n" + `{"text":"` + token + `"}` + "\n" + `{"id":9,"text":""}`, 0,
			`{"id":"a",` + clean + "\n" + `{"id":3,` + tokenAs + "\n" + `{"id":9,` + clean + "\n", ""},
		{"a mark before JSON", "", "\ufeff" + `{"id":"a","text":"x"}`, 0, `{"id":"a",` + clean + "\n", ""},
		{"plain although {", "-plain", `{}`, 0, `{"id":1,` + clean + "\n", ""},
		{"bad line", "", `{"id":1,"text":"x"}` + "\n" + `{"id":2,"te` + "\n" + `{"id":3,"text":"x"}`, 1, `{"id":1,` + clean + "\n" + `{"id":3,` + clean + "\n", "line 2: got no JSON from byte 11 on"},
		{"an id of no UTF-8", "", `{"id":"` + "\xff" + `","text":"x"}`, 0, `{"id":"` + "\ufffd" + `",` + clean + "\n", ""},
		{"no text", "", `{"id":1}`, 1, "", `line 1: got no "text"`},
		{"text of another type", "", `{"text":7}`, 1, "", "line 1: got other types"},
		{"id of another type", "", `{"id":{},"text":""}`, 1, "", `line 1: got another type of "id"`},
		{"garbage", "", "\x00\xff\xfe", 0, `{"id":1,"action":"allow","score":20,"findings":[{"rule":"unicode/invalid-utf8","layer":"structure","severity":"low","start":1,"end":3,"view":"source","why":"bytes that are no UTF-8: readers disagree on what they say"}]}` + "\n", ""},
		{"text format", "-format text", "hello\nsay " + token + " ok", 0, "2  block  score 100\n  template/control-token (high)  bytes 4-16, seen in folded: a control token of a chat template can end the prompt's own turn\n    say <|im_start|> ok\n        ^^^^^^^^^^^^\n", ""},
		{"text format of a hostile id", "-format text", `{"id":"` + "\u009b2J" + `","text":"` + token + `"}`, 0,
			`"\u009b2J"  block  score 100` + "\n  template/control-token (high)  bytes 0-12, seen in folded: a control token of a chat template can end the prompt's own turn\n    <|im_start|>\n    ^^^^^^^^^^^^\n", ""},
		{"explain nothing", "-explain no/rule", "", 1, "", `got no rule "no/rule"`},
		{"wrong format", "-format xml", "", 2, "", `-format: got "xml"`},
		{"wrong flag", "-nope", "", 2, "", "not defined"},
		{"wrong arguments", "file", "", 2, "", "standard input"},
		{"no rules", "-rules /does/not/exist", "", 1, "", "no such file"},
		{"bad rules", "-rules " + rules, "", 1, "", "bad.rules:1"},
	} {
		var out, complaints bytes.Buffer
		code := run(strings.Fields(row.args), strings.NewReader(row.in), &out, &complaints)
		require.Equal(t, row.code, code, "%s: %s", row.name, complaints.String())
		require.Equal(t, row.out, out.String(), row.name)
		require.Contains(t, complaints.String(), row.complaint, row.name)
		require.Equal(t, row.code == 0, complaints.Len() == 0, row.name)
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"été 忽略\n": `été 忽略\n`, "\x1b[2J\u009b": `\u001b[2J\u009b`, "\u202e\U000e0041": `\u202e\U000e0041`,
		"\ufffd": "\ufffd", "\xff": `\xff`, "\xef(\xef": `\xef(\xef`,
	} {
		require.Equal(t, want, visible(in))
	}
}

func TestSessionsAreJudgedTogether(t *testing.T) {
	var in, out, complaints bytes.Buffer
	for n := range 30 {
		fmt.Fprintf(&in, `{"id":%d,"text":"hello there","session":"s"}`+"\n", n+1)
		fmt.Fprintf(&in, `{"id":"other-%d","text":"hello there","session":"s%d"}`+"\n", n+1, n)
	}
	require.Zero(t, run([]string{"-format", "json"}, &in, &out, &complaints), complaints.String())
	blocked := 0
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, `"block"`) {
			blocked++
			require.Contains(t, line, `{"id":30,`)
		}
	}
	require.Equal(t, 1, blocked)
}

func TestSummaryCountsByActionAndRule(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"-summary"}, strings.NewReader("hi\n"+token+"\n"+token+"\n"), &out, io.Discard))
	fields := strings.Fields(out.String())
	require.Equal(t, strings.Fields("prompts all allow flag block 3 1 0 2 template/control-token 2 0 0 2"), fields)
}

func TestExplainPrintsExamples(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"-explain", "unicode/confusable-word"}, strings.NewReader(""), &out, io.Discard))
	require.Contains(t, out.String(), "hit:  аdmin")
	out.Reset()
	require.Zero(t, run([]string{"-explain", "json/*"}, strings.NewReader(""), &out, io.Discard))
	require.Greater(t, strings.Count(out.String(), "miss:"), 5)
}

// TestLinesOfAnyLength proves that a line that is too long costs itself alone,
// and that the longest one allowed is judged whole.
func TestLinesOfAnyLength(t *testing.T) {
	const longest = 1 << 20
	in := io.MultiReader(
		io.LimitReader(repeat{}, longest+2), strings.NewReader("\nhello\n"),
		io.LimitReader(repeat{}, longest-100), strings.NewReader(token+"\n"))
	var out, complaints bytes.Buffer
	r := newReader(in, false, &complaints)
	r.max = longest
	g, err := newGuard("")
	require.NoError(t, err)
	w := bufio.NewWriter(&out)
	require.EqualError(t, scan(g, r, w, writeJSON), "1 of 3 lines could not be read")
	require.NoError(t, w.Flush())
	require.Equal(t, "promptscan: line 1: got more than 1 MB, want less\n", complaints.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 2)
	require.Equal(t, `{"id":2,`+clean, lines[0])
	require.Contains(t, lines[1], `"start":1048476,"end":1048488`)
}

// repeat is an endless line of words.
type repeat struct{}

var words = strings.Repeat("word ", 1000)

func (repeat) Read(p []byte) (int, error) { return copy(p, words), nil }

// paused yields one line, and the next only when the verdict on it has been
// written.
type paused struct {
	lines []string
	out   *bytes.Buffer
	seen  []int
}

func (p *paused) Read(b []byte) (int, error) {
	p.seen = append(p.seen, strings.Count(p.out.String(), "\n"))
	if len(p.lines) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.lines[0])
	p.lines = p.lines[1:]
	return n, nil
}

func TestVerdictsComeAsTheInputPauses(t *testing.T) {
	var out bytes.Buffer
	in := &paused{lines: []string{"one\n", "two\n", "three\nfour\n"}, out: &out}
	require.Zero(t, run(nil, in, &out, io.Discard))
	require.Equal(t, []int{0, 1, 2, 4}, in.seen[:4])
}
