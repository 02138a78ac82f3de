package audit

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDiskThatFillsUp lets the system itself stop the writing in the middle of a
// line, in a process of its own: files may have 10,000 bytes, and later more.
func TestDiskThatFillsUp(t *testing.T) {
	dir := os.Getenv("LLMAAS_AUDIT_FULL")
	if dir == "" {
		dir = t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestDiskThatFillsUp$")
		cmd.Env = append(os.Environ(), "LLMAAS_AUDIT_FULL="+dir)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		got, err := Verify(dir, k1)
		require.NoError(t, err)
		require.Empty(t, got.Problems)
		require.EqualValues(t, 10, got.Lost)
		require.Greater(t, got.Records, 10)
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	l := open(t, dir, nil)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: was.Max}))
	failed := 0
	for failed < 10 {
		if err := l.Append(record(noon, 0)); err != nil {
			require.ErrorIs(t, err, syscall.EFBIG)
			failed++
			info, err := l.file.Stat()
			require.NoError(t, err)
			require.Equal(t, l.size, info.Size(), "half a line does not stay")
		}
	}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was))
	fill(t, l, 3)
	require.NoError(t, l.Close())
}
