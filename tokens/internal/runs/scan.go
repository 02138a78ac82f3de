package runs

import (
	"math/bits"
	"unicode/utf8"
)

// Sums is what Scan found, in 1/256 token: the cost per kind, what an upper
// bound charges instead for the kinds Repeat and Bytes, and what it must allow
// for when the rest turns out to be gibberish.
type Sums struct {
	Cost         [NumKinds]int64
	Charge       int64
	Odd          [numOdd]int64
	Known        int64 // words that do not turn up by chance, one token each
	KnownForeign int64 // the same with letters beyond ASCII, at their cost
	echo         echoes
}

func (s *Sums) total() (n int64) {
	for _, c := range s.Cost {
		n += c
	}
	return n
}

// Add adds what another scan found.
func (s *Sums) Add(o *Sums) {
	for k, c := range o.Cost {
		s.Cost[k] += c
	}
	s.Charge += o.Charge
	for k, c := range o.Odd {
		s.Odd[k] += c
	}
	s.Known += o.Known
	s.KnownForeign += o.KnownForeign
	s.echo.add(&o.echo)
}

// Subtract takes back what Add added.
func (s *Sums) Subtract(o *Sums) {
	for k, c := range o.Cost {
		s.Cost[k] -= c
	}
	s.Charge -= o.Charge
	for k, c := range o.Odd {
		s.Odd[k] -= c
	}
	s.Known -= o.Known
	s.KnownForeign -= o.KnownForeign
	s.echo.subtract(&o.echo)
}

// A bound charges a long run of one character by its bytes, except for the
// characters that lines and margins are drawn with: every family has tokens of
// sixteen and more of them, and a table full of them is no attack.
const (
	chargeByte    = One
	chargeBlank   = One / 8
	chargeControl = 2 * One // it may part the space before it from a word
	chargeNext    = One / 2 // what a rune charged by bytes adds to the word it interrupts
)

func chargeOf(c byte) int64 {
	switch c {
	case '-', '=':
		return One / 8
	case '*', '#', '_', '.', '/':
		return One / 4
	}
	return chargeByte
}

// chargeGlyph is chargeOf for a glyph of n bytes.
func chargeGlyph(r rune, n int) int64 {
	switch r {
	case '‐', '‑', '–', '—', '…', '─', '━', '│', '═', '║', '█', '░', 0x3000:
		return One
	}
	return chargeByte * int64(n)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// lettersIn sets the high bit of each byte of v that is an ASCII letter.
func lettersIn(v uint64) uint64 {
	low := v&^highs | 0x20*ones
	return (low + 0x1f*ones) &^ (low + 0x05*ones) &^ v & highs
}

// camelsIn sets the high bit of each upper-case letter after a lower-case one.
func camelsIn(v, letters uint64) uint64 {
	lower := letters & (v << 2) // bit 5 of a letter says lower case
	return lower << 8 & (letters &^ lower)
}

// Scan adds the costs of text to sum, in one pass and without allocating.
func (t *Table) Scan(s string, sum *Sums) {
	seed, words, hits := uint64(seedNone), int64(0), uint64(0)
	pairs, all := uint64(0), uint64(0) // for sum.echo
	for i := 0; i < len(s); {
		c := byteClass[s[i]]
		if i+8 <= len(s) {
			v := load8(s[i:])
			letters := lettersIn(v)
			word := letters
			if c == cSpace || c == cPunct {
				switch {
				case letters&0x8000 != 0:
					word |= 0x80
				case c == cPunct && s[i+1] == ' ' && t.lone[s[i]] != noLone:
					sum.Cost[Punct] += int64(t.lone[s[i]])
					i++
					continue
				}
			}
			n := bits.TrailingZeros64(^word&highs) &^ 7 // bits, not bytes
			if n > 0 && n < 64 && v>>n&0x80 == 0 {
				next := uint64(seedNone)
				mask := uint64(1)<<n - 1
				if camel := camelsIn(v, letters) & mask; camel != 0 {
					n = bits.TrailingZeros64(camel) &^ 7
					mask = 1<<n - 1
					next = seedCamel
				}
				h := mix(seed, v&mask)
				if e := t.find(h); e != 0 {
					words += e.cost()
					k := &heard[e.support()<<4|n>>3]
					hits += k.count
					said := &sum.echo.said[h>>(64-echoBits)]
					pairs += k.echo * uint64(*said)
					all += k.echo
					*said += uint32(k.echo)
				} else {
					t.rare(s, i, i+n>>3, seed, h, sum)
				}
				i += n >> 3
				seed = next
				continue
			}
			if n == 64 && i+16 <= len(s) && camelsIn(v, letters) == 0 {
				w := load8(s[i+8:])
				letters := lettersIn(w)
				m := bits.TrailingZeros64(^letters&highs) &^ 7
				mask := uint64(1)<<m - 1
				camel := camelsIn(w, letters)&mask | letters&^(w<<2)&(v>>61&1<<7)
				if m < 64 && w>>m&0x80 == 0 && camel == 0 {
					h := mix(seed, v)
					if m > 0 {
						h = mix(h, w&mask)
					}
					if e := t.find(h); e != 0 {
						words += e.cost()
						k := &heard[e.support()<<4|(8+m>>3)]
						hits += k.count
						said := &sum.echo.said[h>>(64-echoBits)]
						pairs += k.echo * uint64(*said)
						all += k.echo
						*said += uint32(k.echo)
					} else {
						t.rare(s, i, i+8+m>>3, seed, h, sum)
					}
					i += 8 + m>>3
					seed = seedNone
					continue
				}
			}
		}
		switch c {
		case cUpper, cLower:
			i, seed = t.word(s, i, i, seed, sum)
		case cDigit:
			i = t.digits(s, i, sum)
		case cSpace, cNewline:
			i, seed = t.space(s, i, sum)
		case cPunct:
			i, seed = t.punct(s, i, i, sum)
		case cHigh:
			if letterAt(s, i) > 0 {
				i, seed = t.word(s, i, i, seed, sum)
			} else {
				i = t.high(s, i, sum)
			}
		default:
			sum.Cost[Bytes] += int64(t.Base[baseByte])
			sum.Charge += chargeControl
			i++
		}
	}
	sum.Cost[Word] += words
	sum.Odd[oddWord] += int64(uint32(hits)) * One
	sum.Known += int64(hits>>32) * One
	sum.echo.pairs += pairs
	sum.echo.all += all
}

func classAt(s string, i int) uint8 {
	if i >= len(s) {
		return cControl
	}
	return byteClass[s[i]]
}

func letterAt(s string, i int) int {
	switch classAt(s, i) {
	case cUpper, cLower:
		return 1
	case cHigh:
		if r, n := utf8.DecodeRuneInString(s[i:]); classOf(r) == rLetter {
			return n
		}
	}
	return 0
}

// word handles the words that Scan's eight bytes cannot: long ones, those with
// letters beyond ASCII, and those at the end of the text.
func (t *Table) word(s string, start, i int, seed uint64, sum *Sums) (end int, next uint64) {
	end, camel := wordEnd(s, i)
	h := hashSpan(seed, s, start, end)
	if e := t.find(h); e != 0 && end-start <= maxPiece {
		kind := Word
		sum.Odd[oddWord] += One
		if s[i] >= 0x80 || s[end-1] >= 0x80 || s[start+(end-start)/2] >= 0x80 {
			kind = Foreign
		}
		sum.Cost[kind] += e.cost()
		n := end - start
		switch {
		case kind == Word && n > familiarLetters:
			sum.Known += One
		case kind == Foreign && n > 2*familiarLetters:
			sum.KnownForeign += max(e.cost(), One)
		}
		sum.echo.note(h, echo(doubt(e.support(), n)))
	} else {
		t.rare(s, start, end, seed, h, sum)
	}
	if camel {
		return end, seedCamel
	}
	return end, seedNone
}

func wordEnd(s string, i int) (end int, camel bool) {
	last := uint8(cControl)
	for end = i; end < len(s); {
		c := byteClass[s[end]]
		switch c {
		case cLower:
			end++
		case cUpper:
			if last == cLower {
				return end, true
			}
			end++
		case cHigh:
			n := letterAt(s, end)
			if n == 0 {
				return end, false
			}
			end += n
		default:
			return end, false
		}
		last = c
	}
	return end, false
}

func (t *Table) digits(s string, i int, sum *Sums) int {
	end := i + 1
	for end < len(s) && byteClass[s[end]] == cDigit {
		end++
	}
	before := 0
	if i > 0 {
		switch byteClass[s[i-1]] {
		case cUpper, cLower, cHigh:
			before = 1
		case cSpace:
			before = 2
		}
	}
	n := end - i
	one := int64(t.Base[baseRepeat+1])
	sum.Cost[Digit] += int64(t.Base[baseDigit+before*(maxDigit+1)+min(n, maxDigit)]) + one*int64(min(n, maxDigit))
	if n > maxDigit {
		sum.Cost[Repeat] += one * int64(n-maxDigit)
		sum.Charge += chargeByte * int64(n-maxDigit)
	}
	return end
}

func (t *Table) punct(s string, start, i int, sum *Sums) (int, uint64) {
	if start == i && letterAt(s, i+1) > 0 {
		return t.word(s, i, i+1, seedNone, sum)
	}
	end := i + 1
	for end < len(s) && byteClass[s[end]] == cPunct {
		end++
	}
	n := end - i
	follow, newline := 0, 0
	if letterAt(s, end) > 0 {
		follow = 1
	}
	for end < len(s) && byteClass[s[end]] == cNewline {
		end++
		newline = 1
	}
	h := hashSpan(seedPunct+uint64(follow), s, start, end)
	if e := t.find(h); e != 0 {
		sum.Cost[Punct] += e.cost()
		sum.echo.note(h, echo(doubt(e.support(), end-start)))
		return end, seedNone
	}
	b, same, cost, turns, marks := byte(0), 0, int64(0), int64(0), 0
	for j := i; j < i+n; j++ {
		c := s[j]
		if c == b {
			same++
		} else {
			same = 0
		}
		limit := repeatOf(c)
		if same >= limit {
			sum.Cost[Repeat] += int64(t.Base[baseRepeat+2])
			sum.Charge += chargeOf(c)
			continue
		}
		if same == 0 || limit != repeatLine {
			turns++
		}
		cost += int64(t.Grams[gram2(rune(b), rune(c)|0x400000)])
		marks++
		b = c
	}
	cost = cost<<gramShift + int64(t.Base[basePunct+(min(i-start, 1)*4+follow*2+newline)*(maxPunct+1)+min(n, maxPunct)])
	cost = max(cost, floorOfMarks(marks))
	sum.Cost[Punct] += cost
	if newline > 0 {
		turns += turnsIn(s[i+n : end])
		sum.Charge += chargeByte * lonelyReturns(s[i+n:end])
	}
	if s[start] == '\t' {
		turns++
	}
	sum.Odd[oddMark] += max(turns*One-cost, 0)
	sum.echo.note(h, echo(int64(end-start)*One-cost))
	return end, seedNone
}

func (t *Table) space(s string, i int, sum *Sums) (int, uint64) {
	end, nl, j := i, 0, i
	for ; j < len(s); j++ {
		if c := byteClass[s[j]]; c == cNewline {
			end, nl = j+1, nl+1
		} else if c != cSpace {
			break
		}
	}
	if nl > 0 {
		t.blank(s, i, end, nl, sum)
		return end, seedNone
	}
	punct := classAt(s, j) == cPunct
	if !punct && letterAt(s, j) == 0 {
		t.blank(s, i, j, 0, sum)
		return j, seedNone
	}
	if j-1 > i {
		t.blank(s, i, j-1, 0, sum)
		return j - 1, seedNone // Scan has a faster way for one blank
	}
	if punct {
		return t.punct(s, j-1, j, sum)
	}
	return t.word(s, j-1, j, seedNone, sum)
}

func (t *Table) blank(s string, i, end, nl int, sum *Sums) {
	follow := 0
	switch classAt(s, end) {
	case cDigit:
		follow = 1
	case cSpace:
		follow = 2
	}
	h := hashSpan(seedSpace+uint64(follow), s, i, end)
	if e := t.find(h); e != 0 {
		sum.Cost[Space] += e.cost()
		sum.echo.note(h, echo(doubt(e.support(), end-i)))
		return
	}
	blanks := end - i - nl
	cost := int64(t.Base[baseSpace+(min(nl, 4)*3+follow)*(maxBlank+1)+min(blanks, maxBlank)])
	sum.Cost[Space] += cost
	turns := turnsIn(s[i:end])
	sum.Odd[oddMark] += max(turns*One-cost, 0)
	sum.echo.note(h, echo((turns+int64(nl))*One-cost))
	if nl > 0 {
		sum.Charge += chargeByte * lonelyReturns(s[i:end])
	}
	if blanks > maxBlank {
		sum.Cost[Repeat] += int64(blanks-maxBlank) * int64(t.Base[baseRepeat+3])
		sum.Charge += chargeBlank * int64(blanks-maxBlank)
	}
	if nl > 4 {
		sum.Cost[Repeat] += int64(nl-4) * int64(t.Base[baseRepeat+4])
		sum.Charge += chargeBlank * int64(nl-4)
	}
}

// lonelyReturns counts the \r without a \n; only with one do families know them.
func lonelyReturns(s string) (n int64) {
	for i := range len(s) {
		if s[i] == '\r' && (i+1 == len(s) || s[i+1] != '\n') {
			n++
		}
	}
	return n
}

// high prices glyphs, and whatever nothing was learned about, rune by rune.
func (t *Table) high(s string, i int, sum *Sums) int {
	a, same, last, glyphs := rune(0), 0, int64(0), 0
	for i < len(s) && s[i] >= 0x80 {
		c, n, g := rune(0), 3, -1
		// Ideographs and kana, the bulk of Chinese and Japanese, by hand.
		if i+2 < len(s) && s[i] >= 0xe3 && s[i] <= 0xe9 && s[i+1]&0xc0 == 0x80 && s[i+2]&0xc0 == 0x80 {
			c = rune(s[i]&0xf)<<12 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f)
			g = glyphCJK + int(c-0x3000)
		} else {
			c, n = utf8.DecodeRuneInString(s[i:])
			switch classOf(c) {
			case rLetter:
				sum.alone(a, glyphs, last)
				return i
			case rGlyph:
				g = glyphIndex(c)
			}
		}
		if c == a {
			same++
		} else {
			same = 0
		}
		switch {
		case g < 0:
			sum.Cost[Bytes] += int64(n) * int64(t.Base[baseByte+scriptOf(c)])
			sum.Charge += chargeByte*int64(n) + chargeNext
			sum.Odd[oddGlyph] += chargeNext
			a, same, c = 0, 0, 0
		case same >= repeatMin:
			sum.Cost[Repeat] += int64(t.Base[baseRepeat+5])
			sum.Charge += chargeGlyph(c, n)
		case t.glyphs[g] == unseen:
			sum.Cost[Bytes] += int64(t.Base[baseUnseen+blockOf(c)])
			sum.Odd[oddGlyph] += chargeNext
			sum.Charge += chargeByte * int64(n)
		default:
			h := pairHash(a, c)
			e := t.find(h)
			last = int64(t.glyphs[g]) + e.cost()
			sum.Cost[Glyph] += last
			glyphs++
			doubts := uint64(0)
			if e != 0 {
				sum.Odd[oddGlyph] -= familiarPair
				doubts = heard[e.support()<<4|n].echo
			} else {
				if a != 0 {
					sum.Odd[oddGlyph] += max(worstGlyph(c)-last, 0)
				}
				doubts = echo(int64(n)*One - last)
			}
			sum.echo.note(uint64(c)*hashMul, doubts)
		}
		a = c
		i += n
	}
	sum.alone(a, glyphs, last)
	return i
}
