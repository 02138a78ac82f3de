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
	var network net.Error
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &network) || errors.As(err, &certificate) {
		return err
	}
	for _, plain := range []error{io.EOF, io.ErrUnexpectedEOF, context.Canceled, http.ErrSchemeMismatch} {
		if errors.Is(err, plain) {
			return err
		}
	}
	return &unreadable{err}
}
