package metrics_test

import (
	"fmt"
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
