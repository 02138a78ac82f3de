package metrics

import (
	"errors"
	"strconv"
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
	models    labels
	backends  labels
	endpoints labels
	rules     labels
	limits    labels

	requests  counter // model, status
	endpoint  counter // endpoint, status
	tokens    counter // model, kind
	cost      counter // model, in nano-euro
	energy    counter // model, in microwatt-hours
	findings  counter // rule family, action
	limited   counter // limit
	backend   counter // backend, status class
	ejections counter // backend
	inFlight  int64

	duration histogram
	ttft     histogram
	speed    histogram

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
	m := &Metrics{
		now: o.Now, notify: o.Notify,
		models: labels{most: o.MaxLabels}, backends: labels{most: o.MaxLabels}, endpoints: labels{most: o.MaxLabels},
		rules: labels{most: o.MaxLabels}, limits: labels{most: o.MaxLabels},
		requests: counter{}, endpoint: counter{}, tokens: counter{}, cost: counter{}, energy: counter{},
		findings: counter{}, limited: counter{}, backend: counter{}, ejections: counter{},
		duration: newHistogram(secondsBuckets), ttft: newHistogram(secondsBuckets), speed: newHistogram(speedBuckets),
		ring: ring{all: make([]Request, o.History)},
	}
	for _, a := range o.Alerts {
		compiled, err := a.compile()
		if err != nil {
			return nil, err
		}
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

// Observe counts a request that has ended.
func (m *Metrics) Observe(r Request) {
	if r.Time.IsZero() {
		r.Time = m.now()
	}
	r.Rules = append([]string(nil), r.Rules...)
	m.mu.Lock()
	defer m.mu.Unlock()
	// A model is known by the first request that it answered, or that a machine failed.
	model, status := m.models.admit(r.Model, r.Status < 400 || r.Status >= 500 && r.Backend != ""), strconv.Itoa(r.Status)
	m.requests.add(model, status, 1)
	m.endpoint.add(m.endpoints.bound(r.Endpoint), status, 1)
	m.tokens.add(model, "input", r.Input)
	m.tokens.add(model, "output", r.Output-r.Reasoning)
	m.tokens.add(model, "reasoning", r.Reasoning)
	m.cost.add(model, "", r.Cost)
	m.energy.add(model, "", r.Energy)
	for _, rule := range r.Rules {
		family, _, _ := strings.Cut(rule, "/")
		m.findings.add(m.rules.bound(family), r.Action, 1)
	}
	if r.Limit != "" {
		m.limited.add(m.limits.bound(r.Limit), "", 1)
	}
	if r.Backend != "" {
		m.backend.add(m.backends.bound(r.Backend), strconv.Itoa(r.Status/100)+"xx", 1)
		m.duration.observe(model, r.Duration.Seconds())
	}
	if r.TTFT > 0 {
		m.ttft.observe(model, r.TTFT.Seconds())
		if rest := r.Duration - r.TTFT; rest > 0 && r.Output > 1 {
			m.speed.observe(model, float64(r.Output-1)/rest.Seconds())
		}
	}
	m.ring.add(r)
	m.curve.add(r)
}

// Ejected counts a backend that was taken out of service.
func (m *Metrics) Ejected(backend string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ejections.add(m.backends.bound(backend), "", 1)
}
