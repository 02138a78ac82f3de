package verify

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// promtool finds nothing to complain about in the metrics, whatever callers
// wrote into the names of models.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	require.NoError(t, err, "apt-get install prometheus")
	vars, _ := start(t)
	traffic(t, vars)
	status, text := fetch(t, vars["ADMIN_KEY"], "GET", strings.TrimSuffix(vars["BASE_URL"], "/v1")+"/metrics", "")
	require.Equal(t, 200, status)
	require.Contains(t, text, `llmaas_requests_total{model="llama3.3:70b",status="200"} 5`)
	require.NotContains(t, text, "bold", "a name that nothing answers to is no label")
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out))
}
