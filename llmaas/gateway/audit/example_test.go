package audit_test

import (
	"fmt"
	"os"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
)

func Example() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	key := audit.Key{ID: "2026-05", Secret: [32]byte{ /* 32 random bytes, from where the host keeps its secrets */ 1}}

	log, err := audit.Open(audit.Options{Dir: dir, Key: key})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range []audit.Record{
		{Tenant: "acme", Model: "gpt-oss:120b", Status: 200, Input: 70, Output: 200, Cost: 863_000},
		{Tenant: "acme", Model: "gpt-oss:120b", Status: 400, Steps: []audit.Step{{Name: "guard", Decision: "refuse", Rules: []string{"override/previous-instructions"}}}},
	} {
		r.Time = time.Date(2025, 11, 22, 12, 0, 0, 0, time.UTC)
		if err := log.Append(r); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := log.Close(); err != nil {
		fmt.Println(err)
		return
	}
	report, err := audit.NewReport(dir, audit.Filter{Tenant: "acme"}, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("problems:", len(report.Verified.Problems))
	for _, row := range report.Rows {
		fmt.Println(row.Day, row.Outcome, row.Requests, row.Cost)
	}
	// Output:
	// problems: 0
	// 2025-11-22 answered 1 863000
	// 2025-11-22 refused 1 0
}
