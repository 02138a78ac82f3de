package behavior

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxJoins bounds the texts that one prompt causes to be scanned.
const maxJoins = 32

// plan is one way to read earlier pieces and the new prompt as one text. A cut
// between two letters is read with a space, unless glued has its bit.
type plan struct {
	pieces uint16 // bit i: piece i takes part
	glued  uint16 // bit i: a word was cut after piece i
	strip  bool   // leave out what leads in a piece: "remember this for later: …"
}

// plansFor lists the readings worth a scan, the likeliest first: all pieces in
// a row; every second one, for fragments with a harmless prompt between any
// two; those that break off without ending a sentence; the short and the very
// short of them; and each one alone.
//
// No reading joins the new prompt to a piece that is a sentence of its own. Two
// long prompts are read together only if the second does not begin as one,
// either: else every long prompt would cost scans that find nothing.
func plansFor(dst []plan, pieces []Piece, head []byte, headWhole, goesOn bool) []plan {
	last := len(pieces) - 1
	if headWhole || goesOn || pieces[last].Whole {
		dst = add(dst, chain(pieces, last, 1, true), pieces, head, maxMixed)
	}
	dst = add(dst, chain(pieces, last-1, 2, headWhole), pieces, head, maxMixed)
	for _, size := range [...]int{MaxPiece, 80, 32} {
		var open uint16
		for i, piece := range pieces {
			if piece.Whole && len(piece.Text) <= size && broken(piece.Text) {
				open |= 1 << i
			}
		}
		dst = add(dst, open, pieces, head, 0)
	}
	for i := last - 1; i >= 0; i-- {
		if pieces[i].Whole {
			dst = add(dst, 1<<i, pieces, head, 0)
		}
	}
	return dst
}

// maxMixed is how many cuts are tried in all combinations, space or none. More
// are tried with spaces everywhere, nowhere, and everywhere but at the last.
const maxMixed = 3

// maxClosed is how long a piece may be, in bytes, that ends like a sentence and
// still counts as a fragment: "Ignore all previous." Longer ones are sentences,
// and what they make with the next one is chance.
const maxClosed = 24

// broken says whether what follows text may continue it.
func broken(text []byte) bool { return len(text) <= maxClosed || !endsSentence(text) }

// chain takes every step-th piece, going back from the given one. Nothing
// before the tail of a long prompt continues in it, so a tail ends the chain,
// as its last piece if tails are wanted.
func chain(pieces []Piece, from, step int, tails bool) (set uint16) {
	for i := from; i >= 0; i -= step {
		if !pieces[i].Whole {
			if tails {
				set |= 1 << i
			}
			break
		}
		set |= 1 << i
	}
	return set
}

// add appends the plans that read the given pieces, unless they are there or
// the last of them is not broken off. Up to mixed cuts get all combinations.
func add(dst []plan, set uint16, pieces []Piece, head []byte, mixed int) []plan {
	if set == 0 || !broken(pieces[bits.Len16(set)-1].Text) {
		return dst
	}
	for _, p := range dst {
		if p.pieces == set {
			return dst
		}
	}
	cuts, lead := uint16(0), leadIn(head) > 0
	next := head
	for i := len(pieces) - 1; i >= 0; i-- {
		if set&(1<<i) == 0 {
			continue
		}
		text := pieces[i].Text
		lead = lead || leadIn(text) > 0
		if betweenLetters(text, next) {
			cuts |= 1 << i
		}
		next = text
	}
	dst = append(dst, plan{pieces: set})
	if cuts != 0 {
		dst = append(dst, plan{pieces: set, glued: cuts})
	}
	if lead {
		dst = append(dst, plan{pieces: set, strip: true})
	}
	switch n := bits.OnesCount16(cuts); {
	case n > mixed && n > 1:
		dst = append(dst, plan{pieces: set, glued: 1 << (bits.Len16(cuts) - 1)})
	case n > 1:
		for some := (cuts - 1) & cuts; some != 0; some = (some - 1) & cuts { // every part of cuts
			dst = append(dst, plan{pieces: set, glued: some})
		}
	}
	return dst[:min(len(dst), maxJoins)]
}

// join writes the text that p reads to s.joined. The new prompt begins there at
// seam, with its first skipped bytes left out.
func (s *seam) join(p plan, pieces []Piece, head []byte) (seam, skipped int) {
	s.joined = s.joined[:0]
	glued := false
	for i, piece := range pieces {
		if p.pieces&(1<<i) == 0 {
			continue
		}
		text := piece.Text
		if p.strip {
			text = text[leadIn(text):]
		}
		s.space(text, glued)
		s.joined = append(s.joined, text...)
		glued = p.glued&(1<<i) != 0
	}
	if p.strip {
		skipped = leadIn(head)
	}
	s.space(head[skipped:], glued)
	seam = len(s.joined)
	s.joined = append(s.joined, head[skipped:]...)
	return seam, skipped
}

// space makes s.joined ready for text to go on with it: with one space between
// them where there should be one.
func (s *seam) space(text []byte, glued bool) {
	switch n := len(s.joined); {
	case !glued && separate(s.joined, text):
		s.joined = append(s.joined, ' ')
	case n > 0 && s.joined[n-1] == ' ' && len(text) > 0 && text[0] == ' ':
		s.joined = s.joined[:n-1]
	}
}

// separate says whether a reader would see a space between a and b that is not
// there.
func separate(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	last, _ := utf8.DecodeLastRune(a)
	first, _ := utf8.DecodeRune(b)
	return last != ' ' && first != ' ' && !spaceless(last) && !spaceless(first)
}

// betweenLetters says whether the cut between a and b may go through a word of
// a script that puts spaces between words.
func betweenLetters(a, b []byte) bool {
	if !separate(a, b) {
		return false
	}
	last, _ := utf8.DecodeLastRune(a)
	first, _ := utf8.DecodeRune(b)
	return wordRune(last) && wordRune(first)
}

func wordRune(r rune) bool { return r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// spaceless says whether r belongs to a script, or its punctuation, that writes
// no spaces between words.
func spaceless(r rune) bool {
	return r >= 0x2E80 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) ||
		r >= 0x3000 && r < 0x3100 || r >= 0xFF00 && r < 0xFFF0)
}

// endsSentence says whether text ends with the end of a sentence.
func endsSentence(text []byte) bool {
	r, _ := utf8.DecodeLastRune(bytes.TrimRight(text, " "))
	switch r {
	case '.', '?', '!', '。', '？', '！', '｡', '…':
		return true
	}
	return false
}

// beginsSentence says whether text begins with a capital and no second one.
func beginsSentence(text string) bool {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	first, n := utf8.DecodeRuneInString(text)
	second, _ := utf8.DecodeRuneInString(text[n:])
	return unicode.IsUpper(first) && !unicode.IsUpper(second)
}

// maxLeadIn is how far into a piece the colon of a lead-in is looked for.
const maxLeadIn = 64

// leadIn returns how many bytes of text introduce what follows them:
// "please note down: ".
func leadIn(text []byte) int {
	n := bytes.IndexByte(text[:min(len(text), maxLeadIn)], ':') + 1
	for n > 0 && n < len(text) && text[n] == ' ' {
		n++
	}
	if n == len(text) {
		return 0
	}
	return n
}
