package fold

import (
	"sort"
	"unicode/utf8"
)

// Span is a half-open range [Start, End) of bytes.
type Span struct {
	Start, End int
}

// View is one reading of a prompt, with a map back to the bytes it was read from.
type View struct {
	Name string // Folded for the main view, else what was undone: Base64, Spaced, …
	Text []byte // the folded text; owned by the Text it came from

	raw    string  // what was folded: the source, or what a decoder made of it
	points []point // Text → raw

	parent *View   // what a decoder read; nil for the main view
	folded bool    // it read parent.Text, not parent.raw, and wrote Text; there is no raw
	pieces []piece // raw, or Text if there is no raw → parent
	depth  int     // how many decoders lie between this view and the source

	throughout bool // the decoder changed letters one for one, all over the text
	capitals   int  // of raw: ASCII capitals
	hidden     bool // of raw: it has tag characters or variation selectors
	bidi       bool // of raw: it has characters that turn the direction
}

// point says that the folded bytes from at on stem from the raw bytes from src on, one for one,
// until the next point. What stands between two points on one side only was added or dropped.
type point struct{ at, src uint32 }

// Span maps the bytes [start, end) of v.Text to the bytes of the source that they were read from,
// widened to whole characters, or to the whole encoded run. Numbers outside of v.Text count as its
// ends.
func (v *View) Span(start, end int) Span { return v.up(v.span(start, end)) }

// Changed reports whether any of the bytes [start, end) of v.Text reads differently in the view
// that v was decoded from. Around what it decodes a view repeats some text as it was; what is found
// there was seen before. In the main view everything counts as changed.
func (v *View) Changed(start, end int) bool {
	if v.parent == nil || v.throughout {
		return true
	}
	s := v.span(start, end)
	i := v.pieceAt(s.Start)
	return i >= len(v.pieces) || v.pieces[i].unit != verbatim ||
		i+1 < len(v.pieces) && int(v.pieces[i+1].at) < s.End
}

// up maps a range of v.raw to the source.
func (v *View) up(s Span) Span {
	for v.parent != nil {
		s = v.inParent(s)
		if v.folded {
			s = v.parent.span(s.Start, s.End)
		}
		v = v.parent
	}
	return s
}

// span maps a range of v.Text to v.raw, or to whole characters if there is no raw.
func (v *View) span(start, end int) Span {
	start = min(max(start, 0), len(v.Text))
	end = min(max(end, start), len(v.Text))
	if v.folded {
		if end > start {
			last := runeStart(v.Text, end-1)
			_, size := utf8.DecodeRune(v.Text[last:])
			end = last + size
		}
		return Span{runeStart(v.Text, start), end}
	}
	if start == len(v.Text) {
		return Span{len(v.raw), len(v.raw)}
	}
	s := Span{Start: v.character(start)}
	s.End = s.Start
	if end > start {
		last := v.character(end - 1)
		_, size := utf8.DecodeRuneInString(v.raw[last:])
		s.End = last + size
		if i := v.after(end - 1); i < len(v.points) && int(v.points[i].at) == end {
			s.End = withMarks(v.raw, s.End, int(v.points[i].src))
		}
	}
	return s
}

// character is where the raw character starts that byte p of v.Text was read from.
func (v *View) character(p int) int { return characterAt(v.points, v.raw, p) }

// after is the number of points at or before byte p of v.Text.
func (v *View) after(p int) int { return pointsTo(v.points, p) }

func characterAt(points []point, raw string, p int) int {
	i := pointsTo(points, p)
	var from point
	if i > 0 {
		from = points[i-1]
	}
	limit := len(raw)
	if i < len(points) {
		limit = max(int(points[i].src), int(from.src)+1)
	}
	return runeStart(raw, min(int(from.src)+p-int(from.at), limit-1))
}

func pointsTo(points []point, p int) int {
	return sort.Search(len(points), func(i int) bool { return int(points[i].at) > p })
}

// withMarks moves end over the combining marks that follow, which belong to the character before.
func withMarks(raw string, end, limit int) int {
	for end < limit {
		r, size := utf8.DecodeRuneInString(raw[end:])
		if r == utf8.RuneError || lookup(r)&joins == 0 {
			break
		}
		end += size
	}
	return end
}
