package runs

import "unicode/utf8"

// rare prices a word that the index does not name, from its letters.
func (t *Table) rare(s string, start, end int, seed uint64, sum *Sums) {
	join, mark, letters := joinNone, rune(joinNone), start
	switch byteClass[s[start]] {
	case cSpace:
		join, mark, letters = joinSpace, joinSpace, start+1
	case cPunct:
		join, mark, letters = joinPunct, rune(s[start]), start+1
	default:
		if seed == seedCamel {
			join, mark = joinCamel, joinCamel
		}
	}
	kind := Rare
	shape := shapeOf(s[letters:end])
	if shape == shapeOther {
		kind = Letter
	}
	if shape != shapeOther && end-letters <= maxWord {
		if cost, ok := t.spell(s[letters:end], mark); ok {
			n := end - letters
			cost = cost<<gramShift + int64(t.Base[baseWord+(join*4+shape)*(maxWord+1)+n])
			cost = max(cost, floorOf(n))
			sum.Cost[Rare] += cost
			sum.plain(n, join, shape, cost)
			return
		}
	}
	a, b, n, same := rune(0), mark, 0, 0
	cost := int64(0)
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
		}
		a, b = b, c
	}
	if shape == shapeOther && mixed(s[letters:end]) {
		kind = Repeat
		sum.Charge += chargeByte * int64(end-start)
	}
	cost += int64(t.Grams[gram3(a, b, 1)])
	cost = cost<<gramShift + int64(t.Base[baseWord+(join*4+shape)*(maxWord+1)+min(n, maxWord)])
	cost = max(cost, floorOf(n))
	sum.Cost[kind] += cost
	switch kind {
	case Rare:
		sum.plain(n, join, shape, cost)
	case Letter:
		sum.letters(s[letters:end], n, join, cost)
	}
}

// spell adds up the grams of an ASCII word; one with four equal letters in a row
// is left to the slow way.
func (t *Table) spell(s string, mark rune) (cost int64, ok bool) {
	a, b := rune(0), mark
	for i := range len(s) {
		c := rune(s[i])
		if c == b && i >= repeatMin && s[i-2] == s[i] && s[i-3] == s[i] {
			return 0, false
		}
		cost += int64(t.Grams[gram2(b, c)]) + int64(t.Grams[gram3(a, b, c)])
		a, b = b, c
	}
	return cost + int64(t.Grams[gram3(a, b, 1)]), true
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
