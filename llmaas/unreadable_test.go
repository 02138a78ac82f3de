package llmaas_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas"
)

// What a service sends that is no HTTP may be a reply: no error quotes it.
func TestErrorsHoldNothingThatAServiceSent(t *testing.T) {
	req := openai.ChatCompletionRequest{Model: "llama3.3:70b", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Bonjour"}}}
	for _, sent := range []string{
		"the-secret-words\r\n\r\n",
		"HTTP/1.1 the-secret-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nthe-secret-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: the-secret-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: the-secret-words\r\n\r\n",
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
		c, err := llmaas.New(llmaas.Config{Token: llmaas.Static("k"), BaseURL: "http://" + listener.Addr().String() + "/v1", Retry: llmaas.Retry{Attempts: 1}})
		require.NoError(t, err)
		_, err = c.Chat(t.Context(), req)
		require.Error(t, err, sent)
		require.NotContains(t, err.Error(), "secret")
		err = nil
		for _, e := range c.Stream(t.Context(), req).All() {
			err = e
		}
		require.Error(t, err, sent)
		require.NotContains(t, err.Error(), "secret")
		require.NoError(t, listener.Close())
	}
}
