package examples_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// serve starts an example that serves until it is interrupted, and returns what
// it prints up to the line that matches last. In the end it is interrupted, and
// must leave without an error.
func serve(t *testing.T, name, last string) string {
	t.Helper()
	cmd := example{name: name}.command(context.Background())
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		require.NoError(t, cmd.Wait())
	})
	var printed strings.Builder
	end := regexp.MustCompile(last)
	for lines := bufio.NewScanner(out); ; {
		require.True(t, lines.Scan(), "no line matches %s:\n%s", last, printed.String())
		printed.WriteString(lines.Text() + "\n")
		if end.MatchString(lines.Text()) {
			return printed.String()
		}
	}
}

// printed finds the first group of a pattern in what a server printed.
func printed(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(t, found, "%s in\n%s", pattern, text)
	return found[1]
}

func ask(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func request(t *testing.T, method, url, key, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	return req
}

const bonjour = `{"model":"gpt-oss:120b","messages":[{"role":"user","content":"Bonjour"}]}`

// TestServers asks the examples that serve what they invite their user to ask.
func TestServers(t *testing.T) {
	t.Run("fakebackend", func(t *testing.T) {
		out := serve(t, "fakebackend", `^STATS_URL=`)
		status, body := ask(t, request(t, "POST", printed(t, out, `BASE_URL=(\S+)`)+"/chat/completions", "any", bonjour))
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, "You wrote: Bonjour")
		_, body = ask(t, request(t, "GET", printed(t, out, `STATS_URL=(\S+)`), "any", ""))
		require.JSONEq(t, `{"requests":1,"cancelled":0}`, body)
	})
	t.Run("gateway", func(t *testing.T) {
		out := serve(t, "gateway", `"Bonjour"`)
		url, key := printed(t, out, `curl (\S+)`), printed(t, out, `Bearer ([^']+)`)
		status, body := ask(t, request(t, "POST", url, key, bonjour))
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, "You wrote: Bonjour")
		status, _ = ask(t, request(t, "POST", url, "no key", bonjour))
		require.Equal(t, http.StatusUnauthorized, status)
	})
}
