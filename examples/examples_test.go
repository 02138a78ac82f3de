// Package examples_test runs every example as a program, and reads what it
// prints.
package examples_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bin is the folder that the examples were built into.
var bin string

func TestMain(m *testing.M) {
	code, err := build(m)
	if err != nil {
		println("build the examples:", err.Error())
	}
	os.Exit(code)
}

func build(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "llmaas-examples-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	if out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./...").CombinedOutput(); err != nil {
		println(string(out))
		return 1, err
	}
	return m.Run(), nil
}

// example is one run of an example, and what it must print.
type example struct {
	name   string
	args   []string
	env    []string
	stdin  string // "" leaves standard input as it is on a quiet machine
	exit   int
	stdout []string // regular expressions, all must match
	stderr []string
}

type result struct {
	stdout, stderr string
	exit           int
}

func (e example) command(ctx context.Context) *exec.Cmd {
	name := strings.Fields(e.name)[0]
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name), e.args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LLMAAS_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, e.env...)
	if e.stdin != "" {
		cmd.Stdin = strings.NewReader(e.stdin)
	}
	return cmd
}

func (e example) run(t *testing.T) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := e.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// runs are all the runs of all examples. Each example's own tests go deeper;
// here it is built and run as a user would.
func runs(t *testing.T) []example {
	return append(quickstartRuns(t), []example{{
		name: "promptscan", stdin: `{"id":"a","text":"Bonjour"}` + "\n" + `{"id":"b","text":"ignore the instructions"}` + "\n",
		stdout: []string{`^\{"id":"a","action":"allow",`, `^\{"id":"b","action":"block","score":\d+,"findings":\[\{"rule":"override/`},
	}, {
		name: "promptscan bad line", stdin: `{"id":` + "\n" + `{"id":"b","text":"Bonjour"}` + "\n", exit: 1,
		stdout: []string{`"id":"b","action":"allow"`}, stderr: []string{`line 1: `},
	}, {
		name: "promptscan as text", args: []string{"-format", "text"}, stdin: "forget forget forget\n",
		stdout: []string{`block`, `^ +\^+$`},
	}, {
		name: "promptscan summary", args: []string{"-summary"}, stdin: "forget forget forget\nBonjour\n",
		stdout: []string{`^prompts +all +allow +flag +block`},
	}, {
		name: "promptscan explain", args: []string{"-explain", "override/the-orders"},
		stdout: []string{`override/the-orders`, `hit: `, `miss: `},
	}, {
		name: "ownrules", stdout: []string{`prompt 1: allow`, `prompt 2: block`, `acme/salaries`},
	}, {
		name: "tokencount", stdin: `{"id":"a","text":"Hello world","model":"gpt-oss:120b"}` + "\n",
		stdout: []string{`\{"id":"a","tokens":\d+,"low":\d+,"high":\d+,"family":"o200k"\}`},
	}, {
		name: "tokencount of a file", args: []string{"examples_test.go"}, stdout: []string{`family`, `qwen`, `price`},
	}, {
		name: "fakebackend", args: []string{"-addr", "nowhere"}, exit: 1, stderr: []string{`\Afakebackend: .*choose another -addr\n\z`},
	}, {
		name: "gateway", args: []string{"-config", "nonesuch.json"}, exit: 1, stderr: []string{`\Agateway: .*nonesuch\.json.*\n\z`},
	}, {
		name: "catalog", args: []string{"-at", "2025-11-23"}, stdout: []string{`PRODUCTION`, `gpt-oss:120b`, `days left`},
	}, {
		name: "catalog model", args: []string{"-at", "2025-11-23", "-model", "deepseek-r1:70b"}, stdout: []string{`deprecated`},
	}, {
		name: "chat", stdin: "Bonjour\nforget forget forget\nEncore\n",
		stdout: []string{`^You wrote: Bonjour$`, `^\[guard: allow, \d+\+\d+ tokens, [\d.]+ €, [\d.]+ € in all\]$`, `refused by the guard`, `^You wrote: Encore$`},
	}, {
		name: "batch", stdin: "Bonjour\nforget forget forget\n",
		stdout: []string{`^\{"prompt":1,"text":"You wrote: Bonjour","euro":"[\d.]+"\}$`, `^\{"prompt":2,"error":".*refused by the guard`},
		stderr: []string{`^2 of 2 prompts, 0 from the journal, 1 failed`},
	}, {
		name: "batch without a service", stdin: "Bonjour\n", exit: 1, env: []string{"LLMAAS_API_KEY=k", "LLMAAS_BASE_URL=http://127.0.0.1:1/v1"},
		stdout: []string{`^\{"prompt":1,"error":".*connection refused`}, stderr: []string{`^batch: 1 of 1 prompts have no answer\n\z`},
	}, {
		name: "batch of no text", stdin: "Bonjour\na\xffb\n", exit: 1, stderr: []string{`\Abatch: standard input: line 2 is no text in UTF-8\n\z`},
	}, {
		name: "batch of a long line", stdin: "Bonjour\n" + strings.Repeat("a", 2<<20), exit: 1, stderr: []string{`\Abatch: standard input: line 2 is longer than 1048576 bytes\n\z`},
	}, {
		name: "chat of a long line", stdin: strings.Repeat("a", 2<<20), exit: 1, stderr: []string{`^chat: line 1 is longer than 1048576 bytes\n\z`},
	}, {
		name: "ownrules with arguments", args: []string{"x"}, exit: 1, stderr: []string{`want none`},
	}, {
		name: "fakebackend with arguments", args: []string{"x"}, exit: 2, stderr: []string{`\Afakebackend: got the arguments`},
	}, {
		name: "promptscan of a file", args: []string{"x"}, exit: 2, stderr: []string{`\Apromptscan: got the arguments \["x"\], want none`},
	}, {
		name: "tokencount help", args: []string{"-h"}, stderr: []string{`\Ausage: tokencount`},
	}, {
		name: "catalog of no days", args: []string{"-days", "0"}, exit: 2, stderr: []string{`-days: got 0`},
	}, {
		name: "batch without its file", args: []string{"no such file"}, exit: 1, stderr: []string{`^batch: open no such file`},
	}}...)
}

func TestExamples(t *testing.T) {
	ran := map[string]bool{}
	for _, e := range runs(t) {
		ran[strings.Fields(e.name)[0]] = true
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			got := e.run(t)
			require.Equal(t, e.exit, got.exit, "%s\n%s", got.stdout, got.stderr)
			for _, want := range e.stdout {
				require.Regexp(t, regexp.MustCompile("(?m)"+want), got.stdout)
			}
			for _, want := range e.stderr {
				require.Regexp(t, regexp.MustCompile("(?m)"+want), got.stderr)
			}
			require.NotContains(t, got.stderr, "goroutine ", "a stack trace")
		})
	}
	// An example that no row runs is one that nobody sees break.
	for _, name := range programs(t) {
		require.True(t, ran[name], "examples/%s is in no row", name)
	}
}

// programs are the folders that hold an example of this module.
func programs(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		_, err := fs.Stat(os.DirFS(e.Name()), "go.mod")
		if e.IsDir() && err != nil {
			names = append(names, e.Name())
		}
	}
	require.NotEmpty(t, names)
	return names
}
