package metrics

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Options configures [New]. The zero value works.
type Options struct {
	// History is how many requests are kept. 0 means 1,000.
	History int

	// MaxLabels bounds the values of each label. 0 means 200.
	MaxLabels int

	// Alerts are watched by [Metrics.Check].
	Alerts []Alert

	// Notify is told when an alert begins and when it ends. It is called by
	// [Metrics.Check], one call at a time. Nil means that nobody is told.
	Notify func(Notice)

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Metrics counts requests. It is safe for concurrent use.
type Metrics struct {
	now    func() time.Time
	notify func(Notice)
	check  sync.Mutex // one Check at a time

	mu        sync.Mutex // guards what follows
	models    group
	backends  group
	endpoints group
	rules     labels
	limits    labels
	findings  counter // rule family, action
	limited   counter // limit
	inFlight  int64

	ring   ring
	curve  curve
	alerts []alert
}

// New makes an empty set of metrics. The error says which option is wrong.
func New(o Options) (*Metrics, error) {
	if o.History < 0 || o.MaxLabels < 0 {
		return nil, errors.New("metrics: Options: got a negative History or MaxLabels, want 0 or more")
	}
	if o.History == 0 {
		o.History = 1000
	}
	if o.MaxLabels == 0 {
		o.MaxLabels = 200
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	most := labels{most: o.MaxLabels}
	m := &Metrics{
		now: o.Now, notify: o.Notify, rules: most, limits: most, findings: counter{}, limited: counter{},
		ring: ring{all: make([]Request, o.History)},
	}
	for _, g := range []*group{&m.models, &m.backends, &m.endpoints} {
		*g = group{labels: most, all: make(map[string]*series)}
	}
	names := make(map[string]bool)
	for _, a := range o.Alerts {
		compiled, err := a.compile()
		if err != nil {
			return nil, err
		}
		if names[a.Name] {
			return nil, fmt.Errorf("metrics: alert %s: Name: it stands twice", a.Name)
		}
		names[a.Name] = true
		m.alerts = append(m.alerts, compiled)
	}
	return m, nil
}

// Begin counts a request in flight. Call the function it returns once, at its end.
func (m *Metrics) Begin() (end func()) {
	m.mu.Lock()
	m.inFlight++
	m.mu.Unlock()
	return sync.OnceFunc(func() {
		m.mu.Lock()
		m.inFlight--
		m.mu.Unlock()
	})
}

// Observe counts a request that has ended. A zero Time is set to when it began,
// if it ended now.
func (m *Metrics) Observe(r Request) {
	if r.Time.IsZero() {
		r.Time = m.now().Add(-r.Duration)
	}
	r.bound()
	m.mu.Lock()
	defer m.mu.Unlock()
	// A model is known by the first request that it answered, or that a machine failed.
	model := m.models.of(r.Model, r.Status < 400 || r.Status >= 500 && r.Backend != "")
	model.used(&r)
	m.endpoints.of(r.Endpoint, true).requests[r.Status]++
	if r.Backend != "" {
		backend := m.backends.of(r.Backend, true)
		backend.used(&r)
		backend.took(&r)
		model.took(&r)
	}
	for _, rule := range r.Rules {
		family, _, _ := strings.Cut(rule, "/")
		m.findings[key{m.rules.bound(family), r.Action}]++
	}
	if r.Limit != "" {
		m.limited[key{m.limits.bound(r.Limit)}]++
	}
	m.ring.add(r)
	m.curve.add(&r, m.now)
}

// Ejected counts a backend that was taken out of service.
func (m *Metrics) Ejected(backend string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.backends.of(backend, true).ejections++
}
