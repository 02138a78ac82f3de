// Promptscan judges prompts from standard input and writes one verdict a line.
//
// Usage:
//
//	promptscan [flags] < prompts
//
// When the first line begins with { the input is JSON lines of the form
//
//	{"id": "7", "text": "the prompt", "session": "optional"}
//
// whose other members are ignored; an id may be a string or a number and is the
// number of the line when it is missing. Otherwise every line is a prompt as it
// stands, and its number is its id; -plain forces this. Blank lines are passed
// over. Prompts of one session are judged together: pieces of an attack and
// repetitions are found.
//
// Each verdict is written as soon as the input pauses:
//
//	{"id":"7","action":"block","score":100,"findings":[{"rule":"unicode/confusable-word",
//	 "layer":"structure","severity":"high","start":0,"end":6,"view":"source","why":"…"}]}
//
// start and end count bytes of the text. The flags:
//
//	-format text    show the prompts that have findings, with the findings underlined
//	-summary        write counts by action and rule instead of verdicts
//	-rules DIR      read the *.rules files of DIR beside the built-in rules
//	-explain RULE   print a rule with its examples, or the rules of a family ("html/*"), and exit
//	-plain          take each line as a prompt, even if the first begins with {
//
// A line that cannot be read (no JSON, no text, more than 64 MB) is reported with
// its number on standard error, and the run goes on.
//
// The exit status is 0 when every line was judged, whatever the verdicts; 1 when
// a line could not be read, or input, output or rules failed; 2 when the command
// line is wrong.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/llmaas/llmaas-go/guard"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, in io.Reader, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("promptscan", flag.ContinueOnError)
	flags.SetOutput(complaints)
	format := flags.String("format", "json", "json or text")
	summary := flags.Bool("summary", false, "write counts by action and rule instead of verdicts")
	rules := flags.String("rules", "", "directory of further *.rules files")
	explain := flags.String("explain", "", "print a rule with its examples and exit")
	plain := flags.Bool("plain", false, "take each line as a prompt as it stands")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: promptscan [flags] < prompts")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	switch {
	case flags.NArg() > 0:
		fmt.Fprintf(complaints, "promptscan: got the arguments %q, want none: prompts are read from standard input\n", flags.Args())
		return 2
	case *format != "json" && *format != "text":
		fmt.Fprintf(complaints, "promptscan: -format: got %q, want json or text\n", *format)
		return 2
	}
	g, err := newGuard(*rules)
	if err != nil {
		fmt.Fprintln(complaints, "promptscan:", err)
		return 1
	}
	buffered := bufio.NewWriter(out)
	if *explain != "" {
		err = writeRules(buffered, g, *explain)
	} else {
		var write writer = writeJSON
		counts := newCounts()
		switch {
		case *summary:
			write = counts.add
		case *format == "text":
			write = writeText
		}
		err = scan(g, newReader(in, *plain, complaints), buffered, write)
		if *summary {
			counts.write(buffered)
		}
	}
	if flushErr := buffered.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		fmt.Fprintln(complaints, "promptscan:", err)
		return 1
	}
	return 0
}

func newGuard(rules string) (*guard.Guard, error) {
	var o guard.Options
	if rules != "" {
		if _, err := os.ReadDir(rules); err != nil {
			return nil, err
		}
		o.Rules = os.DirFS(rules)
	}
	return guard.New(o)
}

// writer writes the verdict on one prompt.
type writer func(w *bufio.Writer, p prompt, r guard.Report) error

// scan judges prompt after prompt. Verdicts wait only while more input is there
// already.
func scan(g *guard.Guard, in *reader, out *bufio.Writer, write writer) error {
	for {
		p, err := in.next()
		if err == io.EOF {
			return in.lost()
		}
		if err != nil {
			return err
		}
		r := g.Inspect(context.Background(), guard.Input{Session: p.session, Text: p.text})
		if err := write(out, p, r); err != nil {
			return err
		}
		if in.waits() {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}
