package metrics_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/metrics"
)

func Example() {
	m, err := metrics.New(metrics.Options{
		Alerts: []metrics.Alert{{Name: "guard", Measure: metrics.GuardRate, Above: 0.4}},
		Notify: func(n metrics.Notice) { fmt.Println("alert", n.Alert, n.Firing, n.Value) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m.Observe(metrics.Request{Model: "gpt-oss:120b", Backend: "gpu-01", Status: 200, Input: 70, Output: 200, Cost: 863_000, Duration: 2 * time.Second})
	m.Observe(metrics.Request{Model: "gpt-oss:120b", Status: 400, Action: "block", Rules: []string{"override/previous-instructions"}})
	m.Check()

	var text strings.Builder
	if err := m.WriteText(&text); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "llmaas_cost") || strings.HasPrefix(line, "llmaas_guard") {
			fmt.Print(line)
		}
	}
	// Output:
	// alert guard true 0.5
	// llmaas_cost_euros_total{model="gpt-oss:120b"} 0.000863
	// llmaas_guard_findings_total{family="override",action="block"} 1
}

// A webhook is a func that posts. Check waits for it: give its client a timeout.
func ExampleNotice() {
	pager := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Println(string(body), err)
	}))
	defer pager.Close()
	client := &http.Client{Timeout: 5 * time.Second}
	m, err := metrics.New(metrics.Options{
		Now:    func() time.Time { return time.Date(2025, 11, 22, 12, 0, 0, 0, time.UTC) },
		Alerts: []metrics.Alert{{Name: "errors", Measure: metrics.ErrorRate, Above: 0.05, Below: 0.01}},
		Notify: func(n metrics.Notice) {
			body, err := json.Marshal(n)
			if err != nil {
				slog.Error("alert", "alert", n.Alert, "err", err)
				return
			}
			resp, err := client.Post(pager.URL, "application/json", bytes.NewReader(body))
			if err != nil {
				slog.Error("alert", "alert", n.Alert, "err", err)
				return
			}
			_ = resp.Body.Close()
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m.Observe(metrics.Request{Status: 502, Backend: "gpu-01"})
	m.Check() // or go m.Watch(done, 5*time.Second)
	// Output: {"alert":"errors","measure":"error_rate","firing":true,"value":1,"above":0.05,"since":"2025-11-22T12:00:00Z"} <nil>
}
