package llmaas

import (
	"cmp"
	"context"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/lifecycle"
	"github.com/llmaas/llmaas-go/tokens"
)

// before is what happens to a call before it is sent to a model: its dates are
// looked up, tokens and cost are estimated, the limits are asked. What it found
// out stands in result, also when it returns an error.
func (c *Client) before(ctx context.Context, req openai.ChatCompletionRequest, known *facts, result *Result) error {
	now := c.now()
	if err := c.advise(ctx, req.Model, now, result); err != nil {
		return err
	}
	result.Estimate = estimate(req)
	result.Quote = c.quote(req, result.Estimate.Total, now)
	//lint:ignore SA1019 the service knows max_tokens by this name only
	most := cmp.Or(req.MaxCompletionTokens, req.MaxTokens, defaultMaxTokens)
	return c.admit(ctx, known, int64(most)*int64(max(req.N, 1)), result.Quote.Most)
}

// advise looks the model up: one that is gone is refused. A model that the
// catalogue does not know is the service's to judge.
func (c *Client) advise(ctx context.Context, model string, now time.Time, result *Result) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	advice := c.catalogue.Advise(model, now, lifecycle.AdviceOptions{Tenant: callFrom(ctx).Tenant})
	result.Status, result.Advice = advice.Status, advice.Reason
	switch advice.Action {
	case lifecycle.Refuse:
		return &Error{Kind: ErrModelGone, Successor: advice.Successor}
	case lifecycle.Warn:
		c.warnings.once(ctx, advice, lifecycle.DateOf(now))
	}
	return nil
}

// judge has the guard look at what is new. The last and gravest report stands in
// result.
func (c *Client) judge(ctx context.Context, messages []openai.ChatCompletionMessage, result *Result) error {
	if c.guard == nil {
		return nil
	}
	return c.judgeTexts(ctx, newTexts(messages), result)
}

func (c *Client) judgeTexts(ctx context.Context, texts []string, result *Result) error {
	if c.guard == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	call, now := callFrom(ctx), c.now()
	for _, text := range texts {
		report := c.guard.Inspect(ctx, guard.Input{Tenant: call.Tenant, Session: call.Session, Text: text, Time: now})
		if report.Action >= result.Report.Action {
			result.Report = report
		}
		if report.Action == guard.Block {
			return &Error{Kind: ErrRefused, Report: &report}
		}
	}
	return nil
}

// defaultMaxTokens is what the service takes for max_tokens when a request names
// none (its API page, 2025 and 2026).
const defaultMaxTokens = 1024

// quote is what the call can cost. Without a tariff for the day it is zero.
func (c *Client) quote(req openai.ChatCompletionRequest, in tokens.Estimate, now time.Time) cost.Quote {
	model, _ := c.catalogue.Model(req.Model)
	//lint:ignore SA1019 the service knows max_tokens by this name only
	most := cmp.Or(req.MaxCompletionTokens, req.MaxTokens, defaultMaxTokens)
	quote, _ := c.prices.At(now).Quote(cost.Request{
		Input:     cost.Range{Low: in.Low, Likely: in.Likely, High: in.High},
		MaxTokens: most,
		Reasoning: model.Capabilities.Has(lifecycle.Reasoning),
		Choices:   req.N,
	})
	return quote
}

// newTexts are the texts of this turn. The caller resends all earlier ones each
// turn; they were judged when they were new, and judging them again would take
// every conversation for a repetition.
func newTexts(messages []openai.ChatCompletionMessage) []string {
	turn := behavior.NewTurn(messages, func(m openai.ChatCompletionMessage) string { return m.Role })
	texts := make([]string, len(turn))
	for i, m := range turn {
		texts[i] = textOf(m)
	}
	return texts
}

// textOf is the text of a message, whether it is one string or parts.
func textOf(m openai.ChatCompletionMessage) string {
	if len(m.MultiContent) == 0 {
		return m.Content
	}
	var b strings.Builder
	for _, part := range m.MultiContent {
		if part.Text != "" {
			b.WriteString(part.Text)
			b.WriteByte('\n')
		}
	}
	return b.String()
}
