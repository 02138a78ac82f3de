package balance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A machine that sends what is no HTTP must not have it told in an error or a
// status: it may be an answer, or a prompt.
func TestErrorsHoldNothingThatAMachineSent(t *testing.T) {
	for _, sent := range []string{
		"the-secret-words\r\n\r\n",
		"HTTP/1.1 the-secret-words\r\n\r\n",
		"HTTP/the-secret-words 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nthe-secret-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: the-secret-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: the-secret-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nthe-secret-words\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nthe-secret-words\r\n\r\n",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, sent)
				_ = conn.Close()
			}
		}()
		b, err := New(Options{Backends: []Backend{{Name: "a", URL: "http://" + listener.Addr().String()}}})
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://backend/v1/models", nil)
		require.NoError(t, err)
		resp, err := b.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, resp.Body.Close())
		}
		require.Error(t, err, sent)
		require.NotContains(t, err.Error(), "secret", sent)
		reason := b.Status()[0].Reason
		require.NotEmpty(t, reason, sent)
		require.NotContains(t, reason, "secret", sent)
		if err := b.ask(t.Context(), b.machines[0], ProbeOptions{Path: "/models", Timeout: time.Minute}); err != nil {
			require.NotContains(t, err.Error(), "secret", sent)
		}
		require.NoError(t, listener.Close())
	}
}
