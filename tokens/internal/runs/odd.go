package runs

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
	familiarPlain  = 5
	familiarDear   = 4 // a fourth
	familiarLetter = 7
	familiarPair   = One / 4
	oddOnce        = 2 * One
)

// worst returns how far a text of such runs may stand above its estimate.
func (s *Sums) worst() int64 {
	word := max(s.Cost[Word], 0)
	odd := max(s.Odd[oddPlain]-familiarPlain*word, 0) +
		max(s.Odd[oddDear]-word/familiarDear, 0) +
		max(s.Odd[oddLetter]-familiarLetter*max(s.Cost[Foreign], 0), 0) +
		max(s.Odd[oddGlyph], 0) + s.Odd[oddMark] +
		max(s.Odd[oddWord]-s.Cost[Word]-s.Cost[Foreign], 0)
	if odd > 0 {
		odd += oddOnce
	}
	return odd
}

// plain adds what n Latin letters cost at worst: random ones of one case need up
// to two thirds of a token a letter, of both four fifths.
func (s *Sums) plain(n, join, shape int, cost int64) {
	worst := int64(n)*One*4/5 + One/2
	switch {
	case shape == shapeLower:
		worst = int64(n)*One*2/3 + One/2
	case join == joinNone:
		worst = int64(n)*One*2/3 + One/2
	}
	if join == joinPunct {
		worst += One / 2
	}
	pot, dear := oddPlain, int64(n)*One/3
	if join == joinCamel {
		dear = int64(n) * One * 3 / 10
	}
	if cost >= dear {
		pot = oddDear
	}
	s.Odd[pot] += max(worst-cost, 0)
}

// letters is plain for a word with letters beyond ASCII. Words of other scripts
// are spelled in bytes when they are long or in capitals.
func (s *Sums) letters(word string, n, join int, cost int64) {
	capitals, others, eastern := 0, 0, 0
	for _, c := range word {
		if c >= 0x370 {
			others++
		}
		if c >= 0x600 {
			eastern++
		}
		if c >= 0x400 && c < 0x430 {
			capitals++
		}
	}
	switch {
	case others == 0:
		s.plain(len(word), join, shapeTitle, cost)
	case n > maxWord/2 || capitals > 1:
		s.Odd[oddLetter] += max(int64(len(word))*One+2*One-cost, 0)
	case eastern > 0:
		s.Odd[oddLetter] += 2*cost + One
	default:
		s.Odd[oddLetter] += cost*3/2 + One/2
	}
}

// worstGlyph is the cost of a glyph beside a strange one: kana and Hangul are
// two tokens now and then.
func worstGlyph(c rune) int64 {
	if c >= 0x3040 && c < 0x3100 {
		return One * 3 / 2
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

// turnsIn counts the runs of one blank, \r\n being one.
func turnsIn(s string) (turns int64) {
	last := byte(0)
	for i := range len(s) {
		if c := s[i]; c != last && !(last == '\r' && c == '\n') {
			turns++
		}
		last = s[i]
	}
	return turns
}
