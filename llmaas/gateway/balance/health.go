package balance

import "time"

// outcome is how a request to a machine went.
type outcome uint8

const (
	neither outcome = iota // the caller went away: it says nothing about the machine
	good
	faulty // an answer of status 500: it lives, and nobody knows how well
	bad
)

// answered notes how long the first byte took. An answer that fails says nothing
// of that: a machine that fails fast must not look like a fast one.
func (b *Balancer) answered(m *machine, now time.Time, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.latency > 0 {
		m.latency = m.wait(now, b.usual) // what is old counts for less
	}
	m.seen = now
	smooth(&m.latency, took.Seconds())
	smooth(&b.usual, took.Seconds())
}

// done takes a request off a machine and learns from it.
func (b *Balancer) done(m *machine, now time.Time, how outcome, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.inflight--
	switch how {
	case good:
		m.failures, m.missed, m.errors, m.why = 0, 0, 0, ""
		if !m.out(now) { // else it began before the machine went out
			m.ejections = 0
			b.welcome(m)
		}
	case faulty:
		m.errors++
	case bad:
		b.failure(m, now, &m.failures, why)
	}
}

// failure counts one against the machine. The mutex is held.
func (b *Balancer) failure(m *machine, now time.Time, count *int, why string) {
	m.why = why[:min(len(why), maxReason)]
	if *count++; *count >= b.o.Failures && !m.out(now) && b.mayEject(m, now) {
		b.eject(m, now)
	}
}

// maxReason bounds what is kept of an error, in bytes.
const maxReason = 200

// welcome ends an ejection for those who were told of it. The mutex is held.
func (b *Balancer) welcome(m *machine) {
	if m.ejected {
		m.ejected = false
		if b.o.OnEject != nil {
			b.o.OnEject(m.Name, false)
		}
	}
}

// mayEject keeps enough machines of every model of m in service.
func (b *Balancer) mayEject(m *machine, now time.Time) bool {
	models := m.Models
	if len(models) == 0 {
		models = b.models
	}
	for _, model := range models {
		serving, out := 0, 1 // with m
		for _, other := range b.machines {
			if other.serves(model) {
				serving++
				if other != m && other.out(now) {
					out++
				}
			}
		}
		if out > max(1, int(b.o.EjectShare*float64(serving))) || serving == 1 {
			return false
		}
	}
	return true
}

func (b *Balancer) eject(m *machine, now time.Time) {
	pause := b.o.EjectMost
	if m.ejections < 20 { // 2^20 times any pause is past any bound
		pause = min(pause, b.o.EjectFor<<m.ejections)
	}
	m.ejections++
	m.failures, m.missed = 0, 0
	m.until, m.ejected = now.Add(pause), true
	m.back = m.until
	if b.o.OnEject != nil {
		b.o.OnEject(m.Name, true)
	}
}

// pause puts a machine aside because it asked for it with a Retry-After.
func (b *Balancer) pause(m *machine, now time.Time, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := now.Add(min(d, b.o.EjectMost)); d > 0 && until.After(m.paused) && b.mayEject(m, now) {
		m.paused = until
		if until.After(m.back) {
			m.back = until
		}
	}
}

// probed learns from an answer to a probe. A machine that is well comes back
// early from its first ejection; after the next ones it serves its time, for it
// answers probes well and requests not. What it asked for itself it gets.
func (b *Balancer) probed(m *machine, now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.failure(m, now, &m.missed, "probe: "+err.Error())
		return
	}
	m.missed = 0
	if now.Before(m.until) && m.ejections == 1 {
		m.until, m.back, m.why = now, now, ""
		b.welcome(m)
	}
}
