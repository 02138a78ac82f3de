package redisstore_test

import (
	"context"
	"fmt"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
	"github.com/llmaas/llmaas-go/llmaas/contrib/redisstore"
)

// No server listens there: the tenant's policy says what becomes of prompts.
func Example() {
	store, err := redisstore.New(redisstore.Options{URL: "redis://127.0.0.1:1/0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	layer, err := behavior.New(behavior.Options{
		History: store,
		Policy: func(tenant string) behavior.Policy {
			return behavior.Policy{FailClosed: tenant == "bank"}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var folded fold.Text
	folded.Reset("Hello")
	for _, tenant := range []string{"bank", "museum"} {
		p := &check.Prompt{Input: check.Input{Tenant: tenant, Session: "42", Text: "Hello"}, Folded: &folded}
		for _, f := range layer.Inspect(context.Background(), p, nil) {
			fmt.Println(tenant, f.Rule, f.Points())
		}
	}
	// Output:
	// bank behavior/unavailable 100
	// museum behavior/unavailable 0
}
