package llmaas

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Timeouts bound the waits of a call, beside the deadline of its context. Zero
// fields mean the defaults.
type Timeouts struct {
	// Connect is for the connection and its TLS handshake. 0 means 10 s. It
	// counts only for the client's own transport.
	Connect time.Duration

	// FirstToken is from the start of a streamed call to its first event,
	// retries included. 0 means 5 min: models think.
	FirstToken time.Duration

	// Idle is between two events of a stream. 0 means 1 min.
	Idle time.Duration

	// Reply is for a reply that is not streamed, until it is whole, retries
	// included. 0 means 10 min.
	Reply time.Duration
}

func (t Timeouts) check() error {
	if t.Connect < 0 || t.FirstToken < 0 || t.Idle < 0 || t.Reply < 0 {
		return errors.New("llmaas: Config.Timeouts: got a negative value, want 0 or more")
	}
	return nil
}

func (t Timeouts) defaults() Timeouts {
	return Timeouts{
		Connect:    cmp.Or(t.Connect, 10*time.Second),
		FirstToken: cmp.Or(t.FirstToken, 5*time.Minute),
		Idle:       cmp.Or(t.Idle, time.Minute),
		Reply:      cmp.Or(t.Reply, 10*time.Minute),
	}
}

func (c *Client) withReplyTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.timeouts.Reply, c.noReply)
}

// cause is the time-out of this package that ended ctx, if one did, else err.
func cause(ctx context.Context, err error) error {
	var timeout *Error
	if errors.As(context.Cause(ctx), &timeout) {
		// A copy: many calls end by one cause, and each fills in its own facts.
		own := *timeout
		return &own
	}
	return err
}
