package balance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"sync"
	"time"
)

// ProbeOptions says how machines are asked whether they are well.
// The zero value works.
type ProbeOptions struct {
	Path     string        // below the machine's root; "" means /models
	Interval time.Duration // between rounds; 0 means 5 s
	Timeout  time.Duration // of one question; 0 means 2 s
}

// Probe asks every machine at each interval, until ctx ends. One that does not
// answer, or with a status of 500 or above, fails as it would with a request; one
// that was ejected and answers comes back early, the first time. Run it in a
// goroutine of its own.
func (b *Balancer) Probe(ctx context.Context, o ProbeOptions) {
	if o.Path == "" {
		o.Path = "/models"
	}
	if o.Interval <= 0 {
		o.Interval = 5 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	ticker := time.NewTicker(o.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var round sync.WaitGroup
		for _, m := range b.machines {
			round.Go(func() {
				if err := b.ask(ctx, m, o); ctx.Err() == nil {
					b.probed(m, b.o.Now(), err)
				}
			})
		}
		round.Wait()
	}
}

func (b *Balancer) ask(ctx context.Context, m *machine, o ProbeOptions) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	u := url.URL{Scheme: m.root.Scheme, Host: m.root.Host, Path: path.Join("/", m.root.Path, o.Path)}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	m.sign(req.Header)
	resp, err := b.o.Transport.RoundTrip(req)
	if err != nil {
		return quiet(err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
	_ = resp.Body.Close()
	if resp.StatusCode >= 500 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
