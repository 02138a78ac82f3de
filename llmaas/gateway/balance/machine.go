package balance

import (
	"math"
	"net/url"
	"time"
)

// machine is a backend and what is known of it. The balancer's mutex guards it.
type machine struct {
	Backend
	root *url.URL
	hash uint64

	inflight int
	latency  float64   // moving average of the time to the first byte, in seconds; 0 at first
	seen     time.Time // when that was last learned
	draining bool

	failures  int       // in a row
	missed    int       // probes in a row
	why       string    // the last of either
	errors    int       // answers of status 500 in a row: perhaps the callers' doing
	ejections int       // in a row, without a success between
	ejected   bool      // out because of failures, until the time below
	until     time.Time // ejected until then
	paused    time.Time // out until then: its own Retry-After
	back      time.Time // when it last came back; slow start counts from here
}

// out reports whether the machine takes no requests at now.
func (m *machine) out(now time.Time) bool { return now.Before(m.until) || now.Before(m.paused) }

// share is the machine's weight at now: less while it starts slowly, and while it
// answers nothing but errors that do not eject it.
func (m *machine) share(now time.Time, slowStart time.Duration) float64 {
	w := float64(m.Weight)
	if m.errors > 0 {
		w /= float64(1 + min(m.errors, 9))
	}
	if m.back.IsZero() {
		return w
	}
	if since := now.Sub(m.back); since < slowStart {
		w *= max(0.1, float64(since)/float64(slowStart))
	}
	return w
}

// cost is what another request would suffer: the queue times the wait that is to
// be expected. A slow start is no part of it: being drawn less often is enough.
func (m *machine) cost(now time.Time, usual float64) float64 {
	return float64(m.inflight+1) * max(m.wait(now, usual), 1e-3) / float64(m.Weight)
}

// forget is the time after which half of what is known of a machine's latency is
// no longer believed. A machine that was slow once would else never be asked
// again, and one that nothing is known of would look like the fastest.
const forget = 10 * time.Second

// wait is the latency to be expected. While nothing is heard of a machine it goes
// to half of what is usual among all: that is enough to be asked again.
func (m *machine) wait(now time.Time, usual float64) float64 {
	if m.latency == 0 {
		return usual
	}
	since := max(now.Sub(m.seen), 0)
	return usual/2 + (m.latency-usual/2)*math.Exp2(-float64(since)/float64(forget))
}

// smoothing is the weight of a new latency in the moving average: about the
// last ten requests count.
const smoothing = 0.2

func smooth(average *float64, s float64) {
	if *average == 0 {
		*average = s
		return
	}
	*average += smoothing * (s - *average)
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
	Failures int           `json:"failures"`         // in a row; many and not out: too many others are
	Reason   string        `json:"reason,omitempty"` // the last failure, while it counts
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
			Failures: max(m.failures, m.missed), Reason: m.why,
		}
		if now.Before(m.paused) {
			all[i].Reason = "it asked for a pause"
		}
		if all[i].Out {
			all[i].Until = m.until
			if m.paused.After(m.until) {
				all[i].Until = m.paused
			}
		}
	}
	return all
}
