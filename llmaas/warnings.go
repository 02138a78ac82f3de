package llmaas

import (
	"context"
	"log/slog"
	"sync"

	"github.com/llmaas/llmaas-go/lifecycle"
)

// maxWarned is how many models of a day are remembered; the catalogue has fewer.
const maxWarned = 1000

// warnings says once a day what is coming for a model.
type warnings struct {
	log *slog.Logger

	mu   sync.Mutex // guards what follows
	day  lifecycle.Date
	told map[string]bool
}

func newWarnings(log *slog.Logger) *warnings { return &warnings{log: log} }

func (w *warnings) once(ctx context.Context, advice lifecycle.Advice, day lifecycle.Date) {
	if w.log == nil || !w.first(advice.Model, day) {
		return
	}
	w.log.LogAttrs(ctx, slog.LevelWarn, "llmaas model", slog.String("model", advice.Model),
		slog.String("advice", advice.Reason), slog.String("successor", advice.Successor))
}

func (w *warnings) first(model string, day lifecycle.Date) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.day != day || w.told == nil || len(w.told) >= maxWarned {
		w.day, w.told = day, make(map[string]bool)
	}
	told := w.told[model]
	w.told[model] = true
	return !told
}
