package behavior

import (
	"bytes"
	"context"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// headBytes is how much of a prompt too long to be a piece can complete what
// earlier prompts began.
const headBytes = 96

// pieceOf cuts what later prompts may complete out of a folded text.
func pieceOf(text []byte) (piece []byte, whole bool) {
	text = bytes.TrimSpace(text)
	if len(text) <= MaxPiece {
		return text, true
	}
	text = text[len(text)-TailBytes:]
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	return text, false
}

// headOf cuts what may complete earlier prompts out of a folded text, and says
// where it stands there and whether it is all.
func headOf(text []byte) (head []byte, at int, whole bool) {
	trimmed := bytes.TrimLeftFunc(text, unicode.IsSpace)
	at = len(text) - len(trimmed)
	trimmed = bytes.TrimRightFunc(trimmed, unicode.IsSpace)
	if len(trimmed) <= MaxPiece {
		return trimmed, at, true
	}
	n := headBytes
	for n > 0 && !utf8.RuneStart(trimmed[n]) {
		n--
	}
	return trimmed[:n], at, false
}

// seam looks for attacks that are complete only when earlier pieces and the new
// prompt are read together. It is the memory of one search, and bounded:
// at most maxJoins texts of at most MaxBytes+MaxPiece bytes and a space per
// seam are scanned, and only when something is found, their two halves again.
type seam struct {
	joined   []byte
	folded   fold.Text
	prompt   check.Prompt
	findings []check.Finding
	sides    []check.Finding
	plans    []plan
}

// find appends one finding when the pieces before p and its text make an attack
// together that neither makes alone.
func (s *seam) find(ctx context.Context, scan check.Check, p *check.Prompt, pieces []Piece, dst []check.Finding) []check.Finding {
	view := p.Folded.Main()
	head, at, headWhole := headOf(view.Text)
	if len(head) == 0 || len(pieces) == 0 {
		return dst
	}
	defer s.forget()
	var best check.Finding
	s.plans = plansFor(s.plans[:0], pieces, head, headWhole)
	for _, plan := range s.plans {
		seamAt, skipped := s.join(plan, pieces, head)
		end, worst, points := s.across(ctx, scan, p, seamAt)
		if points <= best.Score || points < check.High.Points() && endsSentence(bytes.TrimSpace(s.joined[:seamAt])) {
			continue // a weak finding over the end of a sentence is chance
		}
		best = check.Finding{
			Rule: Fragmentation, Layer: Layer, Severity: worst.Severity, Score: points, View: View,
			Span: view.Span(at+skipped, at+skipped+end),
			Why:  "together with earlier prompts of the session this completes an attack: " + worst.Rule,
		}
		if worst.Severity >= check.High {
			break
		}
	}
	if best.Score == 0 {
		return dst
	}
	return append(dst, best)
}

// forget lets go of the texts, for the pool must not keep them.
func (s *seam) forget() {
	s.prompt = check.Prompt{}
	s.folded.Reset("")
}

// across scans s.joined and adds up the findings that need both sides of
// seamAt: end is how far beyond the seam they reach, worst the gravest of them.
func (s *seam) across(ctx context.Context, scan check.Check, p *check.Prompt, seamAt int) (end int, worst check.Finding, points int) {
	s.findings = s.scan(ctx, scan, p, s.joined, s.findings[:0])
	scanned := false
	for _, f := range s.findings {
		if f.Span.Start >= seamAt || f.Span.End <= seamAt || f.Points() <= 0 {
			continue
		}
		if !scanned {
			s.sides = s.scan(ctx, scan, p, s.joined[:seamAt], s.sides[:0])
			s.sides = s.scan(ctx, scan, p, s.joined[seamAt:], s.sides)
			scanned = true
		}
		if fires(s.sides, f.Rule) {
			continue
		}
		end = max(end, f.Span.End-seamAt)
		if points == 0 || f.Severity > worst.Severity {
			worst = f
		}
		points += f.Points()
	}
	return end, worst, min(points, check.Critical.Points())
}

func (s *seam) scan(ctx context.Context, scan check.Check, p *check.Prompt, text []byte, dst []check.Finding) []check.Finding {
	s.prompt = check.Prompt{Input: p.Input, Folded: &s.folded}
	s.prompt.Text = string(text)
	s.folded.Reset(s.prompt.Text)
	return scan.Inspect(ctx, &s.prompt, dst)
}

func fires(findings []check.Finding, rule string) bool {
	for _, f := range findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}
