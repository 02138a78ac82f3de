package fold

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
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
	apart     // letters at even distances
	pairs     // pairs of digits at even distances
	joined    // words joined by punctuation
	mixed     // digits in words
	hidden    // characters of plane 14
	cases     // capitals anywhere in words
	rotated   // listed words under ROT13
	shifted   // listed words under another shift of the alphabet
	opposite  // listed words in the alphabet from z to a
	turned    // listed words backwards, or an order to show text from right to left
	numbers   // a third of the characters are digits
)

// scout looks at the folded text, 64 bytes at a time, for what decoders could read. It also returns
// by how many letters the alphabet seems to be shifted, and where words in disguise stand.
func scout(v *View) (hint, byte, clues) {
	s := scan{text: v.Text, words: theLexicon()}
	for _, sign := range [...]struct {
		c byte
		h hint
	}{{'\\', backslashes}, {'&', ampersands}, {'%', percents}, {'*', stars}} {
		if bytes.IndexByte(v.Text, sign.c) >= 0 {
			s.hints |= sign.h
		}
	}
	s.valid = ^uint64(0)
	for ; s.at+64 <= len(v.Text); s.at += 64 {
		s.block((*[64]byte)(v.Text[s.at:]))
	}
	if s.at < len(v.Text) {
		var last [64]byte
		s.valid = 1<<(len(v.Text)-s.at) - 1
		for i := copy(last[:], v.Text[s.at:]); i < len(last); i++ {
			last[i] = ' '
		}
		s.block(&last)
	}
	if v.hidden {
		s.hints |= hidden
	}
	if s.high {
		s.backwardsHan()
	}
	if v.bidi && strings.Contains(v.raw, rightToLeft) {
		s.hints |= turned
	}
	if share := v.capitals * 100; share > 15*s.letters && share < 85*s.letters {
		s.hints |= cases
	}
	return s.hints, s.shift(), s.clues
}

// rightToLeft is the override that shows what follows from right to left.
const rightToLeft = "\u202e"

// shift turns the words found in disguise into hints.
func (s *scan) shift() byte {
	if s.disguised[backwards] > 0 {
		s.hints |= turned
	}
	if s.disguised[atbash] > 0 {
		s.hints |= opposite
	}
	best := 0
	for shift := 1; shift < backwards; shift++ {
		if s.disguised[shift] > s.disguised[best] {
			best = shift
		}
	}
	switch {
	case s.disguised[best] == 0:
	case best == 13:
		s.hints |= rotated
	default:
		s.hints |= shifted
	}
	return byte(best)
}

// scan is the state between two blocks of 64 bytes; bit i of a word stands for byte i of the block.
type scan struct {
	text  []byte
	at    int // where the block starts
	words *lexicon

	valid uint64 // a bit for each byte of the block that is text

	hints     hint
	letters   int
	high      bool             // there is more than ASCII
	solid     uint64           // of the block before: ASCII that is no space
	inWord    uint64           // 1 if the block before ended in a word
	disguised [disguises]int32 // listed words in disguise, but for short ones that stand alone
	lone      [disguises]int32 // behind the start of the last one; 0: none
	clues     clues
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
	s.letters += bits.OnesCount64(letters)
	s.high = s.high || high != 0
	// Words of leastDisguised letters; at the end of the block nobody knows yet.
	for first := letters &^ (word<<1 | s.inWord) & (letters>>1 | 1<<63) & (letters>>2 | 3<<62) & (letters>>3 | 7<<61) & (letters>>4 | 15<<60); first != 0; first &= first - 1 {
		i := bits.TrailingZeros64(first)
		s.word(s.at+i, bits.TrailingZeros64(^(letters >> i)))
	}
	s.inWord = word >> 63
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
		if bits.OnesCount64(digits) >= bits.OnesCount64(s.valid)/3 {
			s.hints |= numbers
		}
		d &= d >> 2
		if d&(d>>4) != 0 {
			s.hints |= digitRuns
		}
	}
	quiet := ^word & s.valid
	quiet &= quiet >> 1
	quiet &= quiet >> 2
	quiet &= quiet >> 4
	if quiet&punct != 0 {
		s.hints |= signals
	}
	between := ^word & (word << 1) & (word >> 1)
	if between != 0 {
		wide := between & (high >> 1) // beyond ASCII a letter takes more than a byte
		if inRow(between, 2)|inRow(wide, 3)|inRow(wide, 4)|inRow(wide, 5) != 0 {
			s.hints |= apart
		}
		for distance := 3; distance <= 5; distance++ {
			for row := inRow(between, distance); row != 0; row &= row - 1 {
				if isHexPair(b[bits.TrailingZeros64(row)+1:][:distance-1]) {
					s.hints |= pairs
				}
			}
		}
		if n := bits.OnesCount64(between & punct & (letters << 1) & (letters >> 1)); n >= 3 && n >= bits.OnesCount64(spaces&s.valid) {
			s.hints |= joined
		}
	}
	if m := digits & (letters<<1 | letters>>1); m != 0 && bits.OnesCount64(m) >= 3 {
		s.hints |= mixed
	}
}

// company is how near another short word in disguise must stand: one by itself may be an accident,
// and a long text has several.
const company = 256

// inRow marks the bits of x that three others follow at that distance.
func inRow(x uint64, distance int) uint64 {
	x &= x >> distance
	return x & (x >> (2 * distance))
}

// isHexPair reports whether a word ends in two hexadecimal digits, behind an x if it is longer.
func isHexPair(word []byte) bool {
	n := len(word) - 2
	_, size := hexNumber(string(word[n:]), 2, 2)
	return size == 2 && (n == 0 || word[n-1] == 'x')
}

// word looks up the word at i, which goes on for n letters at least, or to no one knows where.
func (s *scan) word(i, n int) {
	if i+8 > len(s.text) {
		s.look(wordKey(string(s.text[i:min(i+n, len(s.text))])), i)
		return
	}
	x := binary.LittleEndian.Uint64(s.text[i:])
	if i+n == s.at+64 { // the block ends here, not the word
		low7 := x &^ highs
		others := ^(between(low7, 'a', 'z') &^ x) & highs
		n = bits.TrailingZeros64(others) / 8
	}
	if n < 8 {
		x &= 1<<(8*n) - 1
	}
	s.look(x, i)
}

// look looks up the key of the word at i.
func (s *scan) look(key uint64, i int) {
	h := hash(key)
	if s.words.filter[h/64]>>(h%64)&1 == 0 {
		return
	}
	kind := s.words.disguise(key)
	if kind == 0 {
		return
	}
	if key >= 1<<(8*(leastSure-1)) || s.lone[kind] > 0 && i-int(s.lone[kind]) < company {
		s.disguised[kind]++
		s.clues.add(kind, i, i+longestWord)
	}
	s.lone[kind] = int32(i) + 1
}

// between marks, in the highest bits, the bytes of x (all below 0x80) from lo to hi.
func between(x uint64, lo, hi uint64) uint64 {
	return (x + (0x80-lo)*lows) &^ (x + (0x80-hi-1)*lows)
}

// gather collects the highest bits of eight bytes into the lowest eight bits.
func gather(x uint64) uint64 { return x * 0x0002040810204081 >> 56 }
