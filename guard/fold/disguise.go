package fold

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// decodeShift moves the letters of the alphabet back by d.shift: ROT13 or Caesar's cipher.
func decodeShift(s string, d *draft) {
	back := 26 - d.shift
	d.swap(s, func(c byte) byte { return (c|0x20-'a'+back)%26 + 'a' })
}

// decodeAtbash reads the alphabet from z to a.
func decodeAtbash(s string, d *draft) {
	d.swap(s, func(c byte) byte { return 'z' - (c | 0x20 - 'a') })
}

// decodeReversed reads the text from its end.
func decodeReversed(s string, d *draft) {
	for _, stretch := range slices.Backward(d.stretches) {
		d.part(stretch.End)
		d.backwards(s, stretch.Start, stretch.End)
	}
}

// decodeMirrored reads each word from its end.
func decodeMirrored(s string, d *draft) {
	for _, stretch := range d.stretches {
		d.part(stretch.Start)
		s := s[:stretch.End]
		for i := stretch.Start; i < len(s) && !d.full(); {
			word := gapEnd(s, i)
			d.copy(s, i, word)
			i = tokenEnd(s, word)
			d.backwards(s, word, i)
		}
	}
}

// decodeScrambled puts the letters of scrambled words back in order.
func decodeScrambled(s string, d *draft) {
	w := weaver{s: s, d: d}
	words := theLexicon()
	var word [longestWord + 1]byte
	for i := 0; i < len(s) && !d.full(); i++ {
		start := i
		for i < len(s) && i-start < len(word) && scrambledLetter(s[i]) != 0 {
			word[i-start] = scrambledLetter(s[i])
			i++
		}
		if found := words.unscramble(word[:i-start]); found != "" && found != s[start:i] {
			w.upTo(start)
			add(d, found, start, i)
			w.done = i
		}
	}
	w.rest()
}

// scrambledLetter is the letter that c is or stands next to in ASCII, else 0.
func scrambledLetter(c byte) byte {
	switch {
	case 'a' <= c && c <= 'z':
		return c
	case c == '@' || c == '`':
		return 'a'
	case c == '[' || c == '{':
		return 'z'
	}
	return 0
}

// Plane 14 holds the tag characters and most variation selectors.
const plane14 = "\xf3\xa0"

// smuggled reads the characters of one kind by themselves, wherever they stand in the text.
func smuggled(s string, d *draft, read func(rune) (byte, bool)) {
	for i, last := 0, 0; !d.full(); {
		n := strings.Index(s[i:], plane14)
		if n < 0 {
			return
		}
		i += n
		r, size := utf8.DecodeRuneInString(s[i:])
		if c, ok := read(r); ok {
			if len(d.bytes) > 0 && i-last > 2*utf8.UTFMax {
				d.addByte('\n', last, i)
			}
			d.addByte(c, i, i+size)
			last = i + size
		}
		i += size
	}
}

// decodeTags reads Unicode tag characters (U+E0020–U+E007E).
func decodeTags(s string, d *draft) {
	smuggled(s, d, func(r rune) (byte, bool) { return byte(r & 0x7F), 0xE0020 <= r && r <= 0xE007E })
}

// decodeVariation reads the bytes 16 to 255 hidden in the variation selectors U+E0100–U+E01EF.
func decodeVariation(s string, d *draft) {
	smuggled(s, d, func(r rune) (byte, bool) { return byte(r - 0xE0100 + 16), 0xE0100 <= r && r <= 0xE01EF })
	if !isText(d.bytes) {
		d.bytes, d.pieces = d.bytes[:0], d.pieces[:0]
	}
}
