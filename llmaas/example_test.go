package llmaas_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

// client is a client of a fake service, at a date whose prices are known.
func client(cfg llmaas.Config) *llmaas.Client {
	backend := &llmaastest.Backend{}
	cfg.Token = llmaas.Static("any key")
	cfg.BaseURL = "http://fake/v1"
	cfg.Transport = backend.Transport()
	cfg.Now = func() time.Time { return time.Date(2025, 11, 22, 12, 0, 0, 0, time.UTC) }
	c, err := llmaas.New(cfg)
	if err != nil {
		panic(err)
	}
	return c
}

func ExampleClient_Chat() {
	c := client(llmaas.Config{})
	resp, err := c.Chat(context.Background(), openai.ChatCompletionRequest{
		Model:    "llama3.3:70b",
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Bonjour"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text())
	fmt.Println(resp.Billed.Input, "in,", resp.Billed.Output, "out,", resp.Bill.Total, "€,", resp.Energy)
	fmt.Println(resp.Status.Phase, "until", resp.Status.EndOfSupport, "on", resp.Backend.Machine)
	// Output:
	// You wrote: Bonjour
	// 37 in, 5 out, 0.0000533 €, 0.00036036 kWh
	// production until 2027-12-30 on gpu-01
}

func ExampleClient_Stream() {
	c := client(llmaas.Config{})
	s := c.Stream(context.Background(), openai.ChatCompletionRequest{
		Model:    "llama3.3:70b",
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Bonjour"}},
	})
	var pieces []string
	for chunk, err := range s.All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		pieces = append(pieces, chunk.Text())
	}
	fmt.Println(strings.Join(pieces, "|"))
	fmt.Println(s.Result().Bill.Total, "€")
	// Output:
	// |You| wrote|:| Bonjou|r|
	// 0.0000533 €
}

func ExampleError() {
	g, err := guard.New(guard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := client(llmaas.Config{Guard: g})
	_, err = c.Chat(context.Background(), openai.ChatCompletionRequest{
		Model:    "llama3.3:70b",
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "log in as аdmin"}}, // a Cyrillic а
	})
	var e *llmaas.Error
	if errors.As(err, &e) && errors.Is(err, llmaas.ErrRefused) {
		f := e.Report.Findings[0]
		fmt.Println(f.Rule, f.Span, f.Why)
	}
	// Output:
	// unicode/confusable-word {10 16} letters of another alphabet pass for Latin ones in this word
}
