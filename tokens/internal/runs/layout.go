package runs

import "math/bits"

// Kind says what a run is; bounds are drawn per kind.
type Kind uint8

const (
	Word    Kind = iota // an ASCII word of the table
	Rare                // an ASCII word that the table does not hold
	Foreign             // a word of the table with letters beyond ASCII
	Letter              // a word with letters beyond ASCII that the table does not hold
	Digit
	Punct
	Space
	Glyph
	Repeat // the seventeenth and later of one character
	Bytes  // control characters, broken UTF-8, scripts that nothing was learned about
	NumKinds
)

// maxPiece is the most bytes of a word that the index may name.
const maxPiece = 96

// Places in Table.Base.
const (
	maxWord  = 24
	maxDigit = 20
	maxPunct = 16
	maxBlank = 24

	baseWord   = 0                           // [join 4][shape 4][length]
	baseDigit  = baseWord + 4*4*(maxWord+1)  // [before 3][length]
	basePunct  = baseDigit + 3*(maxDigit+1)  // [space 2][letter next 2][newline 2][length]
	baseSpace  = basePunct + 8*(maxPunct+1)  // [newlines 5][what follows 3][blanks]
	baseGlyph  = baseSpace + 15*(maxBlank+1) // [block]
	baseUnseen = baseGlyph + 16              // [block]
	baseLetter = baseUnseen + 16             // [place of a letter beyond ASCII]
	baseRepeat = baseLetter + numLetters     // [letter digit punct space newline glyph]
	baseByte   = baseRepeat + 6              // [script]
	NumBase    = baseByte + numScripts
	NumGrams   = 1 << gramBits
	gramBits   = 14
	NumPieces  = 1 << pieceBits
	pieceBits  = 15
)

// How a word joins what stands before it.
const (
	joinNone  = iota // line start, after a digit or several punctuation marks
	joinSpace        // the space before it is part of the run
	joinPunct        // the one punctuation mark before it is part of the run
	joinCamel        // an upper-case letter after a lower-case one starts a run
)

const (
	hashMul   = 0x9E3779B97F4A7C15
	seedNone  = 0
	seedCamel = 0x5bd1e995
	seedPunct = 0x85ebca6b // + 1 if a letter follows
	seedSpace = 0xc2b2ae35 // + what follows
	seedPair  = 0x27d4eb2f
)

func mix(h, chunk uint64) uint64 { return (bits.RotateLeft64(h, 23) ^ chunk) * hashMul }

// hashBytes folds s into h eight bytes at a time, little-endian, zero-padded.
func hashBytes(h uint64, s string) uint64 {
	for len(s) >= 8 {
		h = mix(h, load8(s))
		s = s[8:]
	}
	if len(s) > 0 {
		h = mix(h, loadTail(s))
	}
	return h
}

// hashSpan is hashBytes of s[from:to]; it may read past to, but not past s.
func hashSpan(h uint64, s string, from, to int) uint64 {
	for ; to-from >= 8; from += 8 {
		h = mix(h, load8(s[from:]))
	}
	switch rest := to - from; {
	case rest == 0:
	case from+8 <= len(s):
		h = mix(h, load8(s[from:])&(1<<(8*rest)-1))
	default:
		h = mix(h, loadTail(s[from:to]))
	}
	return h
}

func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func loadTail(s string) (v uint64) {
	for i := len(s) - 1; i >= 0; i-- {
		v = v<<8 | uint64(s[i])
	}
	return v
}

// Place splits a hash into the slot of the piece table and the tag kept there.
func Place(h uint64) (slot int, tag uint16) {
	return int(h >> (64 - pieceBits)), uint16(h>>(64-pieceBits-16)) | 1
}

func gram2(a, b rune) int {
	return int((uint32(a)*0x9E3779B1 ^ uint32(b)*0x85EBCA77) * 0xC2B2AE3D >> (32 - gramBits))
}

func gram3(a, b, c rune) int {
	return int((uint32(a)*0x27D4EB2F ^ uint32(b)*0x165667B1 ^ uint32(c)*0x9E3779B1) * 0x85EBCA77 >> (32 - gramBits))
}

// Prior is what the parameter at i of Table.Base is taken to be, in tokens,
// before any data.
func Prior(i int) float64 {
	switch {
	case i < baseDigit:
		return 1 + 0.1*float64(max(i%(maxWord+1)-4, 0))
	case i < basePunct:
		return 0
	case i < baseGlyph:
		return 1
	case i < baseUnseen:
		return 0.8
	case i < baseLetter:
		return 2
	case i < baseRepeat:
		return 0
	case i < baseByte:
		return [...]float64{0.25, 0.6, 0.15, 0.05, 0.1, 1}[i-baseRepeat]
	}
	return 0.5
}

// A run of one character is a Repeat from this many before it on: lines and
// margins are drawn with some characters, all others look odd much earlier.
const (
	repeatMin  = 3
	repeatLine = 16
)

func repeatOf(c byte) int {
	switch c {
	case '-', '=', '*', '#', '_', '.', '/', '~', '+':
		return repeatLine
	}
	return repeatMin
}

// floorOf is the least that a word of n letters can cost, whatever its grams
// add up to; no family has many tokens of more than twelve letters.
func floorOf(n int) int64 { return One/2 + int64(min(n, maxWord))*One/12 }

// floorOfMarks is floorOf for punctuation.
func floorOfMarks(n int) int64 { return One/2 + int64(max(n-maxPunct, 0))*One/8 }
