package examples_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/lifecycle"
	"github.com/llmaas/llmaas-go/llmaas/gateway/limit"
	"github.com/llmaas/llmaas-go/tokens"
)

// TestFactsAgree holds the tables of packages that do not know one another
// against each other: a fact that two of them print is the same in both.
func TestFactsAgree(t *testing.T) {
	catalogue := lifecycle.Default()
	day := catalogue.AsOf().Time(time.UTC)
	families, figures := 0, 0
	for m := range catalogue.Models() {
		// An estimator for a family without a table calls itself unknown.
		if family := tokens.For(m.ID).Family(); m.Tokenizer != "" {
			require.Equal(t, m.Tokenizer, family, m.ID)
			families++
		}
		if figure, ok := cost.DefaultEnergy().At(m.ID, day); ok && m.EnergyWh > 0 {
			require.Equal(t, m.EnergyWh, int64(figure.PerToken), "%s: Wh per million tokens are µWh per token", m.ID)
			figures++
		}
	}
	t.Logf("%d families and %d energy figures of %d models", families, figures, catalogue.Len())
	require.Greater(t, families, 60)
	require.Greater(t, figures, 60)

	for _, tier := range limit.Tiers() {
		if tier.MonthlyBudget != limit.Unlimited {
			require.Zero(t, tier.MonthlyBudget%int64(cost.Euro), "%s: both count nano-euro", tier.ID)
		}
	}
}
