package balance

import "time"

// outcome is how a request to a machine went.
type outcome uint8

const (
	neither outcome = iota // the caller went away: it says nothing about the machine
	good
	bad
)

// answered notes that the first byte came, and how long it took.
func (b *Balancer) answered(m *machine, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.observe(took)
}

// done takes a request off a machine and learns from it.
func (b *Balancer) done(m *machine, now time.Time, how outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.inflight--
	switch how {
	case good:
		m.failures, m.ejections = 0, 0
		b.welcome(m)
	case bad:
		b.failure(m, now)
	}
}

// failure counts one against the machine. The mutex is held.
func (b *Balancer) failure(m *machine, now time.Time) {
	if m.failures++; m.failures >= b.o.Failures && !m.out(now) && b.mayEject(m, now) {
		b.eject(m, now)
	}
}

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
		models = []string{""}
	}
	for _, model := range models {
		serving, out := 0, 0
		for _, other := range b.machines {
			if other.serves(model) {
				serving++
				if other.out(now) {
					out++
				}
			}
		}
		if out+1 > max(1, int(b.o.EjectShare*float64(serving))) || serving == 1 {
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
	m.failures = 0
	m.until, m.ejected = now.Add(pause), true
	m.back = m.until
	if b.o.OnEject != nil {
		b.o.OnEject(m.Name, true)
	}
}

// pause puts a machine aside because it asked for it, as a 503 with Retry-After does.
func (b *Balancer) pause(m *machine, now time.Time, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := now.Add(min(d, b.o.EjectMost)); d > 0 && until.After(m.until) && b.mayEject(m, now) {
		m.until, m.back = until, until
	}
}

// probed learns from an answer to a probe: a machine that is well comes back
// early, and one that is not fails as it would with a request.
func (b *Balancer) probed(m *machine, now time.Time, well bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !well {
		b.failure(m, now)
		return
	}
	m.failures = 0
	if m.out(now) {
		m.until, m.back = now, now
	}
	b.welcome(m)
}
