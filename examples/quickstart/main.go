// Quickstart runs the main job of llmaas once: every prompt is judged by the
// guard, its tokens are estimated, it is sent, its answer streams back, and what
// it used is billed.
//
//	go run ./examples/quickstart               built-in prompts, fake service
//	go run ./examples/quickstart prompts.txt   one prompt a line
//	… | go run ./examples/quickstart           likewise
//
// -at takes a day, as 2026-05-17, whose prices and model dates count.
//
// With LLMAAS_API_KEY set it talks to the real service; LLMAAS_BASE_URL and
// LLMAAS_MODEL choose another address and model.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

const defaultModel = "gpt-oss:120b"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled):
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	at := flags.String("at", time.Now().Format(time.DateOnly), "the day whose prices and model dates count")
	const usage = "usage: quickstart [-at YYYY-MM-DD] [FILE]"
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Println(usage)
			return nil
		}
		return fmt.Errorf("%w\n%s", err, usage)
	}
	day, err := time.Parse(time.DateOnly, *at)
	if err != nil {
		return fmt.Errorf("-at: got %q, want a day such as 2026-05-17", *at)
	}
	source, err := prompts(flags.Args(), os.Stdin)
	if err != nil {
		return err
	}
	terminal := isTerminal(os.Stdout)
	client, closeService, err := connect(day, terminal)
	if err != nil {
		return err
	}
	defer closeService()

	p := &printer{out: os.Stdout, color: terminal && os.Getenv("NO_COLOR") == "", model: model()}
	defer func() {
		if p.prompts > 0 {
			p.totals()
		}
	}()
	for prompt, err := range source {
		if err != nil {
			return err
		}
		if err := send(ctx, client, p, prompt); err != nil {
			return err
		}
		if p.failed != nil { // nobody reads on: send no more
			return p.failed
		}
	}
	return nil
}

func model() string { return cmp.Or(os.Getenv("LLMAAS_MODEL"), defaultModel) }

// connect builds the client: of the real service when a key is set, else of a
// fake one on loopback, which the returned function closes.
func connect(day time.Time, terminal bool) (*llmaas.Client, func(), error) {
	g, err := guard.New(guard.Options{})
	if err != nil {
		return nil, nil, err
	}
	started := time.Now()
	cfg := llmaas.Config{Guard: g, Now: func() time.Time { return day.Add(time.Since(started)) }}
	closeService := func() {}
	if key := os.Getenv("LLMAAS_API_KEY"); key != "" {
		cfg.Token, cfg.BaseURL = llmaas.Static(key), os.Getenv("LLMAAS_BASE_URL")
	} else {
		fake := &llmaastest.Backend{Now: cfg.Now}
		if terminal {
			fake.TokenDelay = 3 * time.Millisecond // so that the answers are seen to stream
		}
		srv, err := fake.Start()
		if err != nil {
			return nil, nil, err
		}
		cfg.Token, cfg.BaseURL = llmaas.Static("quickstart"), srv.URL
		closeService = func() { _ = srv.Close() }
	}
	client, err := llmaas.New(cfg)
	if err != nil {
		closeService()
		return nil, nil, fmt.Errorf("%w: check LLMAAS_BASE_URL", err)
	}
	return client, closeService, nil
}

// send is the main job, for one prompt.
func send(ctx context.Context, client *llmaas.Client, p *printer, q prompt) error {
	stream := client.Stream(llmaas.WithCall(ctx, llmaas.Call{Tenant: "quickstart", Session: q.session}),
		openai.ChatCompletionRequest{
			Model:    model(),
			Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: q.text}},
			//lint:ignore SA1019 the service knows max_tokens by this name only
			MaxTokens: 200,
		})
	answered := false
	var failed error
	for chunk, err := range stream.All() {
		if failed = err; err == nil && chunk.Text() != "" {
			p.answer(chunk.Text(), !answered)
			answered = true
		}
	}
	if answered {
		p.endAnswer()
	}
	switch {
	case failed == nil, errors.Is(failed, llmaas.ErrRefused):
		p.line(q.text, stream.Result(), "")
		return nil
	case errors.Is(failed, llmaas.ErrCanceled):
		p.line(q.text, stream.Result(), "stopped")
	}
	return advise(failed)
}

// advise says what to do about an error that ends the run.
func advise(err error) error {
	for _, a := range []struct {
		kind error
		do   string
	}{
		{llmaas.ErrUnauthorized, "check LLMAAS_API_KEY"},
		{llmaas.ErrConnection, "check LLMAAS_BASE_URL and the network"},
		{llmaas.ErrModelNotFound, "check LLMAAS_MODEL, or unset it"},
		{llmaas.ErrInvalidRequest, "check LLMAAS_BASE_URL: it must end in /v1"},
		{llmaas.ErrRateLimited, "wait, or ask for a higher tier"},
		{llmaas.ErrOverloaded, "try again later"},
	} {
		if errors.Is(err, a.kind) {
			return fmt.Errorf("%w: %s", err, a.do)
		}
	}
	return err
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
