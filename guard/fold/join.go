package fold

import (
	"bytes"
	"unicode/utf8"
)

// maxMarks is how many combining characters are kept on one base; what is piled on top is dropped.
// No orthography needs as many, and normalization stays linear.
const maxMarks = 8

// join folds the run of combining characters at s[i:] onto the base that was written before it,
// and returns where the run ends. s[i:] starts with one.
func (f *folder) join(s string, i int) int {
	begin, marks := lastBase(f.out[:f.n])
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		next := i + size
		e := lookup(r)
		text := s[i:next]
		if e&replaced != 0 || r < utf8.RuneSelf && ascii[r] == 0 {
			text = e.text()
		}
		if text != "" && (e&joins == 0 || isJamo(text)) {
			break
		}
		if r < utf8.RuneSelf {
			f.invisible(s, i, next)
		} else {
			f.remark(e.reason(), s, i, next)
		}
		if e&mark != 0 {
			f.pile(i, next)
		}
		for _, r := range text {
			if marks < maxMarks && (lookup(r)&mark == 0 || takesMarks(f.out[:f.n])) {
				f.move(i)
				f.n += utf8.EncodeRune(f.room(len(s)-next), r)
				marks++
			}
		}
		i = next
	}
	f.compose(begin, s)
	return i
}

// lastBase is where the last character starts that combining characters stand on, and how many do.
func lastBase(text []byte) (begin, marks int) {
	begin = len(text)
	for begin > 0 && marks <= 2*maxMarks {
		r, size := utf8.DecodeLastRune(text[:begin])
		begin -= size
		if r < utf8.RuneSelf || lookup(r)&joins == 0 || isJamo(string(r)) {
			break
		}
		marks++
	}
	return begin, marks
}

// compose brings out[begin:n], a base and its combining characters, into normal form C: puts these
// in canonical order and joins them to the base (UAX #15).
func (f *folder) compose(begin int, s string) {
	var runes [2*maxMarks + 2]rune
	var classes [len(runes)]uint8
	n := 0
	for at := begin; at < f.n; n++ {
		if n == len(runes) {
			return // more than was kept
		}
		r, size := utf8.DecodeRune(f.out[at:f.n])
		runes[n] = r
		classes[n] = lookup(r).class()
		for i := n; i > 0 && classes[i] != 0 && classes[i-1] > classes[i]; i-- {
			runes[i-1], runes[i] = runes[i], runes[i-1]
			classes[i-1], classes[i] = classes[i], classes[i-1]
		}
		at += size
	}
	kept := 1
	for i := 1; i < n; i++ {
		blocked := kept > 1 && (classes[kept-1] >= classes[i] || classes[kept-1] == 0)
		if to := f.pair(runes[0], runes[i]); to != 0 && !blocked {
			runes[0] = to
			continue
		}
		runes[kept], classes[kept] = runes[i], classes[i]
		kept++
	}
	f.rewrite(begin, s, runes[:kept])
}

// composition is what two characters make; 0: nothing.
type composition struct{ base, joined, to rune }

// pair looks up what two characters make, and remembers it: text repeats itself.
func (f *folder) pair(base, joined rune) rune {
	known := &f.pairs[(base^joined<<2)%rune(len(f.pairs))]
	if known.base != base || known.joined != joined {
		*known = composition{base, joined, compositions[[2]rune{base, joined}]}
	}
	return known.to
}

// rewrite puts runes for out[begin:n], if they differ. They are no longer than that.
func (f *folder) rewrite(begin int, s string, runes []rune) {
	var scratch [(2*maxMarks + 2) * utf8.UTFMax]byte
	text := scratch[:0]
	for _, r := range runes {
		text = utf8.AppendRune(text, r)
	}
	if bytes.Equal(text, f.out[begin:f.n]) {
		return
	}
	base := characterAt(f.points, s, begin)
	f.n = begin + copy(f.out[begin:f.n], text)
	f.points = f.points[:pointsTo(f.points, begin)]
	// Order is lost by now: all that stands on the base, and the base, stem from the base.
	for at := begin; at < f.n; {
		f.point(at, base)
		_, size := utf8.DecodeRune(f.out[at:f.n])
		at += size
	}
}

// The conjoining letters of Hangul (Unicode §3.12): the only base letters that compose.
const (
	jamoL, jamoV, jamoT, syllables = 0x1100, 0x1161, 0x11A7, 0xAC00
	countL, countV, countT         = 19, 21, 28
)

// isJamo reports whether text is a vowel or a final consonant that joins the syllable before it.
func isJamo(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return jamoV <= r && r < jamoV+countV || jamoT < r && r < jamoT+countT
}

// jamo makes a vowel or a final consonant part of the syllable that was written last, if it fits.
func (f *folder) jamo(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	last, size := utf8.DecodeLastRune(f.out[:f.n])
	switch {
	case jamoL <= last && last < jamoL+countL && r < jamoV+countV:
		r = syllables + ((last-jamoL)*countV+r-jamoV)*countT
	case syllables <= last && last < syllables+countL*countV*countT && (last-syllables)%countT == 0 && r > jamoT:
		r = last + r - jamoT
	default:
		return false
	}
	utf8.EncodeRune(f.out[f.n-size:], r)
	return true
}
