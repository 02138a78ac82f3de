package runs

import "unicode/utf8"

// joinOf returns how a word joins what stands before it, what its first letter
// is paired with, and where its letters start.
func joinOf(s string, start int, seed uint64) (join int, mark rune, letters int) {
	switch byteClass[s[start]] {
	case cSpace:
		return joinSpace, joinSpace, start + 1
	case cPunct:
		return joinPunct, rune(s[start]), start + 1
	}
	if seed == seedCamel {
		return joinCamel, joinCamel, start
	}
	return joinNone, joinNone, start
}

// rare prices a word that the index does not name, from its letters.
func (t *Table) rare(s string, start, end int, seed, h uint64, sum *Sums) {
	join, mark, letters := joinOf(s, start, seed)
	kind := Rare
	shape := shapeOf(s[letters:end])
	if shape == shapeOther {
		kind = Letter
	}
	if n := end - letters; shape != shapeOther && n <= maxWord {
		if cost, unsure, ok := t.spell(s[letters:end], mark); ok {
			cost = cost<<gramShift + int64(t.Base[baseWord+(join*4+shape)*(maxWord+1)+n])
			cost = max(cost, floorOf(n))
			sum.Cost[Rare] += cost
			sum.echo.note(h, echo(sum.plain(mostOf(s[letters:end], unsure, join), join, n, cost)))
			return
		}
	}
	a, b, n, same := rune(0), mark, 0, 0
	cost, alone := int64(0), int64(0)
	for _, c := range s[letters:end] {
		if n++; c == b {
			same++
		} else {
			same = 0
		}
		if same >= repeatMin || n > maxWord {
			sum.Cost[Repeat] += int64(t.Base[baseRepeat])
			sum.Charge += chargeByte * int64(utf8.RuneLen(c))
		} else {
			cost += int64(t.Grams[gram2(b, c)]) + int64(t.Grams[gram3(a, b, c)])
			if c >= utf8.RuneSelf {
				alone += int64(t.Base[baseLetter+int(letterPlace[c])])
			}
		}
		a, b = b, c
	}
	if shape == shapeOther && mixed(s[letters:end]) {
		kind = Repeat
		sum.Charge += chargeByte * int64(end-start)
	}
	cost += int64(t.Grams[gram3(a, b, 1)])
	cost = cost<<gramShift + alone + int64(t.Base[baseWord+(join*4+shape)*(maxWord+1)+min(n, maxWord)])
	cost = max(cost, floorOf(n))
	sum.Cost[kind] += cost
	switch kind {
	case Rare:
		sum.echo.note(h, echo(sum.plain(mostOf(s[letters:end], n, join), join, n, cost)))
	case Letter:
		sum.echo.note(h, echo(sum.letters(s[letters:end], n, join, cost)))
	}
}

// spell adds up the grams of an ASCII word and counts its unsure pairs; one with
// four equal letters in a row is left to the slow way.
func (t *Table) spell(s string, mark rune) (cost int64, unsure int, ok bool) {
	a, b, mates := rune(0), mark, uint64(0)
	for i := range len(s) {
		c := rune(s[i])
		if c == b && i >= repeatMin && s[i-2] == s[i] && s[i-3] == s[i] {
			return 0, 0, false
		}
		cost += int64(t.Grams[gram2(b, c)]) + int64(t.Grams[gram3(a, b, c)])
		unsure += int(mates >> (s[i] & 63) & 1)
		mates = unsureWith[s[i]&63]
		a, b = b, c
	}
	return cost + int64(t.Grams[gram3(a, b, 1)]), unsure, true
}

// mixed reports whether a word puts letters of two scripts together, or more
// accents than a language does: a bound charges it by its bytes.
func mixed(s string) bool {
	ascii, accents, others := 0, 0, 0
	for _, c := range s {
		switch {
		case c < utf8.RuneSelf:
			ascii++
		case c < 0x370:
			accents++
		default:
			others++
		}
	}
	return others > 0 && ascii+accents > 0 || accents > 1 && accents >= ascii
}
