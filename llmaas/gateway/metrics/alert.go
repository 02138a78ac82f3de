package metrics

import (
	"fmt"
	"math"
	"time"
)

// Measure is what an alert looks at, over the last minute unless it says otherwise.
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
	Name    string
	Measure Measure
	Above   float64       // it begins when the measure is above this
	Below   float64       // it ends when the measure is below this; 0 means nine tenths of Above
	For     time.Duration // how long the measure must be above before it begins
}

// Notice says that an alert began or ended.
type Notice struct {
	Alert  string    `json:"alert"`
	Firing bool      `json:"firing"`
	Value  float64   `json:"value"`          // of the measure, in its unit
	Since  time.Time `json:"since,omitzero"` // when the measure crossed the threshold; zero when it has ended
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
	switch a.Measure {
	case LatencyP99, ErrorRate, GuardRate, LimitRate, CostRate, InFlight:
	default:
		return alert{}, fmt.Errorf("metrics: alert %s: Measure: got %q, want one of the package's", a.Name, a.Measure)
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
	recent := m.Curve(now.Add(-time.Minute))
	m.mu.Lock()
	var notices []Notice
	for i := range m.alerts {
		if m.alerts[i].step(now, m.alerts[i].Measure.of(recent, m.inFlight)) {
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
	return Notice{Alert: a.Name, Firing: a.firing, Value: a.value, Since: a.since}
}

// step moves the alert on, and reports whether it began or ended. Between Below
// and Above it stays as it is: that is the hysteresis.
func (a *alert) step(now time.Time, value float64) bool {
	a.value = value
	switch {
	case value > a.Above && a.since.IsZero():
		a.since = now
	case value < a.Below && a.firing:
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

// of is the value of the measure over points.
func (m Measure) of(recent []Point, inFlight int64) float64 {
	var sum Point
	var worst time.Duration
	for _, p := range recent {
		sum.Requests += p.Requests
		sum.Failed += p.Failed
		sum.Blocked += p.Blocked
		sum.Limited += p.Limited
		sum.Cost += p.Cost
		worst = max(worst, p.P99)
	}
	share := func(n int64) float64 {
		if sum.Requests == 0 {
			return 0
		}
		return float64(n) / float64(sum.Requests)
	}
	switch m {
	case LatencyP99:
		return worst.Seconds()
	case ErrorRate:
		return share(sum.Failed)
	case GuardRate:
		return share(sum.Blocked)
	case LimitRate:
		return share(sum.Limited)
	case CostRate:
		return float64(sum.Cost) / 1e9 * 60
	case InFlight:
		return float64(inFlight)
	}
	return 0
}
