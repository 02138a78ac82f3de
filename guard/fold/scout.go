package fold

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// hint says which decoders may have something to read.
type hint uint32

const (
	backslashes hint = 1 << iota
	ampersands
	percents
	stars
	longRuns  // sixteen ASCII characters without a space
	digitRuns // eight digits
	signals   // ten characters that are no letters
	apart     // letters, or groups of letters, at even distances
	joined    // words joined by punctuation
	mixed     // digits in words
)

// scout looks at the folded text, 64 bytes at a time, for what decoders could read.
func scout(v *View) hint {
	var h hint
	for _, sign := range [...]struct {
		c byte
		h hint
	}{{'\\', backslashes}, {'&', ampersands}, {'%', percents}, {'*', stars}} {
		if bytes.IndexByte(v.Text, sign.c) >= 0 {
			h |= sign.h
		}
	}
	var s scan
	text := v.Text
	for ; len(text) >= 64; text = text[64:] {
		s.block((*[64]byte)(text))
	}
	if len(text) > 0 {
		var last [64]byte
		for i := copy(last[:], text); i < len(last); i++ {
			last[i] = ' '
		}
		s.block(&last)
	}
	return h | s.hints
}

// scan is the state between two blocks of 64 bytes; bit i of a word stands for byte i of the block.
type scan struct {
	hints hint
	solid uint64 // of the block before: ASCII that is no space
}

func (s *scan) block(b *[64]byte) {
	var letters, digits, high, spaces uint64
	for i := 0; i < 64; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		low7 := x &^ highs
		at := uint(i)
		high |= gather(x&highs) << at
		letters |= gather(between(low7, 'a', 'z')&^x&highs) << at
		digits |= gather(between(low7, '0', '9')&^x&highs) << at
		spaces |= gather(^(low7+(0x80-' '-1)*lows)&^x&highs) << at
	}
	word := letters | digits | high
	punct := ^(word | spaces)
	solid := ^(spaces | high)

	long := solid & (solid >> 1)
	long &= long >> 2
	long &= long >> 4
	long &= long >> 8
	if long != 0 || bits.TrailingZeros64(^solid)+bits.LeadingZeros64(^s.solid) >= 16 {
		s.hints |= longRuns
	}
	s.solid = solid

	if d := digits & (digits >> 1); d != 0 {
		d &= d >> 2
		if d&(d>>4) != 0 {
			s.hints |= digitRuns
		}
	}
	quiet := ^word & (^word >> 1)
	quiet &= quiet >> 2
	quiet &= quiet >> 4
	if quiet&punct != 0 {
		s.hints |= signals
	}
	between := ^word & (word << 1) & (word >> 1)
	if between != 0 {
		two := between & (between >> 2)
		three := between & (between >> 3)
		four := between & (between >> 4)
		if two&(two>>2)|three&(three>>3)&(three>>6)|four&(four>>4)&(four>>8) != 0 {
			s.hints |= apart
		}
		if bits.OnesCount64(between&punct&(letters<<1|high<<1)) >= 3 {
			s.hints |= joined
		}
	}
	if m := digits & (letters<<1 | letters>>1); m != 0 && bits.OnesCount64(m) >= 3 {
		s.hints |= mixed
	}
}

// between marks, in the highest bits, the bytes of x (all below 0x80) from lo to hi.
func between(x uint64, lo, hi uint64) uint64 {
	return (x + (0x80-lo)*lows) &^ (x + (0x80-hi-1)*lows)
}

// gather collects the highest bits of eight bytes into the lowest eight bits.
func gather(x uint64) uint64 { return x * 0x0002040810204081 >> 56 }
