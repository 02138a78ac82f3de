package gateway

import (
	"bytes"

	"github.com/llmaas/llmaas-go/guard"
	"github.com/llmaas/llmaas-go/guard/output"
)

// speech is what an answer says. Each choice has several texts: one for each
// member of its message, such as content, and one for each call. Each is scanned
// by itself.
type speech struct {
	x     *exchange
	texts []*spoken
	last  *spoken // whose words came last
	event int     // of a stream, which one speaks
	err   error   // why the answer must not go on
}

// spoken is one text. Of what the scanner was given, some was released.
type spoken struct {
	source
	scanner        *output.Scanner
	seen, released int    // bytes
	waited         int    // bytes that an event waits for
	event          int    // in which it spoke last
	escape         []byte // of a call: the beginning of an escape
	plain          []byte // scratch
}

// maxTexts bounds the texts of one answer, and with them the scanners.
const maxTexts = 1024

// say takes a piece of a text.
func (s *speech) say(of source, words []byte) {
	if s.x.first.IsZero() {
		s.x.first = s.x.g.Now()
	}
	s.x.answered.add(words)
	if s.x.g.Output == nil || s.err != nil {
		return
	}
	t := s.text(of)
	if t == nil {
		s.err = errBrokenOff
		return
	}
	if of.calls() {
		words = t.undo(words)
	}
	t.event = s.event
	t.seen += len(words)
	release, found := t.scanner.Write(words)
	s.judge(t, release, found)
}

// text finds the text of a source.
func (s *speech) text(of source) *spoken {
	if s.last != nil && s.last.source == of {
		return s.last
	}
	for _, t := range s.texts {
		if t.source == of {
			s.last = t
			return t
		}
	}
	if len(s.texts) == maxTexts {
		return nil
	}
	s.last = &spoken{source: of, scanner: s.x.g.Output.Scanner()}
	s.texts = append(s.texts, s.last)
	return s.last
}

// turn ends an event. When a choice goes on with another text, what it was at
// before is judged as it stands, so that it does not wait for words that may never
// come. If they do come, they are read as going on.
func (s *speech) turn() error {
	if s.last != nil && s.last.event == s.event {
		for _, t := range s.texts {
			if t.choice == s.last.choice && t.event != s.event && t.released < t.seen {
				release, found := t.scanner.Close()
				s.judge(t, release, found)
			}
		}
	}
	s.event++
	return s.err
}

// undo undoes the escapes of arguments, which are JSON in a JSON string.
func (t *spoken) undo(words []byte) []byte {
	if len(t.escape) == 0 && bytes.IndexByte(words, '\\') < 0 {
		return words
	}
	plain, rest, _ := unescape(t.plain[:0], append(t.escape, words...))
	t.plain, t.escape = plain, append(t.escape[:0], rest...)
	return plain
}

// end judges what is held back as it stands.
func (s *speech) end() error {
	for _, t := range s.texts {
		release, found := t.scanner.Close()
		s.judge(t, release, found)
	}
	return s.err
}

// judge notes what a scanner says of a text.
func (s *speech) judge(t *spoken, release []byte, found []guard.Finding) {
	if s.x.found(found) {
		t.released += len(release)
	} else if s.err == nil {
		s.err = errOutput
	}
}

// found notes findings in an answer, and reports whether it may go on.
func (x *exchange) found(all []guard.Finding) bool {
	points := 0
	for _, f := range all {
		x.decide("flag", f.Rule)
		points = max(points, f.Points())
	}
	return points < guard.DefaultBlock
}
