package lifecycle

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// best is the concepts page's own sample of how to choose a model.
const best = `# For a sentiment analysis a compact model will do.
if task == "sentiment_analysis":
    model = "granite3.3:2b"
# A complex legal analysis needs a larger one.
elif task == "legal_analysis":
    model = "deepseek-r1:70b"
`

func TestLintSource(t *testing.T) {
	tree := fstest.MapFS{
		"best.py":                   {Data: []byte(best)},
		"a/main.go":                 {Data: []byte("package main\n\nvar m = map[string]int{\"QWQ:32B\": 1} // not qwq:32bx, xqwq:32b or my-qwq:32b\n")},
		"a/conf.yaml":               {Data: []byte("model: openai/qwq:32b\r\nother: gpt-oss:120b\r\n")},
		"a/conf.yml":                {Data: []byte("- qwq:32b.\n")},
		"a/c.json":                  {Data: []byte(`{"qwq:32b":"gemma3:27b"}`)},
		"a/notes.md":                {Data: []byte("qwq:32b")},
		"vendor/x.go":               {Data: []byte(`"qwq:32b"`)},
		"a/node_modules/x/y.json":   {Data: []byte(`"qwq:32b"`)},
		"a/empty.go":                {},
		"a/binary.json":             {Data: []byte("\x00\xff\xfe qwq:32b \x80")},
		"a/link.go":                 {Data: []byte("best.py"), Mode: fs.ModeSymlink},
		"a/.hidden/deep/config.yml": {Data: []byte("model: 'qwq:32b'")},
	}
	uses, err := LintSource(tree, Default(), at("2026-05-17"))
	require.NoError(t, err)
	got := make([]string, len(uses))
	for i, u := range uses {
		got[i] = fmt.Sprintf("%s:%d:%d %s %s", u.File, u.Line, u.Column, u.Name, u.Status.Phase)
	}
	require.Equal(t, []string{
		"a/.hidden/deep/config.yml:1:9 qwq:32b deprecated",
		"a/binary.json:1:5 qwq:32b deprecated",
		`a/c.json:1:3 qwq:32b deprecated`,
		`a/c.json:1:13 gemma3:27b notice`,
		"a/conf.yaml:1:15 qwq:32b deprecated",
		"a/conf.yml:1:3 qwq:32b deprecated",
		`a/main.go:3:25 QWQ:32B deprecated`,
		"best.py:3:14 granite3.3:2b deprecated",
		"best.py:6:14 deepseek-r1:70b deprecated",
	}, got)
	require.Equal(t, "best.py:6:14: deepseek-r1:70b was deprecated on 2025-10-17; use llama3.3:70b", uses[8].String())

	// On the day the page was printed.
	uses, err = LintSource(tree, Default().AsKnown(date("2025-11-22")), at("2025-11-22"))
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(uses), "best.py:6:14: deepseek-r1:70b was deprecated on 2025-10-17")
}

// What cannot be read is told, and does not hide the rest.
func TestLintSourceErrors(t *testing.T) {
	tree := fstest.MapFS{
		"a.json": {Data: []byte(strings.Repeat("x", maxLine+1) + "\nqwq:32b")},
		"b.json": {Data: make([]byte, maxSource+1)},
		"c.json": {Data: []byte("qwq:32b")},
		"d.go":   {Data: []byte("qwq:32b")},
		"e.yaml": {Data: []byte(strings.Repeat("qwq:32b\n", maxUses+1))},
	}
	uses, err := LintSource(brokenFS{tree, "d.go"}, Default(), at("2026-05-17"))
	require.Len(t, uses, 1+maxUses)
	require.ErrorContains(t, err, "lifecycle: e.yaml: got over 1000 uses")
	require.ErrorContains(t, err, "lifecycle: a.json: bufio.Scanner: token too long")
	require.ErrorContains(t, err, "lifecycle: b.json: got a file")
	require.ErrorIs(t, err, errDisk)
	_, err = LintSource(brokenFS{tree, "."}, Default(), at("2026-05-17"))
	require.ErrorIs(t, err, errDisk)
}

// brokenFS cannot open one name.
type brokenFS struct {
	fs.FS
	name string
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, errDisk
	}
	return b.FS.Open(name)
}

// The scanner finds the same as a plain search that tries every position.
func FuzzLintSource(f *testing.F) {
	f.Add("model = \"deepseek-r1:70b\" # qwq:32b/qwq:32b")
	f.Add("//qwq:32b:/x/qwq:32b-.")
	f.Add(strings.Repeat("/", 300) + "qwq:32b")
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, line)
		uses, err := LintSource(fstest.MapFS{"x.py": {Data: []byte(line)}}, Default(), at("2026-05-17"))
		if err != nil && len(line) < maxLine {
			t.Fatal(err)
		}
		for _, u := range uses {
			if got := line[u.Column-1:][:len(u.Name)]; got != u.Name {
				t.Fatalf("column %d holds %q, not %q", u.Column, got, u.Name)
			}
		}
		want := strings.Contains(" "+line+" ", " qwq:32b ")
		if want && !strings.Contains(fmt.Sprint(uses), "qwq:32b") {
			t.Fatalf("missed qwq:32b in %q", line)
		}
	})
}

func BenchmarkLintSource(b *testing.B) {
	for name, text := range map[string]string{
		"code":    strings.Repeat("	model := client.Chat(ctx, \"gpt-oss:120b\", messages) // the usual\n", 16_000),
		"slashes": strings.Repeat("a/", 400_000),
		"one-id":  strings.Repeat("gpt-oss:120b ", 80_000),
	} {
		b.Run(name, func(b *testing.B) {
			tree := fstest.MapFS{"x.go": {Data: []byte(text)}}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := LintSource(tree, Default(), at("2026-05-17")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
