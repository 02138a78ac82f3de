package runs

import (
	"math"
	"unicode/utf8"
)

// What a run may cost beyond its estimate is gathered in pots. The estimate of a
// word that the index does not name is right for words that are rare, and too
// low for letters thrown together, of which the fitting data has few. One word
// does not tell which it is; many without a familiar one among them do.
const (
	oddWord   = iota // words of the index, one token each: none is cheaper
	oddPlain         // words outside the index, of letters that look like a word
	oddDear          // and of letters that do not
	oddLetter        // the same beyond Latin
	oddGlyph         // pairs of glyphs that the index does not name
	oddMark          // punctuation and white space in no known order
	numOdd
)

// How much of a pot the cost of what is familiar outweighs: as little as leaves
// real texts of every class nearly as they were.
const (
	familiarPlain  = 7
	familiarDear   = 4 // a fourth
	familiarLetter = 22
	familiarPair   = One / 4
	familiarFew    = One // a word that tells nothing
	oddOnce        = 2 * One
)

// Strange returns how far a text of such runs may stand above its estimate.
func (s *Sums) Strange() int64 {
	word := max(s.Known-familiarFew, 0)
	odd := max(s.Odd[oddPlain]-familiarPlain*word, 0) +
		max(s.Odd[oddDear]-word/familiarDear, 0) +
		max(s.Odd[oddLetter]-familiarLetter*max(s.KnownForeign-familiarFew, 0), 0) +
		max(s.Odd[oddGlyph], 0) + s.Odd[oddMark] +
		max(s.Odd[oddWord]-s.Cost[Word]-s.Cost[Foreign], 0)
	if odd > 0 {
		odd += oddOnce
	}
	return odd + s.echo.charge(s.total())
}

// plain adds what n ASCII letters cost at worst beyond cost, and returns it.
func (s *Sums) plain(most, join, n int, cost int64) int64 {
	excess := max(int64(most)*One-cost, 0)
	pot, dear := oddPlain, int64(n)*One/3
	if join == joinCamel {
		dear = int64(n) * One * 3 / 10
	}
	if cost >= dear {
		pot = oddDear
	}
	s.Odd[pot] += excess
	return excess
}

// letters is plain for a word of n letters, some beyond ASCII: one token a letter,
// two for the rarer ones of a script, for those of Devanagari and for all in a
// long word. What it returns, for the echoes, is held to one a letter.
func (s *Sums) letters(word string, n, join int, cost int64) int64 {
	rare, russian, arabic, indic, unsure, mates := 0, 0, 0, 0, 0, uint64(0)
	for _, c := range word {
		switch {
		case c < utf8.RuneSelf:
			unsure += int(mates >> (c & 63) & 1)
			mates = unsureWith[c&63]
			continue
		case c < 0xdf, c >= 0x400 && c < 0x430, c >= 0x621 && c < 0x627, c >= 0x640 && c < 0x641, c >= 0x64b && c < 0x64e:
			rare++
		}
		unsure++
		mates = math.MaxUint64
		switch {
		case c >= 0x900:
			indic++
		case c >= 0x600:
			arabic++
		case c >= 0x400:
			russian++
		}
	}
	most := n + rare
	switch {
	case russian+arabic+indic == 0:
		return s.plain(min((2*(n+unsure)+1)/3+1, n)+rare+1, join, len(word), cost)
	case n > maxWord/2:
		most = 2*n + indic + 1
	case indic > 0:
		most = 2*n + 1
	case russian == n && rare == 0:
		most = (9*n + 9) / 10
	}
	if join == joinSpace || join == joinPunct {
		most++
	}
	excess := max(int64(most)*One-cost, 0)
	s.Odd[oddLetter] += excess
	return min(excess, max(int64(n+1)*One-cost, 0))
}

// worstGlyph is the cost of a glyph beside a strange one: kana and Hangul are
// two tokens now and then, the halves of a flag always.
func worstGlyph(c rune) int64 {
	switch {
	case c >= 0x3040 && c < 0x3100:
		return One * 3 / 2
	case c >= 0x1f1e6 && c < 0x1f200: // flags
		return One * 17 / 8
	}
	return One * 17 / 16
}

// alone adds what glyph c with none beside it costs: nothing merges with it, and
// it parts what stands before it from what follows.
func (s *Sums) alone(c rune, glyphs int, cost int64) {
	if glyphs == 1 {
		s.Odd[oddGlyph] += max(worstGlyph(c)+One*3/4-cost, 0)
	}
}

// turnsIn counts the stretches of one blank, \r\n being one blank.
func turnsIn(s string) (turns int64) {
	last := 0
	for i := 0; i < len(s); i++ {
		c := int(s[i])
		if c == '\r' && i+1 < len(s) && s[i+1] == '\n' {
			c, i = c<<8, i+1
		}
		if c != last {
			turns++
		}
		last = c
	}
	return turns
}
