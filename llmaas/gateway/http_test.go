package gateway_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas/gateway"
)

// certificate makes one for 127.0.0.1, and a client that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, client *http.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return certFile, keyFile, &http.Client{Transport: transport}
}

// TestProtocols serves streams over HTTP/1.1 and, behind TLS, HTTP/2: one that
// takes longer than a caller may take to send its body comes whole, event by
// event, and one whose caller leaves is stopped at once.
func TestProtocols(t *testing.T) {
	certFile, keyFile, client := certificate(t)
	for _, row := range []struct {
		name, scheme string
		options      gateway.ServerOptions
		client       *http.Client
		major        int
	}{
		{"HTTP/1.1", "http://", gateway.ServerOptions{}, http.DefaultClient, 1},
		{"HTTP/2", "https://", gateway.ServerOptions{CertFile: certFile, KeyFile: keyFile}, client, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t, nil)
			for _, m := range h.machines {
				m.TokenDelay = 20 * time.Millisecond
			}
			row.options.BodyTimeout = 100 * time.Millisecond
			url := row.scheme + served(t, h, row.options) + "/v1/chat/completions"
			call := func(ctx context.Context, text string) *http.Response {
				req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(chat("llama3.3:70b", text, `,"stream":true`)))
				require.NoError(t, err)
				req.Header.Set("Authorization", "Bearer "+h.key)
				resp, err := row.client.Do(req)
				require.NoError(t, err)
				require.Equal(t, 200, resp.StatusCode)
				require.Equal(t, row.major, resp.ProtoMajor)
				return resp
			}
			begun := time.Now()
			resp := call(t.Context(), strings.Repeat("a long story ", 5))
			first, err := bufio.NewReader(resp.Body).ReadString('\n')
			require.NoError(t, err)
			require.Contains(t, first, "data: {")
			early := time.Since(begun)
			rest, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Contains(t, string(rest), "[DONE]")
			require.Greater(t, time.Since(begun)-early, 2*row.options.BodyTimeout, "events come as they are made")
			require.NoError(t, resp.Body.Close())

			ctx, cancel := context.WithCancel(t.Context())
			resp = call(ctx, "Tell me the longest story that you know, please."+strings.Repeat(" Go on with it.", 4))
			_, err = io.ReadFull(resp.Body, make([]byte, 300))
			require.NoError(t, err)
			cancel()
			_ = resp.Body.Close()
			require.Eventually(t, func() bool { return len(h.records(t)) == 2 }, 5*time.Second, 5*time.Millisecond)
			require.Equal(t, 499, h.records(t)[1].Status)
		})
	}
}

// TestExpect sends a header alone: a body is asked for only where it will be read.
func TestExpect(t *testing.T) {
	h := newHouse(t, nil)
	for key, want := range map[string]string{h.key: "HTTP/1.1 100 Continue", "sk-wrong": "HTTP/1.1 401 Unauthorized"} {
		conn, err := net.Dial("tcp", h.Listener.Addr().String())
		require.NoError(t, err)
		body := chat("llama3.3:70b", "Hello", "")
		_, err = io.WriteString(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+key+"\r\nExpect: 100-continue\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n")
		require.NoError(t, err)
		r := bufio.NewReader(conn)
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want, strings.TrimSpace(line))
		if key == h.key {
			_, err = io.WriteString(conn, body)
			require.NoError(t, err)
			_, err = r.ReadString('\n')
			require.NoError(t, err)
			resp, err := http.ReadResponse(r, nil)
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			require.NoError(t, resp.Body.Close())
		}
		require.NoError(t, conn.Close())
	}
}
