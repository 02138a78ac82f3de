package metrics

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ServeHTTP writes the Prometheus text. The host decides who may read it.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_ = m.WriteText(w) // the reader went away: nobody to tell
}

// WriteText writes all metrics in the Prometheus text format 0.0.4, in a stable order.
func (m *Metrics) WriteText(w io.Writer) error {
	var b strings.Builder
	t := &text{&b}
	m.mu.Lock()
	models, backends := m.models.sorted(), m.backends.sorted()
	t.statuses("llmaas_requests_total", "Requests by model and HTTP status.", models, "model")
	t.statuses("llmaas_endpoint_requests_total", "Requests by endpoint and HTTP status.", m.endpoints.sorted(), "endpoint")
	t.statuses("llmaas_backend_requests_total", "Requests by backend and HTTP status.", backends, "backend")
	t.used("llmaas_", "model", models)
	t.used("llmaas_backend_", "backend", backends)
	t.sums("llmaas_backend_ejections_total", "Times a backend was taken out of service.", backends, "backend", func(s *series) int64 { return s.ejections }, 0)
	t.counter("llmaas_guard_findings_total", "Findings of the guard by rule family and action.", m.findings, "family", "action")
	t.counter("llmaas_limited_requests_total", "Requests refused by a limit.", m.limited, "limit")
	t.head("llmaas_in_flight_requests", "gauge", "Requests under way.")
	t.line("llmaas_in_flight_requests", nil, nil, strconv.FormatInt(m.inFlight, 10))
	t.alerts(m.alerts)
	m.mu.Unlock()

	out := bufio.NewWriter(w)
	if _, err := out.WriteString(b.String()); err != nil {
		return err
	}
	return out.Flush()
}

// text writes the format (prometheus.io/docs/instrumenting/exposition_formats).
type text struct{ b *strings.Builder }

func (t *text) head(name, kind, help string) {
	fmt.Fprintf(t.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (t *text) line(name string, names []string, values []string, value string) {
	t.b.WriteString(name)
	for i, label := range names {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		t.b.WriteString(sep + label + `="` + escape.Replace(strings.ToValidUTF8(values[i], "\uFFFD")) + `"`)
	}
	if len(names) > 0 {
		t.b.WriteString("}")
	}
	t.b.WriteString(" " + value + "\n")
}

func one(n int64) string { return strconv.FormatInt(n, 10) }

func (t *text) counter(name, help string, c counter, names ...string) {
	t.head(name, "counter", help)
	for _, k := range sortedKeys(c) {
		t.line(name, names, k[:len(names)], one(c[k]))
	}
}

func (t *text) statuses(name, help string, all []*series, label string) {
	t.head(name, "counter", help)
	for _, s := range all {
		for _, status := range slices.Sorted(maps.Keys(s.requests)) {
			t.line(name, []string{label, "status"}, []string{s.name, strconv.Itoa(status)}, one(s.requests[status]))
		}
	}
}

// sums writes what is not zero of a sum, in units of 10^-places.
func (t *text) sums(name, help string, all []*series, label string, sum func(*series) int64, places int) {
	t.head(name, "counter", help)
	for _, s := range all {
		if n := sum(s); n != 0 {
			t.line(name, []string{label}, []string{s.name}, decimal(n, places))
		}
	}
}

// used writes what is counted by model and by backend alike.
func (t *text) used(prefix, label string, all []*series) {
	t.head(prefix+"tokens_total", "counter", "Tokens by "+label+" and kind; output is without reasoning.")
	for _, s := range all {
		for _, kind := range []struct {
			name string
			n    int64
		}{{"input", s.input}, {"output", s.output}, {"reasoning", s.reasoning}} {
			if kind.n > 0 {
				t.line(prefix+"tokens_total", []string{label, "kind"}, []string{s.name, kind.name}, one(kind.n))
			}
		}
	}
	t.sums(prefix+"cost_euros_total", "What the requests cost.", all, label, func(s *series) int64 { return s.cost }, 9)
	// One microwatt-hour is 0.0036 J.
	t.sums(prefix+"energy_joules_total", "What the requests took, where the figure is known.", all, label, func(s *series) int64 { return s.energy * 36 }, 4)
	t.histogram(prefix+"request_duration_seconds", "Time from request to end of answer.", secondsBuckets, all, label, func(s *series) *distribution { return &s.duration })
	t.histogram(prefix+"time_to_first_token_seconds", "Time from request to the first token.", secondsBuckets, all, label, func(s *series) *distribution { return &s.ttft })
	t.histogram(prefix+"output_tokens_per_second", "Speed of an answer after its first token.", speedBuckets, all, label, func(s *series) *distribution { return &s.speed })
}

func (t *text) histogram(name, help string, bounds buckets, all []*series, label string, of func(*series) *distribution) {
	t.head(name, "histogram", help)
	for _, s := range all {
		d, sum := of(s), int64(0)
		if d.n == 0 {
			continue
		}
		for i, bound := range bounds {
			sum += d.counts[i]
			t.line(name+"_bucket", []string{label, "le"}, []string{s.name, float(bound)}, one(sum))
		}
		t.line(name+"_bucket", []string{label, "le"}, []string{s.name, "+Inf"}, one(d.n))
		t.line(name+"_sum", []string{label}, []string{s.name}, float(d.sum))
		t.line(name+"_count", []string{label}, []string{s.name}, one(d.n))
	}
}

func (t *text) alerts(all []alert) {
	t.head("llmaas_alert_firing", "gauge", "1 while the alert is on.")
	for i := range all {
		on := "0"
		if all[i].firing {
			on = "1"
		}
		t.line("llmaas_alert_firing", []string{"alert"}, []string{all[i].Name}, on)
	}
}

func float(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// decimal writes n × 10^-places exactly.
func decimal(n int64, places int) string {
	if places == 0 {
		return one(n)
	}
	digits := fmt.Sprintf("%0*d", places+1, n)
	at := len(digits) - places
	return strings.TrimRight(strings.TrimRight(digits[:at]+"."+digits[at:], "0"), ".")
}
