package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ServerOptions configures [Serve]. Handler must be set.
type ServerOptions struct {
	Addr    string // "" means 127.0.0.1:0
	Handler http.Handler

	// CertFile and KeyFile switch TLS 1.3 on.
	CertFile, KeyFile string

	// Drain is how long requests under way may take when the server stops. 0
	// means 30 s.
	Drain time.Duration

	// HeaderTimeout, BodyTimeout and IdleTimeout bound how long a caller may take
	// to send a header, a whole request and the next one. 0 means 10 s, 2 min
	// and 2 min.
	HeaderTimeout, BodyTimeout, IdleTimeout time.Duration

	// Ready is called with the address once the server listens. May be nil.
	Ready func(net.Addr)
}

// TLSConfig is the configuration that the service promises: TLS 1.3 and no less.
func TLSConfig() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS13} }

// Serve listens until ctx is canceled, as signal.NotifyContext does on SIGTERM,
// then takes no new connections and waits for the requests under way. It bounds
// how slowly a caller may send its header and its body.
func Serve(ctx context.Context, o ServerOptions) error {
	if o.Handler == nil {
		return errors.New("gateway: ServerOptions.Handler: got none, want a gateway")
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	o.Drain = cmp.Or(o.Drain, 30*time.Second)
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("gateway: listen: %w", err)
	}
	srv := &http.Server{
		Handler:           o.Handler,
		TLSConfig:         TLSConfig(),
		ReadHeaderTimeout: cmp.Or(o.HeaderTimeout, 10*time.Second),
		ReadTimeout:       cmp.Or(o.BodyTimeout, 2*time.Minute),
		IdleTimeout:       cmp.Or(o.IdleTimeout, 2*time.Minute),
		MaxHeaderBytes:    64 << 10,
	}
	if o.Ready != nil {
		o.Ready(ln.Addr())
	}
	done := make(chan error, 1)
	go func() {
		if o.CertFile != "" {
			done <- srv.ServeTLS(ln, o.CertFile, o.KeyFile)
			return
		}
		done <- srv.Serve(ln)
	}()
	select {
	case err := <-done:
		return fmt.Errorf("gateway: serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("gateway: requests were cut off after %v", o.Drain), srv.Close())
	}
	return nil
}
