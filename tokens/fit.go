package tokens

import (
	"errors"
	"fmt"
)

// ErrTooLong says that a conversation does not fit even with all that may go
// gone: the system prompt and the tools alone fill the context.
var ErrTooLong = errors.New("tokens: does not fit the context")

// FitOptions says what a conversation must fit into.
type FitOptions struct {
	Context int      // tokens that the model can take, prompt and answer together
	Reserve int      // tokens to keep free for the answer
	Tools   []string // tool definitions as JSON, sent with every request
	// Summarize, if set, is asked once to say in one text what was dropped. Its
	// text comes back as a user message behind the system prompt, cut to the
	// room that is left; an empty text adds nothing.
	Summarize func(dropped []Message) (string, error)
}

// Fitted is a conversation that fits.
type Fitted struct {
	Messages  []Message
	Dropped   []int // places in the original, ascending
	Cut       int   // place in the original of the message that was shortened, or -1
	Summary   int   // place of the summary in Messages, or -1
	Estimate  MessagesEstimate
	MaxTokens int // what is free for the answer: a max_tokens that cannot overflow
}

// Fit shortens a conversation until the upper bound of its tokens leaves
// Reserve free. It keeps system messages and the newest turns; the oldest turn
// goes first, each turn whole. When only the last turn is left, its oldest tool
// calls go, each with its results; at the very end its longest text is cut.
// The messages given are not changed.
func (e *Estimator) Fit(messages []Message, o FitOptions) (Fitted, error) {
	if o.Context <= 0 || o.Reserve < 0 || o.Reserve >= o.Context {
		return Fitted{}, fmt.Errorf("tokens: fit: got context %d and reserve %d, want 0 ≤ reserve < context", o.Context, o.Reserve)
	}
	w := window{e: e, messages: messages, room: o.Context - o.Reserve, tools: o.Tools, gone: make([]bool, len(messages)), cut: -1}
	if err := w.shrink(); err != nil {
		return Fitted{}, err
	}
	out := Fitted{Cut: w.cut, Summary: -1}
	var dropped []Message
	at := 0
	for i, m := range messages {
		switch {
		case w.gone[i]:
			out.Dropped = append(out.Dropped, i)
			dropped = append(dropped, m)
			continue
		case i == w.cut:
			m.Content = w.content
		}
		out.Messages = append(out.Messages, m)
		if isSystem(m.Role) && at == len(out.Messages)-1 {
			at++
		}
	}
	out.Estimate = e.EstimateMessages(out.Messages, o.Tools...)
	if o.Summarize != nil && len(dropped) > 0 {
		text, err := o.Summarize(dropped)
		if err != nil {
			return Fitted{}, fmt.Errorf("tokens: fit: summarize: %w", err)
		}
		w.summarize(&out, at, text)
	}
	out.MaxTokens = o.Context - out.Estimate.Total.High
	return out, nil
}

// window is a conversation while it shrinks.
type window struct {
	e        *Estimator
	messages []Message
	tools    []string
	room     int
	gone     []bool
	cut      int
	content  string // of the cut message
}

func (w *window) shrink() error {
	size := w.measure()
	if size.estimate(w.e).Total.High <= w.room {
		return nil
	}
	for _, unit := range w.units() {
		for i := unit.from; i < unit.to; i++ {
			if !isSystem(w.messages[i].Role) {
				w.gone[i] = true
				size.remove(w.e, &w.messages[i])
			}
		}
		if size.estimate(w.e).Total.High <= w.room {
			return nil
		}
	}
	return w.cutLongest()
}

func (w *window) measure() chat {
	c := chat{tools: len(w.tools)}
	if !w.e.printsNoTools() {
		for _, t := range w.tools {
			c.system.add(w.e, t)
		}
	}
	for i := range w.messages {
		if !w.gone[i] {
			c.add(w.e, &w.messages[i])
		}
	}
	return c
}

type span struct{ from, to int }

// units lists what may go, oldest first: every turn but the last, then within
// the last turn every answer with the tool results behind it but the last.
func (w *window) units() (units []span) {
	last := 0
	for i, m := range w.messages {
		if m.Role == "user" && i > last {
			units = append(units, span{last, i})
			last = i
		}
	}
	start := -1
	for i := last; i < len(w.messages); i++ {
		if w.messages[i].Role != "assistant" {
			continue
		}
		if start >= 0 {
			units = append(units, span{start, i})
		}
		start = i
	}
	return units
}

// cutLongest shortens the longest message that is left.
func (w *window) cutLongest() error {
	for i, m := range w.messages {
		if !w.gone[i] && !isSystem(m.Role) && (w.cut < 0 || len(m.Content) > len(w.messages[w.cut].Content)) {
			w.cut = i
		}
	}
	if w.cut < 0 {
		return fmt.Errorf("%w: room for %d tokens", ErrTooLong, w.room)
	}
	rest := w.measure()
	rest.remove(w.e, &w.messages[w.cut])
	short := w.messages[w.cut]
	free := w.room - rest.estimate(w.e).Total.High
	for step := 8; free > 0; free, step = free-step, 2*step {
		short.Content = w.e.Truncate(w.messages[w.cut].Content, free)
		size := rest
		size.add(w.e, &short)
		if size.estimate(w.e).Total.High <= w.room {
			w.content = short.Content
			return nil
		}
	}
	return fmt.Errorf("%w: room for %d tokens", ErrTooLong, w.room)
}

// summarize puts a summary behind the leading system messages if it fits.
func (w *window) summarize(out *Fitted, at int, text string) {
	free := w.room - out.Estimate.Total.High
	for step := 8; free > 0; free, step = free-step, 2*step {
		short := Message{Role: "user", Content: w.e.Truncate(text, free)}
		if short.Content == "" {
			return
		}
		with := append(append(append([]Message{}, out.Messages[:at]...), short), out.Messages[at:]...)
		if est := w.e.EstimateMessages(with, w.tools...); est.Total.High <= w.room {
			out.Messages, out.Estimate, out.Summary = with, est, at
			return
		}
	}
}
