package tokens

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// talk is a conversation: a system prompt, two turns of prose, then a turn with
// three tool calls of which one answer is long.
func talk() []Message {
	long := strings.Repeat("The lighthouse keeper wrote one line in his log every evening. ", 20)
	call := func(id string) Message {
		return Message{Role: "assistant", ToolCalls: []ToolCall{{ID: id, Name: "weather", Arguments: `{"city":"Brest"}`}}}
	}
	result := func(id, text string) Message { return Message{Role: "tool", ToolCallID: id, Content: text} }
	return []Message{
		{Role: "system", Content: "You are a patient assistant."}, // 0
		{Role: "user", Content: "First question. " + long},        // 1
		{Role: "assistant", Content: "First answer. " + long},     // 2
		{Role: "user", Content: "Second question. " + long},       // 3
		{Role: "assistant", Content: "Second answer. " + long},    // 4
		{Role: "user", Content: "What will the weather be?"},      // 5
		call("a"), result("a", "Rain. "+long), call("b"), result("b", ""), // 6 7 8 9
		call("c"), result("c", "Sun."), // 10 11
	}
}

func TestFit(t *testing.T) {
	e := For("qwen3:8b")
	whole := e.EstimateMessages(talk()).Total.High
	for _, row := range []struct {
		name    string
		context int
		dropped []int
		cut     int
	}{
		{"all fits", whole + 200, nil, -1},
		{"the oldest turn goes", whole + 199, []int{1, 2}, -1},
		{"two turns go", 900, []int{1, 2, 3, 4}, -1},
		{"the oldest call goes with its result", 450, []int{1, 2, 3, 4, 6, 7}, -1},
	} {
		got, err := e.Fit(talk(), FitOptions{Context: row.context, Reserve: 200})
		require.NoError(t, err, row.name)
		require.Equal(t, row.dropped, got.Dropped, row.name)
		require.Equal(t, row.cut, got.Cut, row.name)
		require.Equal(t, -1, got.Summary, row.name)
		require.Len(t, got.Messages, len(talk())-len(row.dropped), row.name)
		require.LessOrEqual(t, got.Estimate.Total.High+200, row.context, row.name)
		require.Equal(t, row.context-got.Estimate.Total.High, got.MaxTokens, row.name)
		require.Equal(t, e.EstimateMessages(got.Messages), got.Estimate, row.name)
		requireWholeCalls(t, got.Messages)
	}
}

// requireWholeCalls checks that every call has its result and the other way round.
func requireWholeCalls(t *testing.T, messages []Message) {
	t.Helper()
	open := map[string]int{}
	for _, m := range messages {
		for _, c := range m.ToolCalls {
			open[c.ID]++
		}
		if m.Role == "tool" {
			open[m.ToolCallID]--
		}
	}
	for id, n := range open {
		require.Zero(t, n, "call %s", id)
	}
}

func TestFitCutsTheLastTurn(t *testing.T) {
	e := For("gpt-oss:20b")
	messages := []Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: strings.Repeat("One long question. ", 500)}}
	got, err := e.Fit(messages, FitOptions{Context: 600, Reserve: 100})
	require.NoError(t, err)
	require.Equal(t, 1, got.Cut)
	require.Less(t, len(got.Messages[1].Content), len(messages[1].Content))
	require.Greater(t, len(got.Messages[1].Content), 1000)
	require.LessOrEqual(t, got.Estimate.Total.High, 500)
	require.Len(t, messages[1].Content, 500*19, "the caller's messages stay")
}

func TestFitSummarizes(t *testing.T) {
	e := For("qwen3:8b")
	got, err := e.Fit(talk(), FitOptions{Context: 1100, Reserve: 200, Summarize: func(dropped []Message) (string, error) {
		require.Len(t, dropped, 4)
		return "They spoke of a lighthouse. " + strings.Repeat("And so on. ", 1000), nil
	}})
	require.NoError(t, err)
	require.Equal(t, 1, got.Summary)
	require.True(t, strings.HasPrefix(got.Messages[1].Content, "They spoke of a lighthouse."))
	require.Equal(t, "user", got.Messages[1].Role)
	require.LessOrEqual(t, got.Estimate.Total.High, 900)

	failed := errors.New("no model")
	_, err = e.Fit(talk(), FitOptions{Context: 1100, Reserve: 200, Summarize: func([]Message) (string, error) { return "", failed }})
	require.ErrorIs(t, err, failed)
}

func TestFitRefuses(t *testing.T) {
	e := For("qwen3:8b")
	system := []Message{{Role: "system", Content: strings.Repeat("Long orders. ", 500)}, {Role: "user", Content: "Hello"}}
	for _, row := range []struct {
		o    FitOptions
		want string
	}{
		{FitOptions{}, "got context 0"},
		{FitOptions{Context: 10, Reserve: 10}, "reserve 10"},
		{FitOptions{Context: 10, Reserve: -1}, "reserve -1"},
		{FitOptions{Context: 500, Reserve: 100}, "does not fit"},
	} {
		_, err := e.Fit(system, row.o)
		require.ErrorContains(t, err, row.want)
	}
	_, err := e.Fit(system, FitOptions{Context: 500})
	require.ErrorIs(t, err, ErrTooLong)
	got, err := e.Fit(nil, FitOptions{Context: 500})
	require.NoError(t, err)
	require.Equal(t, 500, got.MaxTokens)
}
