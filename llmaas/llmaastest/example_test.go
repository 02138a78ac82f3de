package llmaastest_test

import (
	"context"
	"fmt"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// A program that is no test starts the fake itself. A test calls NewServer(t).
func ExampleBackend_Start() {
	srv, err := (&llmaastest.Backend{}).Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = srv.Close() }()
	srv.Script(llmaastest.Reply{Contains: "capital", Text: "Paris."})

	cfg := openai.DefaultConfig("any key")
	cfg.BaseURL = srv.URL
	resp, err := openai.NewClientWithConfig(cfg).CreateChatCompletion(context.Background(), openai.ChatCompletionRequest{
		Model:    "llama3.3:70b",
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "What is the capital of France?"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Choices[0].Message.Content, len(srv.Requests()))
	// Output: Paris. 1
}
