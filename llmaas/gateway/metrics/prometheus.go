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
	t.counter("llmaas_requests_total", "Requests by model and HTTP status.", m.requests, one, "model", "status")
	t.counter("llmaas_endpoint_requests_total", "Requests by endpoint and HTTP status.", m.endpoint, one, "endpoint", "status")
	t.counter("llmaas_tokens_total", "Tokens by model and kind; output is without reasoning.", m.tokens, one, "model", "kind")
	t.counter("llmaas_cost_euros_total", "What the requests cost.", m.cost, func(n int64) string { return decimal(n, 9) }, "model")
	// One microwatt-hour is 0.0036 J.
	t.counter("llmaas_energy_joules_total", "What the requests took, where the figure is known.", m.energy, func(n int64) string { return decimal(n*36, 4) }, "model")
	t.counter("llmaas_guard_findings_total", "Findings of the guard by rule family and action.", m.findings, one, "family", "action")
	t.counter("llmaas_limited_requests_total", "Requests refused by a limit.", m.limited, one, "limit")
	t.counter("llmaas_backend_requests_total", "Requests by backend and class of status.", m.backend, one, "backend", "class")
	t.counter("llmaas_backend_ejections_total", "Times a backend was taken out of service.", m.ejections, one, "backend")
	t.histogram("llmaas_request_duration_seconds", "Time from request to end of answer.", m.duration)
	t.histogram("llmaas_time_to_first_token_seconds", "Time from request to the first token.", m.ttft)
	t.histogram("llmaas_output_tokens_per_second", "Speed of an answer after its first token.", m.speed)
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

func (t *text) counter(name, help string, c counter, show func(int64) string, names ...string) {
	t.head(name, "counter", help)
	for _, k := range sortedKeys(c) {
		t.line(name, names, k[:len(names)], show(c[k]))
	}
}

func (t *text) histogram(name, help string, h histogram) {
	t.head(name, "histogram", help)
	for _, model := range slices.Sorted(maps.Keys(h.series)) {
		d, sum := h.series[model], int64(0)
		for i, bound := range h.bounds {
			sum += d.counts[i]
			t.line(name+"_bucket", []string{"model", "le"}, []string{model, float(bound)}, one(sum))
		}
		t.line(name+"_bucket", []string{"model", "le"}, []string{model, "+Inf"}, one(d.n))
		t.line(name+"_sum", []string{"model"}, []string{model}, float(d.sum))
		t.line(name+"_count", []string{"model"}, []string{model}, one(d.n))
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
	digits := fmt.Sprintf("%0*d", places+1, n)
	at := len(digits) - places
	return strings.TrimRight(strings.TrimRight(digits[:at]+"."+digits[at:], "0"), ".")
}
