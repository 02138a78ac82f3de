package fold

import (
	"slices"
	"sort"
	"unicode/utf8"
)

// piece says that the decoded bytes from at on stem from what the decoder read: each unit of them
// from the next size bytes from src on; a negative size goes backwards. "%41%42" is a piece of
// units of 1 from sizes of 3. Text that was copied as it is has the unit verbatim.
type piece struct {
	at, src uint32
	unit    uint32
	size    int32
}

const verbatim = 0

// pieceAt is the index of the piece that holds byte p of v.raw.
func (v *View) pieceAt(p int) int {
	return max(sort.Search(len(v.pieces), func(i int) bool { return int(v.pieces[i].at) > p })-1, 0)
}

// inParent maps a range of v.raw to what the decoder read: all of it, in whatever order.
func (v *View) inParent(s Span) Span {
	if len(v.pieces) == 0 {
		return Span{}
	}
	out := v.unitAt(s.Start)
	if s.End <= s.Start {
		return Span{out.Start, out.Start}
	}
	for i := v.pieceAt(s.Start); i < len(v.pieces) && int(v.pieces[i].at) < s.End; i++ {
		p, end := v.pieces[i], s.End
		if i+1 < len(v.pieces) {
			end = min(end, int(v.pieces[i+1].at))
		}
		first, last := p.unitAt(max(s.Start, int(p.at))), p.unitAt(end-1)
		out = Span{min(out.Start, first.Start, last.Start), max(out.End, first.End, last.End)}
	}
	return out
}

// unitAt is what the unit was read from that holds byte p of v.raw.
func (v *View) unitAt(p int) Span { return v.pieces[v.pieceAt(p)].unitAt(p) }

// unitAt is what the unit was read from that holds the decoded byte i.
func (p piece) unitAt(i int) Span {
	n := max(i-int(p.at), 0) / int(max(p.unit, 1))
	start := int(p.src) + n*int(p.size)
	if p.size < 0 {
		return Span{start + int(p.size), start}
	}
	return Span{start, start + int(p.size)}
}

// draft is a view in the making.
type draft struct {
	bytes    []byte
	pieces   []piece
	limit    int  // bytes that may be written
	expected int  // bytes that a decoder writes when it finds much
	cut      bool // there would have been more
	most     int  // pieces that may be made; then spans grow coarse

	scratch []byte // a decoder's own
	shift   byte   // of the alphabet: what decodeShift is to undo

	stretches []Span // what decoders of words in disguise are to read
}

// full reports whether nothing more fits, and remembers it.
func (d *draft) full() bool {
	if len(d.bytes) < d.limit {
		return false
	}
	d.cut = true
	return true
}

// fits reports whether n more bytes may be written, and remembers if not.
func (d *draft) fits(n int) bool {
	if len(d.bytes)+n > d.limit {
		d.cut = true
		return false
	}
	if cap(d.bytes)-len(d.bytes) < n {
		d.bytes = slices.Grow(d.bytes, max(n, more(len(d.bytes), d.expected)))
	}
	return true
}

// more is how many to make room for where there are n: as many again, or at once what is expected
// in the end, for what is outgrown is garbage.
func more(n, expected int) int {
	if n < 4<<10 {
		return max(n, 16)
	}
	return max(n/4, expected-n)
}

// add appends text, which stems as a whole from [start, end).
func add[T string | []byte](d *draft, text T, start, end int) {
	if len(text) == 0 || !d.fits(len(text)) {
		return
	}
	d.note(len(text), start, end, false)
	d.bytes = append(d.bytes, text...)
}

// addByte is add of one byte.
func (d *draft) addByte(c byte, start, end int) {
	if !d.fits(1) {
		return
	}
	d.note(1, start, end, false)
	d.bytes = append(d.bytes, c)
}

// addBack is add of text read backwards, [start, end) being what it stems from.
func (d *draft) addBack(text string, start, end int) {
	if !d.fits(len(text)) {
		return
	}
	d.note(len(text), start, end, true)
	d.bytes = append(d.bytes, text...)
}

// backwards appends the characters of s[start:end] from the last to the first.
func (d *draft) backwards(s string, start, end int) {
	for end > start && !d.full() {
		ascii := end
		for ascii > start && s[ascii-1] < utf8.RuneSelf && end-ascii < d.limit-len(d.bytes) {
			ascii--
		}
		if ascii == end {
			_, size := utf8.DecodeLastRuneInString(s[start:end])
			d.addBack(s[end-size:end], end-size, end)
			end -= size
			continue
		}
		d.fits(end - ascii)
		if !d.extend(1, end, -1) {
			d.begin(piece{uint32(len(d.bytes)), uint32(end), 1, -1}, ascii, end)
		}
		from := len(d.bytes)
		d.bytes = append(d.bytes, s[ascii:end]...)
		slices.Reverse(d.bytes[from:])
		end = ascii
	}
}

// copy appends s[start:end] as it is.
func (d *draft) copy(s string, start, end int) {
	if end > start && !d.fits(end-start) {
		end = start + d.limit - len(d.bytes)
	}
	if end <= start {
		return
	}
	if !d.extend(verbatim, start, 1) {
		d.begin(piece{uint32(len(d.bytes)), uint32(start), verbatim, 1}, start, end)
	}
	d.bytes = append(d.bytes, s[start:end]...)
}

// swap appends the stretches of s with another letter for each letter.
func (d *draft) swap(s string, other func(byte) byte) {
	var to [256]byte
	for i := range to {
		if to[i] = byte(i); isLetter(to[i]) {
			to[i] = other(to[i])
		}
	}
	for _, stretch := range d.stretches {
		d.part(stretch.Start)
		at := len(d.bytes)
		d.copy(s, stretch.Start, stretch.End)
		for i, c := range d.bytes[at:] {
			d.bytes[at+i] = to[c]
		}
	}
}

// part sets what is written next, which was read at a place far from the last, apart.
func (d *draft) part(at int) {
	if len(d.bytes) > 0 {
		d.addByte('\n', at, at)
	}
}

// note says that the next n bytes stem from [start, end).
func (d *draft) note(n, start, end int, back bool) {
	size, src := end-start, start
	if back {
		size, src = start-end, end
	}
	if !d.extend(n, src, size) {
		d.begin(piece{uint32(len(d.bytes)), uint32(src), uint32(n), int32(size)}, start, end)
	}
}

// extend reports whether the last piece goes on with another unit of n bytes from src.
func (d *draft) extend(n, src, size int) bool {
	if len(d.pieces) == 0 {
		return false
	}
	last := d.pieces[len(d.pieces)-1]
	done := len(d.bytes) - int(last.at)
	unit := max(n, 1)
	return int(last.unit) == n && int(last.size) == size && done%unit == 0 && int(last.src)+done/unit*size == src
}

// coarse is the unit of a piece that stems as a whole from all that went into it.
const coarse = 1<<31 - 1

// begin starts a piece that stems from [start, end); when there are too many it widens the last.
func (d *draft) begin(p piece, start, end int) {
	if len(d.pieces) < d.most {
		if len(d.pieces) == cap(d.pieces) {
			d.pieces = slices.Grow(d.pieces, more(len(d.pieces), d.most))
		}
		d.pieces = append(d.pieces, p)
		return
	}
	last := &d.pieces[len(d.pieces)-1]
	unit := int(max(last.unit, 1))
	units := (len(d.bytes) - int(last.at) + unit - 1) / unit
	from, to := int(last.src), int(last.src)+units*int(last.size)
	from, to = min(from, to, start), max(from, to, end)
	last.src, last.unit, last.size = uint32(from), coarse, int32(to-from)
}
