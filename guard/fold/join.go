package fold

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxMarks is how many combining characters are kept on one base; what is piled on top is dropped.
// No orthography needs as many, and normalization stays linear.
const maxMarks = 8

// join folds the run of combining characters at s[i:] onto the base that was written before it,
// and returns where the run ends. s[i:] starts with one.
func (f *folder) join(s string, i int) int {
	begin, marks := lastBase(f.out[:f.n])
	for piled := 1; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		e := lookup(r)
		text := s[i : i+size]
		if e&replaced != 0 {
			text = e.text()
		}
		if isJamo(text) && piled == 1 {
			f.jamo(text, i, len(s)-i-size)
			return i + size
		}
		if text != "" && e&joins == 0 || isJamo(text) || r == utf8.RuneError && size == 1 {
			break
		}
		if why := e.reason(); why != plainly {
			f.remark(why, s, i, i+size)
		}
		if e&mark != 0 {
			if piled > 2 {
				f.meet(Stacked, i)
			}
			piled++
		}
		for _, r := range text {
			if marks < maxMarks && (lookup(r)&mark == 0 || takesMarks(f.out[:f.n])) {
				f.move(i)
				f.n += utf8.EncodeRune(f.room(len(s)-i-size), r)
				marks++
			}
		}
		i += size
	}
	f.compose(begin)
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

// compose brings out[begin:n] into normal form C.
func (f *folder) compose(begin int) {
	piece := f.out[begin:f.n]
	if norm.NFC.IsNormal(piece) {
		return
	}
	var scratch [(2*maxMarks + 2) * utf8.UTFMax]byte
	f.n = begin + copy(piece, norm.NFC.Append(scratch[:0], piece...))
	for len(f.points) > 0 && int(f.points[len(f.points)-1].at) > begin {
		f.points = f.points[:len(f.points)-1]
	}
	base := begin
	if len(f.points) > 0 {
		last := f.points[len(f.points)-1]
		base += int(last.src) - int(last.at)
	}
	// Order is lost by now: what still stands on the base stems from the base.
	_, size := utf8.DecodeRune(f.out[begin:f.n])
	for at := begin + size; at < f.n; at += size {
		f.points = append(f.points, point{uint32(at), uint32(base)})
		_, size = utf8.DecodeRune(f.out[at:f.n])
	}
	f.shift = base - (f.n - size)
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

// jamo writes a vowel or a final consonant, as part of the syllable before it if there is one.
func (f *folder) jamo(text string, i, rest int) {
	r, _ := utf8.DecodeRuneInString(text)
	last, size := utf8.DecodeLastRune(f.out[:f.n])
	switch {
	case jamoL <= last && last < jamoL+countL && r < jamoV+countV:
		r = syllables + ((last-jamoL)*countV+r-jamoV)*countT
	case syllables <= last && last < syllables+countL*countV*countT && (last-syllables)%countT == 0 && r > jamoT:
		r = last + r - jamoT
	default:
		f.move(i)
		f.write(text, rest)
		return
	}
	utf8.EncodeRune(f.out[f.n-size:], r)
}
