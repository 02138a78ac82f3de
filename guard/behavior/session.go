package behavior

import (
	"math"
	"time"
)

// session is one session in memory. It holds no pointers, so that a million of
// them cost the garbage collector nothing, and its size is fixed: see
// TestSessionSize.
type session struct {
	key          [2]uint64
	newer, older int32 // neighbors in the shard's order of use

	last   int64 // Unix nanoseconds of the latest prompt
	points float64
	digest [4]uint64 // of the latest prompts, newest first
	near   uint64

	same, nears, cycle uint32
	pieces             uint8 // how many of piece are in use
	known              uint8 // how many of digest are in use

	piece [MaxPieces]struct {
		time  int64
		size  uint16
		whole bool
	}
	text [MaxBytes]byte // the pieces, oldest first, without gaps
}

// add records e and tells past what came before it.
func (s *session) add(e *Entry, past *Past, window, halfLife time.Duration) {
	now := e.Time.UnixNano()
	// A clock that goes backwards (two gateways) must not make anything older.
	elapsed := max(now-s.last, 0)
	if s.known > 0 && elapsed > int64(window) {
		s.forget()
	}
	s.dropBefore(now - int64(window))
	s.points *= math.Exp2(-float64(elapsed) / float64(halfLife))
	if s.known == 0 {
		s.last = now
	}

	repeated := s.known > 0 && s.digest[0] == e.Digest
	s.same = run(s.same, repeated)
	s.nears = run(s.nears, s.known > 0 && s.near == e.Near)
	s.cycle = run(s.cycle, s.saw(e.Digest))
	s.tell(past)

	if !repeated {
		copy(s.digest[1:], s.digest[:])
		s.digest[0] = e.Digest
		s.known = min(s.known+1, uint8(len(s.digest)))
		s.push(e.Piece, e.Whole, now)
	}
	s.near = e.Near
	s.points += float64(e.Points)
	s.last = max(s.last, now)
}

func run(length uint32, goesOn bool) uint32 {
	if !goesOn {
		return 1
	}
	return min(length, math.MaxInt32-1) + 1
}

func (s *session) saw(digest uint64) bool {
	for _, d := range s.digest[:s.known] {
		if d == digest {
			return true
		}
	}
	return false
}

func (s *session) tell(past *Past) {
	past.Reset()
	past.Same, past.Near, past.Cycle = int(s.same), int(s.nears), int(s.cycle)
	past.Points = s.points
	at := 0
	for _, p := range s.piece[:s.pieces] {
		past.AddPiece(s.text[at:at+int(p.size)], p.whole)
		at += int(p.size)
	}
}

// forget drops everything but the key and the place in the order of use.
func (s *session) forget() {
	*s = session{key: s.key, newer: s.newer, older: s.older}
}

// dropBefore drops the pieces from before the given time.
func (s *session) dropBefore(time int64) {
	n := 0
	for n < int(s.pieces) && s.piece[n].time < time {
		n++
	}
	s.drop(n)
}

// drop drops the n oldest pieces and leaves no byte of them behind.
func (s *session) drop(n int) {
	if n == 0 {
		return
	}
	size := 0
	for _, p := range s.piece[:n] {
		size += int(p.size)
	}
	clear(s.text[copy(s.text[:], s.text[size:]):])
	clear(s.piece[copy(s.piece[:], s.piece[n:s.pieces]):])
	s.pieces -= uint8(n)
}

func (s *session) push(text []byte, whole bool, now int64) {
	if len(text) == 0 {
		return
	}
	if len(text) > MaxPiece {
		text, whole = text[len(text)-MaxPiece:], false
	}
	used := 0
	for _, p := range s.piece[:s.pieces] {
		used += int(p.size)
	}
	n := 0
	for free := MaxBytes - used; int(s.pieces)-n == MaxPieces || free < len(text); n++ {
		free += int(s.piece[n].size)
		used -= int(s.piece[n].size)
	}
	s.drop(n)
	p := &s.piece[s.pieces]
	p.time, p.size, p.whole = now, uint16(len(text)), whole
	copy(s.text[used:], text)
	s.pieces++
}
