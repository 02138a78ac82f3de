// Chat is a conversation in the terminal: answers stream, the guard judges each
// prompt, and what each turn cost stands below it.
//
//	go run ./examples/chat                    with a fake service
//	echo "Bonjour" | go run ./examples/chat   one turn a line
//
// Ctrl-C stops an answer that is streaming, and a second one leaves, as does
// Ctrl-D. With LLMAAS_API_KEY set it talks to the real
// service; LLMAAS_BASE_URL and LLMAAS_MODEL choose another address and model.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintf(os.Stderr, "chat: got the arguments %q, want none: prompts are read from standard input\n", os.Args[1:])
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run() error {
	client, closeService, err := connect()
	if err != nil {
		return err
	}
	defer closeService()
	talk := &talk{
		out: os.Stdout, terminal: isTerminal(os.Stdin) && isTerminal(os.Stdout), signals: make(chan os.Signal, 1),
		Conversation: llmaas.Conversation{Client: client, Request: openai.ChatCompletionRequest{
			Model:    cmp.Or(os.Getenv("LLMAAS_MODEL"), "gpt-oss:120b"),
			Messages: []openai.ChatCompletionMessage{{Role: "system", Content: "You are a helpful assistant. Be brief."}},
		}},
	}
	signal.Notify(talk.signals, os.Interrupt)
	defer signal.Stop(talk.signals)
	return talk.run(os.Stdin)
}

// connect makes the client: of the real service when a key is set, else of a fake
// one on loopback.
func connect() (*llmaas.Client, func(), error) {
	g, err := guard.New(guard.Options{})
	if err != nil {
		return nil, nil, err
	}
	cfg := llmaas.Config{Guard: g, Token: llmaas.Static(os.Getenv("LLMAAS_API_KEY")), BaseURL: os.Getenv("LLMAAS_BASE_URL")}
	closeService := func() {}
	if os.Getenv("LLMAAS_API_KEY") == "" {
		srv, err := (&llmaastest.Backend{TokenDelay: 20 * time.Millisecond}).Start()
		if err != nil {
			return nil, nil, err
		}
		cfg.Token, cfg.BaseURL = llmaas.Static("fake"), srv.URL
		closeService = func() { _ = srv.Close() }
		fmt.Fprintln(os.Stderr, "No LLMAAS_API_KEY: a fake service answers, and repeats what you say.")
	}
	client, err := llmaas.New(cfg)
	if err != nil {
		closeService()
		return nil, nil, fmt.Errorf("%w: check LLMAAS_BASE_URL", err)
	}
	return client, closeService, nil
}

// talk is a conversation with a person, or with a pipe.
type talk struct {
	llmaas.Conversation
	out      io.Writer
	terminal bool
	signals  chan os.Signal
	total    cost.Amount
}

// maxLine is the longest prompt, in bytes.
const maxLine = 1 << 20

func (t *talk) run(in io.Reader) error {
	lines, failed := read(in)
	for {
		if t.terminal {
			_, _ = fmt.Fprint(t.out, "> ")
		}
		select {
		case <-t.signals:
			_, _ = fmt.Fprintln(t.out)
			return nil
		case line, more := <-lines:
			if !more {
				return <-failed
			}
			if strings.TrimSpace(line) == "" {
				continue
			}
			if err := t.turn(line); err != nil {
				return err
			}
		}
	}
}

// read gives the lines of in, then its error.
func read(in io.Reader) (<-chan string, <-chan error) {
	lines, failed := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, maxLine)
		n := 1
		for ; scanner.Scan(); n++ {
			lines <- scanner.Text()
		}
		err := scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("line %d is longer than %d bytes", n, maxLine)
		}
		failed <- err
	}()
	return lines, failed
}

// turn asks and prints one answer.
func (t *talk) turn(line string) error {
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan struct{})
	defer func() { cancel(); <-watched }() // or it would swallow the next Ctrl-C
	go func() {
		defer close(watched)
		select {
		case <-t.signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	said := openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: line}
	stream, err := t.Say(llmaas.WithCall(ctx, llmaas.Call{Tenant: "chat", Session: "chat"}), said)
	if err != nil {
		return err
	}
	for chunk, err := range stream.All() {
		if err == nil {
			_, _ = io.WriteString(t.out, clean(chunk.Text()))
		}
	}
	err = stream.Err()
	result := stream.Result()
	t.total += result.Bill.Total
	switch {
	case err == nil:
		t.Keep(stream, said)
	case errors.Is(err, llmaas.ErrCanceled):
		_, _ = fmt.Fprint(t.out, " [stopped]")
	case errors.Is(err, llmaas.ErrRefused):
		_, _ = fmt.Fprint(t.out, err)
	case !t.terminal:
		return err
	default:
		_, _ = fmt.Fprint(t.out, err) // a person may try again
	}
	// Nobody reads on when this cannot be written.
	_, err = fmt.Fprintf(t.out, "\n[guard: %v, %d+%d tokens, %v €, %v € in all]\n",
		result.Report.Action, result.Billed.Input, result.Billed.Output, result.Bill.Total, t.total)
	return err
}

// clean drops what could command the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
