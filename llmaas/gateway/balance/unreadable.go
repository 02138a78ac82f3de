package balance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// unreadable is a transport's error whose text may hold what a machine sent:
// net/http quotes what is no HTTP, and that may be an answer.
type unreadable struct{ cause error }

func (e *unreadable) Error() string {
	return fmt.Sprintf("balance: the answer could not be read (%T)", e.cause)
}

func (e *unreadable) Unwrap() error { return e.cause }

// quiet returns err with a text that may be logged and shown.
func quiet(err error) error {
	var (
		connection  *net.OpError
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		timeout     net.Error // a url.Error is one too, whatever it holds
	)
	if errors.As(err, &connection) || errors.As(err, &name) || errors.As(err, &certificate) || errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	for _, plain := range []error{io.EOF, io.ErrUnexpectedEOF, context.Canceled, http.ErrSchemeMismatch} {
		if errors.Is(err, plain) {
			return err
		}
	}
	return &unreadable{err}
}
