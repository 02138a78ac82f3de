package limit_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
)

func Example() {
	ctx, now := context.Background(), time.Date(2026, 5, 17, 12, 15, 0, 0, time.UTC)
	tier := limit.Tiers()[0] // 150,000 output tokens per hour
	tier.RequestsPerMinute = 60

	limiter, err := limit.New(limit.Options{Tier: func(tenant string) limit.Tier { return tier }})
	if err != nil {
		fmt.Println(err)
		return
	}
	call := func(maxTokens, used int64) error {
		lease, err := limiter.Reserve(ctx, limit.Request{Tenant: "acme", Output: maxTokens}, now)
		if err != nil {
			return err
		}
		defer lease.Release(ctx) // for every path that does not settle
		return lease.Settle(ctx, limit.Used{Output: used})
	}
	fmt.Println(call(100_000, 80_000))
	fmt.Println(call(70_000, 70_000))

	var exceeded *limit.ExceededError
	if errors.As(call(1, 1), &exceeded) {
		fmt.Println(exceeded.Limit, exceeded.RetryAfter)
	}
	// Output:
	// <nil>
	// <nil>
	// output_tokens_per_hour 45m0s
}
