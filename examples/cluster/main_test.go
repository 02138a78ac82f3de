package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/examples/cluster/internal/redisserver"
	"github.com/stretchr/testify/require"
)

// program builds the example, once for all runs.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

func TestCluster(t *testing.T) {
	path := program(t)
	yours, err := redisserver.New(t.Context())
	require.NoError(t, err)
	t.Cleanup(yours.Remove)
	shown := []string{
		`^gateway a  http://127\.0\.0\.1:\d+/v1\ngateway b  http://127\.0\.0\.1:\d+/v1$`,
		`^  gateway a, session one: .* 200$`,
		`^  gateway b, session two: .* 200$`,
		`^  gateway b, session one: .* 400 prompt_blocked$`,
		`^  served 20, refused 40$`,
	}
	killed := append([]string{
		`^redis is killed\n` +
			`  bank   limits fail closed guard fails closed  a: 50\d \w+  b: 50\d \w+\n` +
			`  clinic limits fail open   guard fails closed  a: 400 prompt_blocked  b: 400 prompt_blocked\n` +
			`  museum limits fail open   guard fails open    a: 200  b: 200$`,
		`^redis is back: .*\n  bank   .*  a: 200  b: 200\n  clinic .*  a: 200  b: 200\n  museum .*  a: 200  b: 200$`,
	}, shown...)
	for _, row := range []struct {
		name   string
		args   []string
		env    []string
		exit   int
		stdout []string
		stderr string
		spent  int // how often the same sum is told
	}{
		{name: "its own server", stdout: killed, spent: 5},
		{name: "yours", args: []string{"-redis", yours.URL()}, stdout: append(shown, `^the server is yours`), spent: 3},
		{name: "yours again", args: []string{"-redis", yours.URL()}, stdout: shown, spent: 3},
		{name: "nobody there", args: []string{"-redis", "redis://127.0.0.1:1/0"}, exit: 1, stderr: `^cluster: redisstore: ping: `},
		{name: "no address", args: []string{"-redis", "http://x:hunter2@y"}, exit: 1, stderr: `^cluster: redisstore: Options.URL: got no Redis URL`},
		{name: "not installed", env: []string{"PATH="}, exit: 1, stderr: `install redis-server`},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			temp := t.TempDir()
			cmd := exec.CommandContext(ctx, path, row.args...)
			cmd.Env = append(append(os.Environ(), "TMPDIR="+temp), row.env...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				require.IsType(t, &exec.ExitError{}, err)
			}
			require.Equal(t, row.exit, cmd.ProcessState.ExitCode(), "%s\n%s", &stdout, &stderr)
			for _, want := range row.stdout {
				require.Regexp(t, regexp.MustCompile("(?m)"+want), stdout.String())
			}
			require.Regexp(t, regexp.MustCompile("(?m)"+row.stderr), stderr.String())
			require.NotContains(t, stderr.String(), "hunter2")
			require.NotContains(t, stderr.String(), "goroutine ", "a stack trace")
			sums := regexp.MustCompile(`(?m)(?:cost |counted) (\S+) €$`).FindAllStringSubmatch(stdout.String(), -1)
			require.Len(t, sums, row.spent)
			for _, sum := range sums {
				require.Equal(t, sums[0][1], sum[1], "cost is counted exactly")
				require.NotEqual(t, "0", sum[1])
			}
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			require.Empty(t, left, "nothing is left behind")
		})
	}
}
