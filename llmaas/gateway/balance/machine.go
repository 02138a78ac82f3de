package balance

import (
	"net/url"
	"time"
)

// machine is a backend and what is known of it. The balancer's mutex guards it.
type machine struct {
	Backend
	root *url.URL
	hash uint64

	inflight int
	latency  float64 // moving average of the time to the first byte, in seconds; 0 at first
	draining bool

	failures  int       // in a row
	ejections int       // in a row, without a success between
	ejected   bool      // out because of failures, until the time below
	until     time.Time // out until then: ejected, or put aside by its own Retry-After
	back      time.Time // when it last came back; slow start counts from here
}

// out reports whether the machine takes no requests at now.
func (m *machine) out(now time.Time) bool { return now.Before(m.until) }

// share is the machine's weight at now: less while it starts slowly.
func (m *machine) share(now time.Time, slowStart time.Duration) float64 {
	w := float64(m.Weight)
	if since := now.Sub(m.back); !m.back.IsZero() && since < slowStart {
		w *= max(0.1, float64(since)/float64(slowStart))
	}
	return w
}

// cost is what another request would suffer: the queue times the usual wait.
// A slow start is no part of it: being drawn less often is enough.
func (m *machine) cost() float64 {
	return float64(m.inflight+1) * max(m.latency, 1e-3) / float64(m.Weight)
}

// smoothing is the weight of a new latency in the moving average: about the
// last ten requests count.
const smoothing = 0.2

func (m *machine) observe(latency time.Duration) {
	s := latency.Seconds()
	if m.latency == 0 {
		m.latency = s
		return
	}
	m.latency += smoothing * (s - m.latency)
}

// Status is one machine as it stands.
type Status struct {
	Name     string        `json:"name"`
	Models   []string      `json:"models,omitempty"`
	Weight   int           `json:"weight"`
	InFlight int           `json:"in_flight"`
	Latency  time.Duration `json:"latency"` // moving average of the time to the first byte
	Out      bool          `json:"out"`     // takes no requests: ejected, or asked for a pause
	Until    time.Time     `json:"until,omitzero"`
	Draining bool          `json:"draining"`
}

// Status returns all machines as they stand, in the order of the options.
func (b *Balancer) Status() []Status {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Status, len(b.machines))
	for i, m := range b.machines {
		all[i] = Status{
			Name: m.Name, Models: m.Models, Weight: m.Weight, InFlight: m.inflight, Draining: m.draining,
			Latency: time.Duration(m.latency * float64(time.Second)), Out: m.out(now),
		}
		if all[i].Out {
			all[i].Until = m.until
		}
	}
	return all
}
