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
	text, _ = trim(text)
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
	text, at = trim(text)
	if len(text) <= MaxPiece {
		return text, at, true
	}
	n := headBytes
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n], at, false
}

// trim cuts white space off, but for one space at either end: it tells a cut
// between two words from one inside a word. What is left begins at at.
func trim(text []byte) (trimmed []byte, at int) {
	trimmed = bytes.TrimLeftFunc(text, unicode.IsSpace)
	at = len(text) - len(trimmed)
	trimmed = bytes.TrimRightFunc(trimmed, unicode.IsSpace)
	if len(trimmed) == 0 {
		return nil, 0
	}
	end := at + len(trimmed)
	if at > 0 && text[at-1] == ' ' {
		at--
	}
	if end < len(text) && text[end] == ' ' {
		end++
	}
	return text[at:end], at
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
	s.plans = plansFor(s.plans[:0], pieces, head, headWhole, !beginsSentence(p.Text))
	if len(s.plans) == 0 {
		return dst
	}
	defer s.forget()
	var best check.Finding
	for _, plan := range s.plans {
		seamAt, skipped := s.join(plan, pieces, head)
		end, worst, points := s.across(ctx, scan, p, seamAt)
		if points < check.High.Points() {
			switch {
			case endsSentence(s.joined[:seamAt]):
				continue // a weak finding over the end of a sentence is chance
			case points >= check.Medium.Points():
				// Nobody cuts a doubtful sentence in two by chance.
				worst.Severity, points = check.High, check.High.Points()
			}
		}
		if points <= best.Score {
			continue
		}
		best = check.Finding{
			Rule: Fragmentation, Layer: Layer, Severity: worst.Severity, Score: points, View: View,
			Span: view.Span(at+skipped, at+min(skipped+end, len(head))),
			Why:  "together with earlier prompts of the session this completes an attack: " + worst.Rule,
		}
		if points >= check.High.Points() {
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
// Where they are no trifle, what stands before the seam counts with them, as it
// would in one prompt.
func (s *seam) across(ctx context.Context, scan check.Check, p *check.Prompt, seamAt int) (end int, worst check.Finding, points int) {
	s.findings = s.scan(ctx, scan, p, s.joined, s.findings[:0])
	scanned, before := false, 0
	for _, f := range s.findings {
		if f.Span.End <= seamAt {
			before += max(f.Points(), 0)
			continue
		}
		if f.Span.Start >= seamAt || f.Points() <= 0 {
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
	if points >= check.Medium.Points() {
		points += before
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
