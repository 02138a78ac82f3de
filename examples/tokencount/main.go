// Tokencount estimates the tokens of texts.
//
// Usage:
//
//	tokencount < texts.jsonl
//	tokencount [-at 2026-05-17] FILE…
//
// Without arguments it reads JSON lines from standard input, each with a model
// of the catalogue or a tokenizer family (o200k llama3 qwen gemma3 tekken
// deepseek_v3 granite3 granite4),
//
//	{"id": "7", "text": "how long is this?", "model": "gpt-oss:120b"}
//
// and writes for each, in the same order,
//
//	{"id":"7","tokens":5,"low":4,"high":7,"family":"o200k"}
//
// An id may be any JSON value and is the number of the line when it is missing.
// A line that cannot be read is reported with its number on standard error, and
// the run goes on. With files as arguments it prints a table: the tokens of each
// file in each family, and what they cost as input at a date, today by default.
//
// The exit status is 0 when everything was counted, 1 when a line or a file was
// not, 2 when the command line is wrong.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/llmaas/llmaas-go/cost"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, in io.Reader, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("tokencount", flag.ContinueOnError)
	flags.SetOutput(complaints)
	at := flags.String("at", time.Now().Format(time.DateOnly), "the `day` whose price counts")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: tokencount < texts.jsonl, or tokencount [-at DAY] FILE…")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	day, err := time.Parse(time.DateOnly, *at)
	if err != nil {
		fmt.Fprintf(complaints, "tokencount: -at: got %q, want a day like 2026-05-17\n", *at)
		return 2
	}
	buffered := bufio.NewWriter(out)
	c := counter{out: buffered, complaints: complaints}
	if flags.NArg() == 0 {
		c.lines(in)
	} else {
		c.table(flags.Args(), cost.Default().At(day))
	}
	if err := buffered.Flush(); err != nil {
		c.complain("%v", err)
	}
	return c.exit
}

// counter writes estimates and remembers whether something failed.
type counter struct {
	out        *bufio.Writer
	complaints io.Writer
	exit       int
}

func (c *counter) complain(format string, args ...any) {
	fmt.Fprintf(c.complaints, "tokencount: "+format+"\n", args...)
	c.exit = 1
}
