package balance

import (
	"context"
	"errors"
	"io"
	"sync"
)

// body is an answer under way. It tells the balancer once how it ended.
type body struct {
	io.ReadCloser
	ctx     context.Context
	callers bool // a 429 that is the caller's own limit
	once    sync.Once
	end     func(outcome, string)
}

// Read notices the end of the answer, and an answer that breaks off.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.finish(good, "")
	default:
		err = quiet(err)
		b.finish(failed(b.ctx), "an answer broke off: "+err.Error())
	}
	return n, err
}

// Close before the end says nothing about the machine.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.finish(neither, "")
	return err
}

func (b *body) finish(how outcome, why string) { b.once.Do(func() { b.end(how, why) }) }

// peeked is a body whose head was read and put back.
type peeked struct {
	io.Reader
	io.Closer
}
