package llmaas

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// BatchOptions say how [Client.Batch] works. The zero value works.
type BatchOptions struct {
	// Concurrent is the most calls at once. Fewer are made while the service
	// answers 429. 0 means 16.
	Concurrent int

	// Journal is the path of a file that keeps each answer as it comes, so that
	// a batch that was broken off goes on where it was. "" means none. It is
	// for one process at a time. It holds prompts' digests and the answers; it
	// is readable for its owner alone.
	Journal string

	// Key, of 32 bytes, encrypts the journal with AES-256-GCM. Nil leaves it plain.
	Key []byte

	// Progress is called after each item, by one goroutine at a time.
	Progress func(BatchProgress)
}

// BatchProgress is how far a batch is.
type BatchProgress struct {
	Total, Done     int         // Done counts failed and resumed ones too
	Failed, Resumed int         // Resumed came from the journal
	Cost            cost.Amount // of all answers, in nano-euro, resumed ones too
	Concurrent      int         // calls that may be made at once by now
}

// BatchItem is what became of one request.
type BatchItem struct {
	Response *Response // nil when Err is not
	Err      error     // an [*Error]
	Resumed  bool      // it came from the journal; nothing was sent
}

// maxThrottled is how often one item is sent again after its call ended in a
// rate limit, each time later.
const maxThrottled = 8

// Batch makes many independent calls and returns their items in the order of the
// requests. An item that fails does not stop the others. The error says that the
// journal failed, or the context ended; the items are valid all the same.
//
// With a journal, an answer that was received is never asked for again, whatever
// ends the process: only answers are kept, so failed items are tried anew. A call
// that was under way is repeated with the same Idempotency-Key, by which the
// service can tell that it is the same.
func (c *Client) Batch(ctx context.Context, reqs []openai.ChatCompletionRequest, o BatchOptions) ([]BatchItem, error) {
	b, err := c.newBatch(ctx, reqs, o)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	var wg sync.WaitGroup
	for range min(b.gate.most, len(reqs)) {
		wg.Go(func() { b.work() })
	}
	wg.Wait()
	err = b.err
	if err == nil && b.progress.Done < len(reqs) {
		err = errorOf(ctx.Err())
	}
	for i := range b.items {
		if b.items[i].Response == nil && b.items[i].Err == nil {
			b.items[i].Err = (&Error{Kind: ErrCanceled}).fill(&facts{op: "batch"})
		}
	}
	if b.journal != nil {
		err = errors.Join(err, b.journal.close())
	}
	return b.items, err
}

// batch is one run.
type batch struct {
	c       *Client
	ctx     context.Context
	stop    context.CancelFunc
	o       BatchOptions
	reqs    []openai.ChatCompletionRequest
	gate    *gate
	journal *journal

	mu       sync.Mutex // guards what follows
	next     int
	items    []BatchItem
	progress BatchProgress
	err      error // of the journal
}

func (c *Client) newBatch(ctx context.Context, reqs []openai.ChatCompletionRequest, o BatchOptions) (*batch, error) {
	if o.Concurrent < 0 || o.Key != nil && len(o.Key) != 32 {
		return nil, fmt.Errorf("llmaas: BatchOptions: want Concurrent of 0 or more and a Key of 32 bytes, got %d and %d bytes", o.Concurrent, len(o.Key))
	}
	if o.Concurrent == 0 {
		o.Concurrent = 16
	}
	b := &batch{c: c, o: o, reqs: reqs, gate: newGate(o.Concurrent), items: make([]BatchItem, len(reqs))}
	b.progress.Total = len(reqs)
	if o.Journal != "" {
		var err error
		if b.journal, err = openJournal(o.Journal, o.Key); err != nil {
			return nil, err
		}
		if err := b.resume(callFrom(ctx).Extra); err != nil {
			return nil, errors.Join(err, b.journal.close())
		}
	}
	b.ctx, b.stop = context.WithCancel(context.WithValue(ctx, gateKey{}, b.gate))
	return b, nil
}

// resume takes over what the journal holds.
func (b *batch) resume(extra map[string]any) error {
	for _, r := range b.journal.records {
		if r.Index < 0 || r.Index >= len(b.reqs) {
			continue // the list was longer before
		}
		digest, err := digestOf(b.reqs[r.Index], extra)
		if err != nil {
			return err
		}
		if digest != r.Digest {
			return fmt.Errorf("llmaas: journal: item %d is another request than before: want the same list, or a journal of its own", r.Index)
		}
		b.done(r.Index, b.c.itemOf(r))
	}
	b.journal.records = nil
	return nil
}

// work makes calls until none is left.
func (b *batch) work() {
	for {
		i, ok := b.take()
		if !ok || b.gate.enter(b.ctx) != nil {
			return
		}
		item := b.call(i)
		b.gate.leave()
		if b.ctx.Err() != nil && item.Err != nil {
			return // it was broken off: nothing to tell
		}
		if b.journal != nil {
			if err := b.write(i, item); err != nil {
				b.fail(err)
			}
		}
		b.done(i, item)
	}
}

// take returns the next item to ask for.
func (b *batch) take() (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ; b.next < len(b.reqs); b.next++ {
		if b.items[b.next].Response == nil && b.items[b.next].Err == nil && b.ctx.Err() == nil {
			b.next++
			return b.next - 1, true
		}
	}
	return 0, false
}

// call asks for one item, more slowly when the service is at its limit.
func (b *batch) call(i int) BatchItem {
	ctx := b.ctx
	if b.journal != nil {
		call := callFrom(ctx)
		call.Header = call.Header.Clone()
		if call.Header == nil {
			call.Header = make(map[string][]string)
		}
		call.Header.Set("Idempotency-Key", b.journal.key(i))
		ctx = WithCall(ctx, call)
	}
	for n := 0; ; n++ {
		resp, err := b.c.Chat(ctx, b.reqs[i])
		if err == nil {
			b.gate.faster()
			return BatchItem{Response: resp}
		}
		e := errorOf(err)
		if !errors.Is(e.Kind, ErrRateLimited) || n == maxThrottled {
			return BatchItem{Err: e}
		}
		b.gate.slower()
		wait := max(e.RetryAfter, backoff(n, defaultJitter()))
		if wait > time.Minute || sleep(ctx, wait) != nil {
			return BatchItem{Err: e}
		}
	}
}

func (b *batch) write(i int, item BatchItem) error {
	withheld := errors.Is(item.Err, ErrWithheld) // it was paid for
	if item.Err != nil && !withheld {
		return nil
	}
	digest, err := digestOf(b.reqs[i], callFrom(b.ctx).Extra)
	if err != nil {
		return err
	}
	return b.journal.append(recordOf(i, digest, item, b.c.now()))
}

// fail ends the batch: going on would pay for answers that cannot be kept.
func (b *batch) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = errors.Join(b.err, err)
	b.stop()
}

func (b *batch) done(i int, item BatchItem) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items[i] = item
	p := &b.progress
	p.Done++
	p.Concurrent = b.gate.size()
	if item.Err != nil {
		p.Failed++
	}
	if item.Resumed {
		p.Resumed++
	}
	if item.Response != nil {
		p.Cost += item.Response.Bill.Total
	}
	if b.o.Progress != nil {
		b.o.Progress(*p)
	}
}
