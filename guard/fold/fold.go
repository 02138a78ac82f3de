package fold

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Folded is the name of the main view.
const Folded = "folded"

// MaxSource is how many bytes of a source are folded; what is longer is cut there.
const MaxSource = 1<<31 - 1

// Text is a prompt and its views. The zero value is ready; Reset reuses its memory.
// It is not safe for concurrent use.
type Text struct {
	source string
	main   View
	folder folder

	views   []*View // the decoded views so far
	reading int     // which view is being decoded: 0 main, n views[n-1]
	next    int     // which decoder comes next
	hints   hint    // of the view that is being decoded
	clues   clues   // of it too
	input   string  // its Text, if decoders asked for that
	draft   draft

	left, leftPieces int  // how many bytes and pieces may still be decoded
	truncated        bool // that was too little
}

// Reset folds source, forgetting what t held before: the views handed out become invalid.
func (t *Text) Reset(source string) {
	t.source = source
	source = source[:min(len(source), MaxSource)]
	t.folder.reset(t.main.Text, t.main.points)
	t.main = View{Name: Folded}
	t.main.fold(&t.folder, source)
	clear(t.views)
	t.views, t.reading, t.next = t.views[:0], 0, 0
	t.left, t.leftPieces, t.input = maxDecoded*len(source)+floor, (len(source)+floor)/maxPieces, ""
	t.truncated = len(source) < len(t.source)
}

// fold makes v the folded view of raw.
func (v *View) fold(f *folder, raw string) {
	v.raw = raw
	v.Text, v.points = f.fold(raw)
	v.capitals = f.capitals
	v.bidi = f.met[Bidi].count > 0
	v.hidden = f.met[Tagged].count+f.met[Selector].count > 0
}

// Source returns the prompt as it came.
func (t *Text) Source() string { return t.source }

// Main returns the folded view of the whole prompt.
func (t *Text) Main() *View { return &t.main }

// folder is one pass over a text.
type folder struct {
	out    []byte // out[:n] is the folded text; its length is all that may be written
	n      int
	points []point
	shift  int // src - at of what was written last
	size   int // of the source
	met    [signs]met

	capitals int // A–Z

	pairs [16]composition // the last ones

	piled   int // combining marks in a row
	pileEnd int // where the last of them ended
}

func (f *folder) reset(out []byte, points []point) {
	f.out, f.n, f.points, f.shift = out[:0], 0, points[:0], 0
	f.met, f.capitals, f.piled, f.pileEnd = [signs]met{}, 0, 0, 0
}

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// fold writes the folded form of s. Eight ASCII bytes go at a time; what is no printable ASCII goes
// by itself.
func (f *folder) fold(s string) ([]byte, []point) {
	f.size = len(s)
	f.out = slices.Grow(f.out, len(s)+slack)
	f.out = f.out[:cap(f.out)]
	i := 0
	for len(s)-i >= 8 {
		f.move(i)
		start := i
		for len(s)-i >= 8 {
			x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
				uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
			lower, special, capitals := lowerASCII(x)
			f.capitals += capitals
			binary.LittleEndian.PutUint64(f.out[f.n+i-start:], lower)
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		f.n += i - start
		if i < len(s) {
			i = f.other(s, i)
		}
	}
	for i < len(s) {
		i = f.other(s, i)
	}
	return f.out[:f.n], f.points
}

// lowerASCII makes the letters A–Z of eight bytes small, and marks each byte that is no printable
// ASCII character in its highest bit. Only what stands before the first such byte is sure.
func lowerASCII(x uint64) (lower, special uint64, capitals int) {
	low7 := x &^ highs
	upper := (low7 + (0x80-'A')*lows) &^ (low7 + (0x80-'Z'-1)*lows) & highs
	printable := (low7 + (0x80-' ')*lows) &^ (low7 + 1*lows)
	special = (x | ^printable) & highs
	sure := special&-special - 1
	return x + upper>>2, special, bits.OnesCount64(upper &^ x & sure)
}

// slack is the room that one step of the pass may write beyond what it has read.
const slack = 64

// other folds the character at s[i:] by the tables, and returns where the next one starts.
func (f *folder) other(s string, i int) int {
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if to := ascii[c]; to != 0 {
				f.move(i)
				f.out[f.n] = to
				f.n++
			} else {
				f.invisible(s, i, i+1)
			}
			return i + 1
		}
		// Three bytes are what Chinese and Japanese are made of.
		if 0xE1 <= c && c <= 0xEC && i+2 < len(s) && s[i+1]&0xC0 == 0x80 && s[i+2]&0xC0 == 0x80 {
			e := lookup(rune(c&0x0F)<<12 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F))
			if e&(replaced|joins) == 0 {
				f.move(i)
				f.out[f.n], f.out[f.n+1], f.out[f.n+2] = c, s[i+1], s[i+2]
				f.n += 3
				i += 3
				continue
			}
			i = f.rune(s, i, 3, e)
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			f.meet(Invalid, i)
			i++
			continue
		}
		i = f.rune(s, i, size, lookup(r))
	}
	return i
}

// rune folds the rune s[i:i+size], whose entry is e, and returns where the next one starts.
func (f *folder) rune(s string, i, size int, e entry) int {
	next := i + size
	text := s[i:next]
	if e&replaced != 0 {
		text = e.text()
	}
	if e&joins != 0 && !isJamo(text) {
		if e&mark != 0 && !takesMarks(f.out[:f.n]) && len(text) <= size {
			f.pile(i, next)
			return next
		}
		return f.join(s, i)
	}
	f.remark(e.reason(), s, i, next)
	if text == "" {
		return next
	}
	if e&joins != 0 && f.jamo(text) {
		return next
	}
	f.move(i)
	f.write(text, len(s)-next)
	if len(text) > size {
		f.move(next) // so that no byte of text maps behind the rune
	}
	return next
}

// remark counts why the rune s[i:next] changes.
func (f *folder) remark(why reason, s string, i, next int) {
	switch why {
	case plainly:
		return
	case isInvisible:
		f.invisible(s, i, next)
		return
	case isConfusable:
		if i > 0 && isLetter(s[i-1]) || next < len(s) && isLetter(s[next]) {
			f.meet(Mixed, i)
		}
	}
	f.meet(reasons[why], i)
}

func (f *folder) invisible(s string, i, next int) {
	f.meet(Invisible, i)
	if f.n > 0 && isLetter(f.out[f.n-1]) && next < len(s) && isLetter(s[next]) {
		f.meet(InWord, i)
	}
}

// pile counts the combining mark s[i:next].
func (f *folder) pile(i, next int) {
	if i != f.pileEnd {
		f.piled = 0
	}
	f.piled, f.pileEnd = f.piled+1, next
	if f.piled > 2 {
		f.meet(Stacked, i)
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// move notes that what is written next stems from the byte src of the source.
func (f *folder) move(src int) {
	if src-f.n != f.shift {
		f.point(f.n, src)
	}
}

// point adds a point. Of several at one place only the first and the last say something.
func (f *folder) point(at, src int) {
	p, n := point{uint32(at), uint32(src)}, len(f.points)
	f.shift = src - at
	if n > 1 && f.points[n-1].at == p.at && f.points[n-2].at == p.at {
		f.points[n-1] = p
		return
	}
	if n == cap(f.points) {
		f.points = slices.Grow(f.points, f.morePoints(p))
	}
	f.points = append(f.points, p)
}

// morePoints is how many points to make room for: as many again, or what the rest of the text needs
// if it is like what was read.
func (f *folder) morePoints(p point) int {
	n := len(f.points)
	if n < 1024 {
		return max(16, n)
	}
	return n*(f.size-int(p.src))/int(max(p.src, 1)) + n/8
}

// write appends text; rest is how much of the source is still to come.
func (f *folder) write(text string, rest int) { f.n += copy(f.room(rest), text) }

// room returns where the next bytes go, at least slack of them and rest.
func (f *folder) room(rest int) []byte {
	if len(f.out)-f.n < rest+slack {
		done := f.size - rest
		more := max(f.n-done, 0) * rest / max(done, 1)                  // if the rest grows as what was read did
		longer := make([]byte, f.n+rest+2*slack+min(more+more/8, rest)) // append would take more
		copy(longer, f.out[:f.n])
		f.out = longer
	}
	return f.out[f.n:]
}
