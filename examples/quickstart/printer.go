package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/llmaas"
)

// printer writes the run: one line a prompt, with the answer streamed above it,
// and the totals.
type printer struct {
	out    io.Writer
	failed error // of the first write that did
	color  bool
	model  string

	prompts, passed, flagged, refused int
	input, output                     int64
	total                             cost.Amount
	energy                            cost.Energy
	estimated                         bool
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	faint  = "\x1b[2m"
	reset  = "\x1b[0m"
)

func (p *printer) paint(color, text string) string {
	if !p.color {
		return text
	}
	return color + text + reset
}

func (p *printer) write(s string) {
	if p.failed == nil {
		_, p.failed = io.WriteString(p.out, s)
	}
}

// answer streams one more piece of the answer that stands above its line.
func (p *printer) answer(piece string, first bool) {
	if first {
		p.write(p.paint(faint, "      > "))
	}
	p.write(p.paint(faint, shown(piece, len(piece))))
}

func (p *printer) endAnswer() { p.write("\n") }

// line prints what became of one prompt, and adds it to the totals.
func (p *printer) line(text string, r llmaas.Result, note string) {
	p.prompts++
	verdict := p.paint(green, "pass  ")
	switch {
	case note != "":
		verdict = p.paint(yellow, note)
	case r.Report.Action == guard.Block:
		verdict = p.paint(red, "REFUSE")
	case r.Report.Action == guard.Flag:
		verdict = p.paint(yellow, "flag  ")
	}
	switch r.Report.Action {
	case guard.Block:
		p.refused++
	case guard.Flag:
		p.flagged++
	default:
		p.passed++
	}
	columns := []string{fmt.Sprintf("%3d %s %s", p.prompts, verdict, shown(text, 60))}
	if len(r.Report.Findings) > 0 {
		f := r.Report.Findings[0]
		columns = append(columns, fmt.Sprintf("%s at bytes %d-%d (%s): %s", f.Rule, f.Span.Start, f.Span.End, f.View, f.Why))
	}
	columns = append(columns, p.figures(r)...)
	p.write(strings.Join(columns, " | ") + "\n")
}

// figures are the columns about tokens, money, energy, model and machine. What
// the guard refuses is not estimated or looked up first.
func (p *printer) figures(r llmaas.Result) []string {
	if r.Report.Action == guard.Block {
		return []string{"nothing sent"}
	}
	status := r.Status.Phase.String()
	if r.Status.Model == "" {
		status = "not in the catalogue"
	} else if !r.Status.EndOfSupport.IsZero() {
		status = fmt.Sprintf("%s, %d days left", status, r.Status.DaysLeft)
	}
	sent := "nothing sent"
	if r.Attempts > 0 {
		p.input += r.Billed.Input
		p.output += r.Billed.Output
		p.energy += r.Energy
		if sum, err := p.total.Add(r.Bill.Total); err == nil {
			p.total = sum
		}
		sent = fmt.Sprintf("billed %d+%d", r.Billed.Input, r.Billed.Output)
		if r.Billed.Estimated {
			p.estimated = true
			sent += " (estimated)"
		}
	}
	columns := []string{fmt.Sprintf("estimated %d-%d tokens, %s", r.Estimate.Total.Low, r.Estimate.Total.High, sent)}
	energy := r.Energy.String()
	if r.Attempts > 0 && !r.EnergyKnown {
		energy = "energy unknown"
	}
	columns = append(columns, r.Bill.Total.String()+" €", energy, p.model+" "+status)
	if r.Backend.Machine != "" {
		columns = append(columns, r.Backend.Machine)
	}
	return columns
}

func (p *printer) totals() {
	about := ""
	if p.estimated {
		about = " (in part estimated)"
	}
	p.write(fmt.Sprintf("\n%d prompts: %d passed, %d flagged, %d refused | billed %d tokens in, %d out%s | %s € | %s\n",
		p.prompts, p.passed, p.flagged, p.refused, p.input, p.output, about, p.total, p.energy))
}
