// Batch answers many prompts at once and goes on where it was when it is broken
// off: run it, press Ctrl-C or kill it, and run it again.
//
//	go run ./examples/batch prompts.txt           one prompt a line, fake service
//	… | go run ./examples/batch -journal j.log    keep the answers in j.log
//
// Answers go to standard output as JSON lines, in the order of the prompts;
// progress goes to standard error. LLMAAS_JOURNAL_KEY, 64 hexadecimal digits,
// encrypts the journal. With LLMAAS_API_KEY set it talks to the real service.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode/utf8"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "batch: broken off; with its -journal it goes on where it was")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "batch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("batch", flag.ContinueOnError)
	journal := flags.String("journal", "", "keep the answers in this `file`, and go on from it")
	concurrent := flags.Int("concurrent", 0, "most calls at once (default 16)")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: batch [-journal FILE] [-concurrent N] [FILE…]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	key, err := hex.DecodeString(os.Getenv("LLMAAS_JOURNAL_KEY"))
	if err != nil || len(key) != 0 && len(key) != 32 {
		return errors.New("LLMAAS_JOURNAL_KEY: want 64 hexadecimal digits")
	}
	if len(key) == 0 {
		key = nil
	}
	reqs, err := requests(flags.Args())
	if err != nil {
		return err
	}
	client, closeService, err := connect()
	if err != nil {
		return err
	}
	defer closeService()
	p := &progress{out: os.Stderr, terminal: isTerminal(os.Stderr)}
	items, failed := client.Batch(ctx, reqs, llmaas.BatchOptions{Journal: *journal, Key: key, Concurrent: *concurrent, Progress: p.show})
	p.end()
	return errors.Join(failed, write(os.Stdout, items), unanswered(items))
}

// unanswered is an error when prompts have no answer though nothing was wrong with
// them: another run may do better.
func unanswered(items []llmaas.BatchItem) error {
	n := 0
	for _, item := range items {
		if item.Err != nil && !errors.Is(item.Err, llmaas.ErrRefused) && !errors.Is(item.Err, llmaas.ErrWithheld) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d prompts have no answer", n, len(items))
}

// requests reads one prompt a line from the files, else from standard input.
func requests(files []string) ([]openai.ChatCompletionRequest, error) {
	if len(files) == 0 {
		return read(os.Stdin, "standard input")
	}
	var all []openai.ChatCompletionRequest
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		reqs, err := read(f, name)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		all = append(all, reqs...)
	}
	return all, nil
}

// maxLine is the longest prompt, in bytes.
const maxLine = 1 << 20

func read(in io.Reader, name string) ([]openai.ChatCompletionRequest, error) {
	model := cmp.Or(os.Getenv("LLMAAS_MODEL"), "gpt-oss:120b")
	var reqs []openai.ChatCompletionRequest
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		if text := lines.Text(); !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return nil, fmt.Errorf("%s: line %d is no text in UTF-8", name, n)
		}
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		reqs = append(reqs, openai.ChatCompletionRequest{
			Model:    model,
			Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: lines.Text()}},
		})
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s: line %d is longer than %d bytes", name, n, maxLine)
	} else if err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", name, n, err)
	}
	return reqs, nil
}

func connect() (*llmaas.Client, func(), error) {
	g, err := guard.New(guard.Options{})
	if err != nil {
		return nil, nil, err
	}
	cfg := llmaas.Config{Guard: g, Token: llmaas.Static(os.Getenv("LLMAAS_API_KEY")), BaseURL: os.Getenv("LLMAAS_BASE_URL")}
	closeService := func() {}
	if os.Getenv("LLMAAS_API_KEY") == "" {
		srv, err := (&llmaastest.Backend{TTFT: 100 * time.Millisecond}).Start()
		if err != nil {
			return nil, nil, err
		}
		cfg.Token, cfg.BaseURL = llmaas.Static("fake"), srv.URL
		closeService = func() { _ = srv.Close() }
	}
	client, err := llmaas.New(cfg)
	if err != nil {
		closeService()
		return nil, nil, fmt.Errorf("%w: check LLMAAS_BASE_URL", err)
	}
	return client, closeService, nil
}

// answer is one line of the output.
type answer struct {
	Prompt int    `json:"prompt"` // from 1
	Text   string `json:"text,omitempty"`
	Euro   string `json:"euro,omitempty"`
	Error  string `json:"error,omitempty"`
}

func write(out io.Writer, items []llmaas.BatchItem) error {
	w := bufio.NewWriter(out)
	for i, item := range items {
		a := answer{Prompt: i + 1}
		if item.Err != nil {
			a.Error = item.Err.Error()
		} else {
			a.Text, a.Euro = item.Response.Text(), item.Response.Bill.Total.String()
		}
		if err := json.NewEncoder(w).Encode(a); err != nil {
			return err
		}
	}
	return w.Flush()
}

// progress is a bar on a terminal, and one line at the end elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	last     llmaas.BatchProgress
}

const barWidth = 30

func (p *progress) show(now llmaas.BatchProgress) {
	p.last = now
	if !p.terminal {
		return
	}
	full := barWidth * now.Done / now.Total
	_, _ = fmt.Fprintf(p.out, "\r[%s%s] %d/%d, %d failed, %v €\x1b[K", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), now.Done, now.Total, now.Failed, now.Cost)
}

func (p *progress) end() {
	if p.last.Total == 0 {
		return
	}
	if p.terminal {
		_, _ = fmt.Fprintln(p.out)
	}
	_, _ = fmt.Fprintf(p.out, "%d of %d prompts, %d from the journal, %d failed, %v €\n", p.last.Done, p.last.Total, p.last.Resumed, p.last.Failed, p.last.Cost)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
