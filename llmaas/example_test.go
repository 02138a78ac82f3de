package llmaas_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

func ExampleClient_Batch() {
	c := client(llmaas.Config{})
	var reqs []openai.ChatCompletionRequest
	for _, prompt := range []string{"one", "two", "three"} {
		reqs = append(reqs, openai.ChatCompletionRequest{
			Model:    "llama3.3:70b",
			Messages: []openai.ChatCompletionMessage{{Role: "user", Content: prompt}},
		})
	}
	items, err := c.Batch(context.Background(), reqs, llmaas.BatchOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range items {
		if item.Err != nil {
			fmt.Println(item.Err)
			continue
		}
		fmt.Println(item.Response.Text())
	}
	// Output:
	// You wrote: one
	// You wrote: two
	// You wrote: three
}

func ExampleTransport() {
	backend := &llmaastest.Backend{}
	rt, err := llmaas.Transport(llmaas.Config{Token: llmaas.Static("any key"), BaseURL: "http://fake/v1", Transport: backend.Transport()})
	if err != nil {
		fmt.Println(err)
		return
	}
	conf := openai.DefaultConfig("not used")
	conf.BaseURL, conf.HTTPClient = "http://fake/v1", &http.Client{Transport: rt}
	c := openai.NewClientWithConfig(conf)

	backend.Script(llmaastest.Reply{Status: 503}) // the transport tries again
	resp, err := c.CreateChatCompletion(context.Background(), openai.ChatCompletionRequest{
		Model:    "llama3.3:70b",
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Bonjour"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Choices[0].Message.Content)
	// Output:
	// You wrote: Bonjour
}
