package metrics

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

func newMetrics(t testing.TB, o Options) *Metrics {
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	m, err := New(o)
	require.NoError(t, err)
	return m
}

func TestText(t *testing.T) {
	m := newMetrics(t, Options{Alerts: []Alert{{Name: "busy", Measure: InFlight, Above: 0.5}}})
	end := m.Begin()
	m.Check()
	m.Observe(Request{
		Endpoint: "/chat/completions", Model: "gpt-oss:120b", Backend: "gpu-01", Status: 200, Stream: true,
		Input: 70, Output: 200, Reasoning: 40, Cost: 1_543_000, Energy: 2370 * 270,
		Duration: 3 * time.Second, TTFT: time.Second,
	})
	m.Observe(Request{Endpoint: "/chat/completions", Model: "bad\"\n\\\xffname", Status: 200, Action: "block", Rules: []string{"override/a", "override/b", "leak/c"}})
	m.Observe(Request{Endpoint: "/chat/completions", Model: "gpt-oss:120b", Status: 429, Limit: "requests"})
	m.Observe(Request{Endpoint: "/rerank", Model: "whole", Backend: "gpu-03", Status: 200, Output: 100, Duration: time.Second, TTFT: time.Second - 1})
	m.Ejected("gpu-02")
	w := httptest.NewRecorder()
	m.ServeHTTP(w, nil)
	got := w.Body.String()
	for _, line := range []string{
		`llmaas_requests_total{model="gpt-oss:120b",status="200"} 1`,
		`llmaas_requests_total{model="bad\"\n\\` + "\uFFFD" + `name",status="200"} 1`,
		`llmaas_endpoint_requests_total{endpoint="/chat/completions",status="429"} 1`,
		`llmaas_tokens_total{model="gpt-oss:120b",kind="output"} 160`,
		`llmaas_tokens_total{model="gpt-oss:120b",kind="reasoning"} 40`,
		`llmaas_cost_euros_total{model="gpt-oss:120b"} 0.001543`,
		`llmaas_energy_joules_total{model="gpt-oss:120b"} 2303.64`,
		`llmaas_guard_findings_total{family="override",action="block"} 2`,
		`llmaas_limited_requests_total{limit="requests"} 1`,
		`llmaas_backend_requests_total{backend="gpu-01",status="200"} 1`,
		`llmaas_backend_tokens_total{backend="gpu-01",kind="input"} 70`,
		`llmaas_backend_cost_euros_total{backend="gpu-01"} 0.001543`,
		`llmaas_backend_energy_joules_total{backend="gpu-01"} 2303.64`,
		`llmaas_backend_request_duration_seconds_bucket{backend="gpu-01",le="5"} 1`,
		`llmaas_backend_time_to_first_token_seconds_count{backend="gpu-01"} 1`,
		`llmaas_backend_output_tokens_per_second_sum{backend="gpu-01"} 99.5`,
		`llmaas_backend_ejections_total{backend="gpu-02"} 1`,
		`llmaas_request_duration_seconds_bucket{model="gpt-oss:120b",le="2.5"} 0`,
		`llmaas_request_duration_seconds_bucket{model="gpt-oss:120b",le="5"} 1`,
		`llmaas_request_duration_seconds_bucket{model="gpt-oss:120b",le="+Inf"} 1`,
		`llmaas_time_to_first_token_seconds_sum{model="gpt-oss:120b"} 1`,
		`llmaas_output_tokens_per_second_sum{model="gpt-oss:120b"} 99.5`,
		`llmaas_in_flight_requests 1`,
		`llmaas_alert_firing{alert="busy"} 1`,
	} {
		require.Contains(t, strings.Split(got, "\n"), line)
	}
	require.NotContains(t, got, `per_second_sum{model="whole"}`, "its tokens came at once")
	for line := range strings.Lines(got) {
		require.Regexp(t, `^(# (HELP|TYPE) llmaas_\w+ .+|llmaas_\w+(\{.+\})? [-+0-9.eInf]+)\n$`, line)
	}
	end()
	end() // once only
	require.Zero(t, m.inFlight)
}

func TestLabelsAreBounded(t *testing.T) {
	m := newMetrics(t, Options{MaxLabels: 10, History: 5})
	for i := range 1000 {
		name := fmt.Sprint("name-", i)
		m.Observe(Request{Model: name, Backend: name, Endpoint: name, Limit: name, Status: 200, Action: "flag", Rules: []string{name + "/x"}, Duration: time.Second})
		m.Ejected(name)
	}
	m.Observe(Request{Model: strings.Repeat("a", 1000), Status: 200})
	require.Len(t, m.models.all, 11, "ten and the others")
	require.Len(t, m.backends.all, 11)
	require.Len(t, m.endpoints.all, 12, "and none at all")
	require.EqualValues(t, 991, m.models.all[other].requests[200])
	require.Len(t, m.findings, 11)
	require.Len(t, m.limited, 11)
	require.Len(t, m.History(Query{Limit: 1000}), 5)
}

// Names that callers make up do not use up the room of those that are served.
func TestNamesOfNothing(t *testing.T) {
	m := newMetrics(t, Options{MaxLabels: 2})
	for i := range 100 {
		m.Observe(Request{Model: fmt.Sprint("nonesuch-", i), Status: 404})
		m.Observe(Request{Model: fmt.Sprint("nobody-serves-", i), Status: 503})
	}
	m.Observe(Request{Model: "good", Status: 200})
	m.Observe(Request{Model: "broken", Status: 502, Backend: "gpu-01"})
	m.Observe(Request{Model: "good", Status: 404})
	got := make(map[string]map[int]int64)
	for _, s := range m.models.sorted() {
		got[s.name] = s.requests
	}
	require.Equal(t, map[string]map[int]int64{other: {404: 100, 503: 100}, "good": {200: 1, 404: 1}, "broken": {502: 1}}, got)
}

func TestHistory(t *testing.T) {
	m := newMetrics(t, Options{History: 3})
	require.Empty(t, m.History(Query{}))
	for i, r := range []Request{
		{Tenant: "a", Model: "x", Status: 200}, {Tenant: "a", Model: "y", Status: 500},
		{Tenant: "b", Model: "x", Status: 200}, {Tenant: "b", Model: "y", Status: 429},
	} {
		r.ID = fmt.Sprint(i)
		m.Observe(r)
	}
	for _, row := range []struct {
		q    Query
		want string
	}{
		{Query{}, "3 2 1"}, // the oldest is gone
		{Query{Limit: 2}, "3 2"},
		{Query{Tenant: "a"}, "1"},
		{Query{Model: "y"}, "3 1"},
		{Query{Status: 200}, "2"},
		{Query{Failed: true}, "3 1"},
		{Query{Tenant: "nobody"}, ""},
	} {
		var ids []string
		for _, r := range m.History(row.q) {
			ids = append(ids, r.ID)
		}
		require.Equal(t, row.want, strings.Join(ids, " "), "%+v", row.q)
	}
}

func TestCurve(t *testing.T) {
	now := noon
	m := newMetrics(t, Options{Now: func() time.Time { return now }})
	for i := range 200 {
		m.Observe(Request{Status: 200, Backend: "b", Duration: time.Duration(i+1) * time.Millisecond, Output: 2, Cost: 3, Time: now})
	}
	now = now.Add(25 * time.Second)
	m.Observe(Request{Status: 500, Time: now})
	m.Observe(Request{Status: 429, Action: "block", Time: now})
	points := m.Curve(noon)
	require.Len(t, points, 2)
	require.EqualValues(t, 200, points[0].Requests)
	require.EqualValues(t, 400, points[0].Output)
	require.EqualValues(t, 600, points[0].Cost)
	require.InEpsilon(t, 100*time.Millisecond, points[0].P50, 1.0/16)
	require.InEpsilon(t, 198*time.Millisecond, points[0].P99, 1.0/16)
	require.Equal(t, noon.Add(20*time.Second), points[1].Time)
	require.EqualValues(t, 1, points[1].Failed)
	require.EqualValues(t, 1, points[1].Limited)
	require.EqualValues(t, 1, points[1].Blocked)

	now = noon.Add(3 * time.Hour) // the ring has come round
	m.Observe(Request{Status: 200, Time: now})
	require.Len(t, m.Curve(time.Time{}), 1)
	m.Observe(Request{Status: 200, Time: noon}) // too old for the curve
	require.Len(t, m.Curve(time.Time{}), 1)
	m.Observe(Request{Status: 200, Time: now.Add(time.Minute)}) // of a clock that is set back now
	require.Len(t, m.Curve(time.Time{}), 1)
}

func TestAlerts(t *testing.T) {
	now := noon
	var told []string
	m := newMetrics(t, Options{
		Now:    func() time.Time { return now },
		Alerts: []Alert{{Name: "errors", Measure: ErrorRate, Above: 0.5, Below: 0.2, For: 20 * time.Second}},
		Notify: func(n Notice) { told = append(told, fmt.Sprint(n.Alert, n.Firing)) },
	})
	minute := func(good, bad int) {
		now = now.Add(2 * time.Minute)
		for i := range good + bad {
			status := 200
			if i < bad {
				status = 500
			}
			m.Observe(Request{Status: status, Time: now})
		}
		m.Check()
	}
	minute(9, 1)
	minute(1, 9)
	require.Empty(t, told, "it must last")
	now = now.Add(30 * time.Second)
	m.Check()
	require.Equal(t, []string{"errorstrue"}, told)
	require.Len(t, m.Firing(), 1)
	minute(6, 4) // between the thresholds: it stays on
	require.Len(t, told, 1)
	minute(9, 1)
	require.Equal(t, []string{"errorstrue", "errorsfalse"}, told)
	require.Empty(t, m.Firing())
	minute(1, 9)
	minute(10, 0) // a peak that does not last tells nobody
	require.Len(t, told, 2)
}

// Each measure by what it looks at.
func TestMeasures(t *testing.T) {
	hung := func(n int) []Request { // 2 % of requests that hung for minutes, and ended now
		all := make([]Request, 100)
		for i := range all {
			all[i] = Request{Time: noon, Status: 200, Backend: "b", Duration: time.Second}
			if i < n {
				all[i].Time, all[i].Duration = noon.Add(-10*time.Minute), 10*time.Minute
			}
		}
		return all
	}
	spent := 0.0
	for _, row := range []struct {
		name     string
		alert    Alert
		requests []Request
		want     float64
	}{
		{"latency", Alert{Measure: LatencyP99, Above: 20}, hung(2), 600},
		{"latency of one in a hundred", Alert{Measure: LatencyP99, Above: 0.5}, hung(1), 1},
		{"errors", Alert{Measure: ErrorRate}, []Request{{Status: 500}, {Status: 200}, {Status: 429}, {Status: 404}}, 0.25},
		{"guard", Alert{Measure: GuardRate}, []Request{{Status: 400, Action: "block"}, {Status: 200, Action: "flag"}}, 0.5},
		{"limits", Alert{Measure: LimitRate}, []Request{{Status: 429}, {Status: 200}}, 0.5},
		{"cost", Alert{Measure: CostRate}, []Request{{Status: 200, Cost: 1e9}}, 60},
		{"budget", Alert{Value: func() float64 { return spent }, Above: 0.8}, nil, 0.9},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := noon
			var told []Notice
			row.alert.Name = row.name
			m := newMetrics(t, Options{Now: func() time.Time { return now }, Alerts: []Alert{row.alert}, Notify: func(n Notice) { told = append(told, n) }})
			m.Check()
			require.Empty(t, told)
			for _, r := range row.requests {
				m.Observe(r)
			}
			spent = 0.9
			m.Check()
			require.Len(t, told, 1)
			require.InEpsilon(t, row.want, told[0].Value, 1.0/16)
			require.Equal(t, row.alert.Above, told[0].Above)
			now, spent = now.Add(2*time.Minute), 0.1
			m.Check()
			require.Len(t, told, 2, "it ends when nothing comes any more, with a threshold of 0 too")
			require.False(t, told[1].Firing)
		})
	}
}

// A clock that jumps neither stops the curve nor breaks anything.
func TestClockJumps(t *testing.T) {
	now := noon
	m := newMetrics(t, Options{Now: func() time.Time { return now }})
	for _, at := range []time.Duration{0, 24 * time.Hour, 0, -100 * 365 * 24 * time.Hour, 0} {
		now = noon.Add(at)
		for i := range 400 { // all steps of an hour and more
			m.Observe(Request{Time: now.Add(-time.Duration(i) * step), Status: 200, Backend: "b", Duration: -time.Hour, Input: -5, Output: 3, Reasoning: 9})
		}
		require.GreaterOrEqual(t, len(m.Curve(time.Time{})), points-1, at)
	}
	var text strings.Builder
	require.NoError(t, m.WriteText(&text))
	require.NotContains(t, text.String(), "} -", "counters only grow")
}

// What callers write does not fill the memory of the history.
func TestHistoryIsBounded(t *testing.T) {
	m := newMetrics(t, Options{})
	long := strings.Repeat("x", 1<<20)
	rules := make([]string, 1000)
	m.Observe(Request{Status: 200, Model: long, Tenant: long, Rules: rules})
	rules[0] = "changed by the host"
	require.Empty(t, m.History(Query{})[0].Rules[0])
	require.Equal(t, other, m.Usage()[0].Model, "nor is it a label")
	got := m.History(Query{})[0]
	require.Len(t, got.Model, 256)
	require.Len(t, got.Tenant, 256)
	require.Len(t, got.Rules, 64)
}

func FuzzSpread(f *testing.F) {
	f.Add(int64(0), int64(1500), int64(3e9))
	f.Add(int64(-1), int64(1<<62), int64(7999))
	f.Fuzz(func(t *testing.T, a, b, c int64) {
		var s spread
		all := []time.Duration{time.Duration(a), time.Duration(b), time.Duration(c)}
		for i, d := range all {
			s.add(d)
			all[i] = min(max(d, 0), 2*time.Hour)
		}
		slices.Sort(all)
		for p, want := range map[int]time.Duration{1: all[0], 50: all[1], 99: all[2]} {
			require.InDelta(t, want, s.percentile(p), float64(want)/16+float64(time.Microsecond), "%v", all)
		}
	})
}

func TestNewRefusesBadOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"negative": {History: -1},
		"Measure":  {Alerts: []Alert{{Name: "a", Measure: "x"}}},
		"Name":     {Alerts: []Alert{{Measure: InFlight}}},
		"below":    {Alerts: []Alert{{Name: "a", Measure: InFlight, Above: 1, Below: 2}}},
		"twice":    {Alerts: []Alert{{Name: "a", Measure: InFlight}, {Name: "a", Measure: InFlight}}},
		"Value":    {Alerts: []Alert{{Name: "a"}}},
		`got "in_`: {Alerts: []Alert{{Name: "a", Measure: InFlight, Value: func() float64 { return 0 }}}},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, want)
	}
}

func TestManyAtOnce(t *testing.T) {
	m := newMetrics(t, Options{Alerts: []Alert{{Name: "a", Measure: InFlight, Above: 1}}})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				end := m.Begin()
				m.Observe(Request{Model: fmt.Sprint(i), Status: 200, Input: 1})
				m.Check()
				_ = m.History(Query{})
				_ = m.WriteText(&strings.Builder{})
				end()
			}
		})
	}
	all.Wait()
	sum := int64(0)
	for _, s := range m.models.all {
		sum += s.input
	}
	require.EqualValues(t, 1600, sum)
}

func TestDecimal(t *testing.T) {
	for _, row := range []struct {
		n      int64
		places int
		want   string
	}{{0, 9, "0"}, {1, 9, "0.000000001"}, {1_500_000_000, 9, "1.5"}, {20_000, 4, "2"}, {100, 0, "100"}} {
		require.Equal(t, row.want, decimal(row.n, row.places))
	}
}

func BenchmarkObserve(b *testing.B) {
	m := newMetrics(b, Options{})
	r := Request{Model: "gpt-oss:120b", Backend: "gpu-01", Endpoint: "/chat/completions", Status: 200, Input: 70, Output: 200, Cost: 1, Duration: time.Second, TTFT: time.Millisecond, Time: noon}
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(r)
	}
}
