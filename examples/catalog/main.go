// Catalog prints where every model stands on a day, and what else the
// lifecycle package knows.
//
// Usage:
//
//	catalog [-at 2025-11-23] [flags] [model ...]
//
// Without further flags it prints the models by status, with the days that are
// left of their support. Names of models limit the table, the calendar and the
// timeline to those. The flags:
//
//	-at DAY       the day to ask for; default today
//	-hindsight    use also the tables that are younger than the day
//	-model ID     print all that is known about one model, and its successor
//	-lint         list where the tables break the policy or contradict themselves
//	-diff         list what changed between the tables; -format text, json or markdown
//	-ics FILE     write the calendar of the next -days days as iCalendar
//	-svg FILE     write the timeline as SVG
//	-scan DIR     list the uses of models in or past their notice in a source tree
//	-live FILE    compare with a saved reply of GET /models
//
// FILE may be - for standard output. The table is colored on a terminal, unless
// NO_COLOR is set (https://no-color.org).
//
// The exit status is 0, 1 if something failed or -scan found a use, and 2 if the
// command line is wrong.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/llmaas/llmaas-go/lifecycle"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, time.Now()))
}

// options are the flags; the first one of the actions that is set runs.
type options struct {
	at, model, ics, svg, scan, live, format string
	hindsight, lint, diff, color            bool
	days                                    int
	day                                     time.Time
	names                                   []string
	catalogue                               *lifecycle.Catalogue
}

var (
	errFound = errors.New("") // the finding is printed already
	errUsage = errors.New("usage")
)

func run(args []string, out, complaints io.Writer, now time.Time) int {
	var o options
	flags := flag.NewFlagSet("catalog", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&o.at, "at", "", "the `day` to ask for, as 2025-11-23; default today")
	flags.BoolVar(&o.hindsight, "hindsight", false, "use also the tables that are younger than the day")
	flags.StringVar(&o.model, "model", "", "print all that is known about the model `ID`")
	flags.BoolVar(&o.lint, "lint", false, "list where the tables break the policy or contradict themselves")
	flags.BoolVar(&o.diff, "diff", false, "list what changed between the tables")
	flags.StringVar(&o.format, "format", "text", "text, json or markdown, for -diff")
	flags.StringVar(&o.ics, "ics", "", "write the calendar as iCalendar to `FILE`")
	flags.IntVar(&o.days, "days", 365, "how far the calendar goes")
	flags.StringVar(&o.svg, "svg", "", "write the timeline as SVG to `FILE`")
	flags.StringVar(&o.scan, "scan", "", "list the uses of models in or past their notice below `DIR`")
	flags.StringVar(&o.live, "live", "", "compare with the reply of GET /models in `FILE`")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: catalog [-at DAY] [flags] [MODEL…]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	o.names, o.color = flags.Args(), isTerminal(out)
	switch err := o.run(out, now); {
	case err == nil:
		return 0
	case errors.Is(err, errFound):
		return 1
	case errors.Is(err, errUsage):
		fmt.Fprintln(complaints, "catalog:", err)
		return 2
	default:
		fmt.Fprintln(complaints, "catalog:", err)
		return 1
	}
}

func (o *options) run(out io.Writer, now time.Time) error {
	if err := o.prepare(now); err != nil {
		return err
	}
	switch {
	case o.model != "":
		return o.printModel(out)
	case o.lint:
		return o.printLint(out)
	case o.diff:
		return o.printDiff(out)
	case o.ics != "":
		return o.toFile(o.ics, out, o.writeICS)
	case o.svg != "":
		return o.toFile(o.svg, out, func(w io.Writer) error { return o.catalogue.WriteTimeline(w, o.day, o.names...) })
	case o.scan != "":
		return o.printScan(out)
	case o.live != "":
		return o.printLive(out)
	}
	return o.printTable(out)
}

// prepare reads the day and takes the tables that it could know. Before the
// first table nobody knew anything: then all of them count.
func (o *options) prepare(now time.Time) error {
	o.day, o.catalogue = now, lifecycle.Default()
	if o.days < 1 {
		return fmt.Errorf("%w: -days: got %d, want at least 1", errUsage, o.days)
	}
	if o.at != "" {
		day, err := lifecycle.ParseDate(o.at)
		if err != nil {
			return fmt.Errorf("%w: -at: %w", errUsage, err)
		}
		o.day = day.Time(now.Location())
	}
	if known := o.catalogue.AsKnown(lifecycle.DateOf(o.day)); known.Len() > 0 && !o.hindsight {
		o.catalogue = known
	}
	return nil
}

// toFile writes a whole file or says what failed.
func (o *options) toFile(name string, out io.Writer, write func(io.Writer) error) error {
	if name == "-" {
		return write(out)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = write(f)
	return errors.Join(err, f.Close())
}

// isTerminal reports whether a person looks at out and wants color.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
