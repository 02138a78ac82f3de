package metrics

import (
	"fmt"
	"math"
	"time"
)

// Measure is what an alert looks at, over the requests that ended in the last
// minute unless it says otherwise.
type Measure string

// The measures.
const (
	LatencyP99 Measure = "latency_p99" // seconds
	ErrorRate  Measure = "error_rate"  // share of requests with status 500 and above, 0 to 1
	GuardRate  Measure = "guard_rate"  // share of requests that the guard blocked, 0 to 1
	LimitRate  Measure = "limit_rate"  // share of requests with status 429, 0 to 1
	CostRate   Measure = "cost_rate"   // euros an hour, at the pace of the last minute
	InFlight   Measure = "in_flight"   // requests at this moment
)

// Alert is a threshold on a measure.
type Alert struct {
	Name    string        // unique
	Measure Measure       // or a Value of the host's own
	Above   float64       // it begins when the measure is above this
	Below   float64       // it ends when the measure is no longer above this; 0 means nine tenths of Above
	For     time.Duration // how long the measure must be above before it begins

	// Value is asked at each check in place of a Measure: the share of a budget that
	// is spent, or whatever else the host knows.
	Value func() float64 `json:"-"`
}

// Notice says that an alert began or ended.
type Notice struct {
	Alert   string    `json:"alert"`
	Measure Measure   `json:"measure,omitempty"`
	Firing  bool      `json:"firing"`
	Value   float64   `json:"value"`          // of the measure, in its unit
	Above   float64   `json:"above"`          // the threshold
	Since   time.Time `json:"since,omitzero"` // when the measure crossed the threshold; zero when it has ended
}

// alert is an Alert and where it stands.
type alert struct {
	Alert
	firing bool
	since  time.Time // above since, or firing since; zero while all is well
	value  float64
}

func (a Alert) compile() (alert, error) {
	if a.Below == 0 {
		a.Below = 0.9 * a.Above
	}
	_, known := measures[a.Measure]
	if known == (a.Value != nil) || a.Value != nil && a.Measure != "" {
		return alert{}, fmt.Errorf("metrics: alert %s: Measure: got %q, want one of the package's, or a Value", a.Name, a.Measure)
	}
	switch {
	case a.Name == "" || len(a.Name) > 128:
		return alert{}, fmt.Errorf("metrics: alert: Name: got %d bytes, want 1 to 128", len(a.Name))
	case math.IsNaN(a.Above) || math.IsNaN(a.Below) || a.Below > a.Above || a.For < 0:
		return alert{}, fmt.Errorf("metrics: alert %s: got above %v, below %v for %v, want below at most above, and a time of 0 or more", a.Name, a.Above, a.Below, a.For)
	}
	return alert{Alert: a}, nil
}

// Check looks at every alert and tells Options.Notify what began and what ended.
// A host calls it every few seconds, or runs [Metrics.Watch].
func (m *Metrics) Check() {
	m.check.Lock()
	defer m.check.Unlock()
	now := m.now()
	values := make([]float64, len(m.alerts))
	for i := range m.alerts { // their names, thresholds and funcs never change
		if f := m.alerts[i].Value; f != nil {
			values[i] = f()
		}
	}
	m.mu.Lock()
	last := m.lastMinute(now)
	var notices []Notice
	for i := range m.alerts {
		if of := measures[m.alerts[i].Measure]; of != nil {
			values[i] = of(last)
		}
		if m.alerts[i].step(now, values[i]) {
			notices = append(notices, m.alerts[i].notice())
		}
	}
	m.mu.Unlock()
	if m.notify != nil {
		for _, n := range notices {
			m.notify(n)
		}
	}
}

// Watch calls [Metrics.Check] every interval until done is closed.
func (m *Metrics) Watch(done <-chan struct{}, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.Check()
		case <-done:
			return
		}
	}
}

// Firing returns the alerts that are on.
func (m *Metrics) Firing() []Notice {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []Notice{}
	for i := range m.alerts {
		if m.alerts[i].firing {
			all = append(all, m.alerts[i].notice())
		}
	}
	return all
}

func (a *alert) notice() Notice {
	return Notice{Alert: a.Name, Measure: a.Measure, Firing: a.firing, Value: a.value, Above: a.Above, Since: a.since}
}

// step moves the alert on, and reports whether it began or ended. Between Below
// and Above it stays as it is: that is the hysteresis.
func (a *alert) step(now time.Time, value float64) bool {
	a.value = value
	switch {
	case value > a.Above && a.since.IsZero():
		a.since = now
	case value <= a.Below && a.firing:
		a.firing, a.since = false, time.Time{}
		return true
	case value <= a.Above && !a.firing:
		a.since = time.Time{}
	}
	if !a.firing && !a.since.IsZero() && now.Sub(a.since) >= a.For {
		a.firing = true
		return true
	}
	return false
}

// minute is what ended in the last minute, as far as steps allow.
type minute struct {
	Point
	spread   spread
	length   time.Duration
	inFlight int64
}

// lastMinute sums up the steps that end in it. The mutex is held.
func (m *Metrics) lastMinute(now time.Time) *minute {
	begin := now.Add(-time.Minute).Truncate(step)
	last := &minute{length: now.Sub(begin), inFlight: m.inFlight}
	for s := range m.curve.between(begin, now) {
		last.Requests += s.Requests
		last.Failed += s.Failed
		last.Blocked += s.Blocked
		last.Limited += s.Limited
		last.Cost += s.Cost
		last.spread.merge(&s.spread)
	}
	return last
}

func (m *minute) share(n int64) float64 {
	if m.Requests == 0 {
		return 0
	}
	return float64(n) / float64(m.Requests)
}

// measures are what the measures look at.
var measures = map[Measure]func(*minute) float64{
	LatencyP99: func(m *minute) float64 { return m.spread.percentile(99).Seconds() },
	ErrorRate:  func(m *minute) float64 { return m.share(m.Failed) },
	GuardRate:  func(m *minute) float64 { return m.share(m.Blocked) },
	LimitRate:  func(m *minute) float64 { return m.share(m.Limited) },
	CostRate:   func(m *minute) float64 { return float64(m.Cost) / 1e9 * float64(time.Hour) / float64(m.length) },
	InFlight:   func(m *minute) float64 { return float64(m.inFlight) },
}
