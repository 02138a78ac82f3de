package llmaas

import (
	"context"
	"log/slog"
	"time"

	"github.com/llmaas/llmaas-go/cost"
)

// EventKind says what happened to a call.
type EventKind string

// What happens to a call, in this order.
const (
	Started    EventKind = "start"
	Retried    EventKind = "retry"       // a request failed and is sent again after Event.Wait
	Hedged     EventKind = "hedge"       // a second request is sent: Event.Wait was not enough for the first
	FellBack   EventKind = "fallback"    // Event.Err ended a target; Event.Model is the next
	FirstToken EventKind = "first token" // of a stream
	Ended      EventKind = "end"         // Event.Err is nil if it ended well
)

// Event is one thing that happened to a call. It holds no text of a prompt or an
// answer, and no token.
type Event struct {
	Kind     EventKind
	Op       string // as in [Error.Op]
	Model    string // that is asked now
	Tenant   string
	Since    time.Duration // since the call began
	Attempts int           // requests sent so far
	Wait     time.Duration // before the next request, of Retried and Hedged
	Status   int           // of the reply that Retried is about; 0 when there was none
	Err      error

	// Of Ended alone.
	RequestID string
	Backend   Backend
	Usage     cost.Usage // zero when the call never got an answer
	Bill      cost.Bill
}

// Observer sees what happens to every call. It is called on the goroutine of the
// call, so it must be quick, and by many at once.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// LogEvents is an [Observer] that writes to log: ends that failed and fallbacks
// as warnings, other ends as info, all else for debugging.
func LogEvents(log *slog.Logger) Observer { return logObserver{log} }

type logObserver struct{ log *slog.Logger }

// Observe writes one record.
func (o logObserver) Observe(ctx context.Context, e Event) {
	level := slog.LevelDebug
	switch {
	case e.Kind == FellBack, e.Kind == Ended && e.Err != nil:
		level = slog.LevelWarn
	case e.Kind == Ended:
		level = slog.LevelInfo
	}
	if !o.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("op", e.Op), slog.String("model", e.Model), slog.Duration("since", e.Since), slog.Int("attempts", e.Attempts)}
	if e.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", e.Tenant))
	}
	if e.Kind == Retried || e.Kind == Hedged {
		attrs = append(attrs, slog.Duration("wait", e.Wait))
	}
	if e.Kind == Retried {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if e.Kind == Ended {
		attrs = append(attrs, slog.String("request", e.RequestID), slog.String("backend", e.Backend.Machine),
			slog.Int64("input", e.Usage.Input), slog.Int64("output", e.Usage.Output), slog.Bool("estimated", e.Usage.Estimated),
			slog.String("euro", e.Bill.Total.String()))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	o.log.LogAttrs(ctx, level, "llmaas "+string(e.Kind), attrs...)
}
