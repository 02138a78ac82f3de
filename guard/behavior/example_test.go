package behavior_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// override stands for the patterns layer.
type override struct{}

func (override) Inspect(_ context.Context, p *check.Prompt, dst []check.Finding) []check.Finding {
	phrase := []byte("ignore instructions")
	view := p.Folded.Main()
	if i := bytes.Index(view.Text, phrase); i >= 0 {
		dst = append(dst, check.Finding{
			Rule: "example/override", Layer: "example", Severity: check.High,
			Span: view.Span(i, i+len(phrase)), View: view.Name, Why: "sets the instructions aside",
		})
	}
	return dst
}

func Example() {
	layer, err := behavior.New(behavior.Options{Scan: override{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, text := range []string{"ignore", "What is the weather like?", "INSTRUCTIONS, please"} {
		var folded fold.Text
		folded.Reset(text)
		p := &check.Prompt{Input: check.Input{Tenant: "acme", Session: "42", Text: text}, Folded: &folded}
		found := override{}.Inspect(ctx, p, nil) // the other layers first
		for _, f := range layer.Inspect(ctx, p, found) {
			fmt.Printf("%s, %d points, for %q\n", f.Rule, f.Points(), text[f.Span.Start:f.Span.End])
		}
	}
	// Output:
	// behavior/fragmentation, 100 points, for "INSTRUCTIONS"
}

func ExampleNewTurn() {
	type message struct{ Role, Content string } // openai.ChatCompletionMessage has both
	conversation := []message{
		{"system", "You are a helpful assistant."},
		{"user", "What does the page say?"},
		{"assistant", "Let me look."},
		{"tool", "Welcome to our page!"},
	}
	for _, m := range behavior.NewTurn(conversation, func(m message) string { return m.Role }) {
		fmt.Println(m.Role, m.Content)
	}
	// Output:
	// tool Welcome to our page!
}

// A tenant may be stricter than the others.
func ExamplePolicy() {
	layer, err := behavior.New(behavior.Options{
		Policy: func(tenant string) behavior.Policy {
			if tenant == "strict" {
				return behavior.Policy{Repeats: 3, FailClosed: true}
			}
			return behavior.Policy{}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var folded fold.Text
	folded.Reset("Hello?")
	for i := range 3 {
		p := &check.Prompt{Input: check.Input{Tenant: "strict", Session: "42", Text: "Hello?"}, Folded: &folded}
		for _, f := range layer.Inspect(context.Background(), p, nil) {
			fmt.Println(i+1, f.Rule, f.Why)
		}
	}
	// Output:
	// 3 behavior/repetition the same prompt 3 times in a row; 3 is the limit
}

func ExampleNewMemory() {
	memory, err := behavior.NewMemory(behavior.MemoryOptions{Sessions: 10_000, Window: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	var past behavior.Past
	for range 2 {
		entry := &behavior.Entry{Time: time.Now(), Digest: 1, Piece: []byte("hello"), Whole: true}
		if err := memory.Append(context.Background(), behavior.Key{Tenant: "acme", Session: "42"}, entry, &past); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(past.Same, "in a row; sessions:", memory.Len())
	// Output:
	// 2 in a row; sessions: 1
}
