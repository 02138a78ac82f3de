package output

import (
	"github.com/llmaas/llmaas-go/guard/check"
)

// MaxHold is the most bytes that a [Scanner] holds back, whatever the answer is.
// It holds back a few bytes unless a rule has begun to match.
const MaxHold = 2048

// Scanner scans one answer while it streams. It is used by one goroutine.
//
// However the answer is cut into chunks, the findings are the same, and the
// parts released make the whole answer.
type Scanner struct {
	words  textReader
	markup markup
	offset int    // bytes of the answer read so far
	held   []byte // the last of them, not released yet; a part of store
	read   int    // how many of held words is through with
	looked int    // and markup
	store  []byte
	found  []check.Finding
}

// Scanner returns a scanner for one answer.
func (r *Rules) Scanner() *Scanner {
	return &Scanner{
		words:  newTextReader(r.needles, r.leak),
		markup: markup{rules: r},
	}
}

// Write takes the next part of the answer, cut anywhere, and returns the part
// that may be passed on, and what has been found. Findings come with, or
// before, the release of the last byte of what they are about; their spans
// count bytes of the whole answer. To keep what was found from the reader,
// pass on nothing of that release and stop.
//
// There may be as many findings as the chunk has room for, so write a long
// answer in parts. Both results are valid until the next call; chunk is not kept.
func (s *Scanner) Write(chunk []byte) (release []byte, found []check.Finding) {
	return s.scan(chunk, false)
}

// Close ends the answer and returns what was held back. A Write after it
// begins a new answer that goes on counting.
func (s *Scanner) Close() (release []byte, found []check.Finding) {
	return s.scan(nil, true)
}

func (s *Scanner) scan(chunk []byte, final bool) (release []byte, found []check.Finding) {
	s.found = s.found[:0]
	buf := chunk
	if len(s.held) > 0 {
		s.store = append(append(s.store[:0], s.held...), chunk...)
		buf = s.store
	}
	base := s.offset - len(s.held) // of buf in the answer
	s.offset += len(chunk)

	s.read += s.words.read(buf[s.read:], base+s.read, final, &s.found)
	s.looked = s.markup.scan(buf, s.looked, base, final, &s.found)
	hold := len(buf)
	if !final {
		hold = max(min(s.read, s.looked, s.words.hold()-base), len(buf)-MaxHold, 0)
	}
	s.read, s.looked = s.read-hold, s.looked-hold
	release, s.held = buf[:hold:hold], buf[hold:]
	if len(s.held) > 0 && len(buf) == len(chunk) { // chunk belongs to the caller
		s.store = append(s.store[:0], s.held...)
		s.held = s.store
	}
	return release, s.found
}
