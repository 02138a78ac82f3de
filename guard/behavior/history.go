package behavior

import (
	"context"
	"time"
)

// What one session keeps, whatever keeps it: the bounds that make the memory
// and the work of one prompt constant.
const (
	MaxPieces = 8   // pieces of earlier prompts
	MaxBytes  = 512 // bytes of folded text in those pieces together
	MaxPiece  = 160 // a prompt of up to that many folded bytes is kept whole …
	TailBytes = 64  // … and of a longer one its last bytes
)

// History remembers sessions. [Memory] keeps them in the process; a shared store
// lets many gateways see one session. guard/guardtest holds the contract as tests.
//
// A History is safe for concurrent use.
type History interface {
	// Append records e as the latest prompt of the session that key names and
	// sets *past to what is then known of the session, in one atomic step. It
	// reuses the memory of *past and keeps neither e nor past.
	//
	// After an error *past is worthless, and e may or may not have been recorded.
	Append(ctx context.Context, key Key, e *Entry, past *Past) error
}

// Key names a session of a tenant. Two keys are the same session only when
// both fields are equal.
type Key struct {
	Tenant, Session string
}

// Entry is what one prompt leaves behind.
type Entry struct {
	Time   time.Time
	Digest uint64 // of the whole folded text
	Near   uint64 // of what near-copies have in common
	Points int    // how much of an attempt the prompt was by itself, 0 or more
	Piece  []byte // the folded text, or its tail: at most MaxPiece bytes; empty when there is nothing to keep
	Whole  bool   // whether Piece is all of the prompt
}

// Past is a session as a History knows it when a prompt has been appended.
type Past struct {
	// Runs of prompts up to and including the appended one, so 1 at least.
	Same  int // with the same Digest
	Near  int // with the same Near
	Cycle int // whose Digest stood among the four before it, the first such prompt counting as 2

	// Points is the sum of the points of the prompts before the appended one,
	// each halved for every half-life that has gone by since.
	Points float64

	// Pieces are the pieces of the prompts before the appended one, oldest
	// first: those that are no older than the window and fit MaxPieces and
	// MaxBytes, the oldest going first. A run of the same prompt leaves one piece.
	Pieces []Piece

	text []byte // what Pieces point into
}

// Piece is the folded text of one earlier prompt, or the tail of it.
type Piece struct {
	Text  []byte
	Whole bool // all of its prompt, not only the tail
}

// Reset empties p and keeps its memory, for a History that fills it.
func (p *Past) Reset() {
	*p = Past{Pieces: p.Pieces[:0], text: p.text[:0]}
}

// AddPiece appends a copy of text as the latest piece. The pieces added before
// stay valid.
func (p *Past) AddPiece(text []byte, whole bool) {
	if cap(p.text) == 0 {
		p.text = make([]byte, 0, MaxBytes)
	}
	at := len(p.text)
	p.text = append(p.text, text...)
	p.Pieces = append(p.Pieces, Piece{Text: p.text[at:len(p.text):len(p.text)], Whole: whole})
}
