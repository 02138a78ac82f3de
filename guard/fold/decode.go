package fold

import (
	"iter"
	"slices"
	"strings"
	"unsafe"
)

// The names of the decoded views.
const (
	Tags      = "tags"      // Unicode tag characters, by themselves
	Variation = "variation" // bytes smuggled in variation selectors
	Escapes   = "escapes"   // \u0069 \u{69} \x69 \151
	Entities  = "entities"  // &#105; &#x69; &lt;
	Percent   = "percent"   // %69
	Base64    = "base64"    // standard and URL alphabet, padded or not
	Hex       = "hex"       // 69676e, 69 67 6e, 0x69 0x67
	Decimal   = "decimal"   // 105 103 110
	Binary    = "binary"    // 01101001 01100111
	Morse     = "morse"     // .. --. -.
	Spaced    = "spaced"    // i g n o r e, i.g.n.o.r.e, ignore.all.rules
	Splat     = "splat"     // *ig*nore* * all*
	Leet      = "leet"      // 1gn0r3
	Scrambled = "scrambled" // iGRnoE
	Rot13     = "rot13"     // vtaber
	Caesar    = "caesar"    // ljqruh: any other shift of the alphabet
	Atbash    = "atbash"    // rtmliv
	Reversed  = "reversed"  // selur lla erongi
	Mirrored  = "mirrored"  // erongi lla selur
)

// The bounds of decoding. Together the decoded views hold at most maxDecoded times the bytes of the
// source, and floor bytes more so that short prompts are read whole; a view of a view of a view is
// not made.
const (
	maxDecoded = 2
	floor      = 4 << 10
	maxDepth   = 2
	maxViews   = 64
	maxPieces  = 16 // bytes of the source for each piece of the maps
)

// context is how much of the text around a decoded run is repeated on either side.
const context = 64

// A decoder writes to d what it reads in s. It may write nothing.
type decoder struct {
	name   string
	folded bool // reads v.Text and writes folded text; else reads v.raw and writes any text
	hint   hint // is run only when the text shows one of these
	run    func(s string, d *draft)

	throughout bool // it changes letters one for one, all over the text
}

var decoders = [...]decoder{
	{Tags, false, hidden, decodeTags, false},
	{Variation, false, hidden, decodeVariation, false},
	{Escapes, false, backslashes, decodeEscapes, false},
	{Entities, false, ampersands, decodeEntities, false},
	{Percent, false, percents, decodePercent, false},
	{Base64, false, longRuns, decodeBase64, false},
	{Hex, false, longRuns | pairs | digitRuns, decodeHex, false},
	{Decimal, false, numbers, decodeDecimal, false},
	{Binary, false, digitRuns, decodeBinary, false},
	{Morse, true, signals, decodeMorse, false},
	{Spaced, true, apart | joined, decodeSpaced, false},
	{Splat, true, stars, decodeSplat, false},
	{Leet, true, mixed, decodeLeet, false},
	{Scrambled, true, cases, decodeScrambled, false},
	{Rot13, false, rotated, decodeShift, true},
	{Caesar, false, shifted, decodeShift, true},
	{Atbash, false, opposite, decodeAtbash, true},
	{Reversed, true, turned, decodeReversed, false},
	{Mirrored, true, turned, decodeMirrored, false},
}

// Decoded yields the further views, each made only when a cheap test says that it may matter. First
// come those of the source, then those of what was decoded; all remain valid until Reset.
func (t *Text) Decoded() iter.Seq[*View] {
	return func(yield func(*View) bool) {
		for i := 0; ; i++ {
			if i == len(t.views) && !t.decodeNext() {
				return
			}
			if !yield(t.views[i]) {
				return
			}
		}
	}
}

// decodeNext appends the next view, if there is one.
func (t *Text) decodeNext() bool {
	for ; t.reading <= len(t.views); t.reading, t.next, t.input = t.reading+1, 0, "" {
		from := &t.main
		if t.reading > 0 {
			from = t.views[t.reading-1]
		}
		if from.depth == maxDepth {
			continue
		}
		if t.next == 0 {
			t.hints, t.draft.shift, t.clues = scout(from)
		}
		for t.next < len(decoders) {
			how := &decoders[t.next]
			t.next++
			if t.hints&how.hint == 0 {
				continue
			}
			if t.left <= 0 || t.leftPieces <= 0 || len(t.views) == maxViews {
				t.truncated = true
			} else if t.decode(from, how) {
				return true
			}
		}
	}
	t.draft = draft{}
	return false
}

// stretches are those that a decoder of words in disguise is to read.
func (t *Text) stretches(v *View, how *decoder, size int) []Span {
	switch how.hint {
	case rotated, shifted:
		return t.clues.stretches(t.draft.shift, v, !v.folded)
	case opposite:
		return t.clues.stretches(atbash, v, !v.folded)
	case turned:
		if v.bidi && strings.Contains(v.raw, rightToLeft) {
			return []Span{{0, size}} // all of it is shown backwards, whatever its words
		}
		return t.clues.stretches(backwards, v, false)
	}
	return nil
}

// take returns what s holds for keeps: s itself, or a copy if that saves room.
func take[T any](s *[]T) []T {
	kept := *s
	if len(kept) < cap(kept)/4*3 {
		return slices.Clone(kept)
	}
	*s = nil
	return kept
}

// Truncated reports whether something was left unread for want of room: the source is longer than
// [MaxSource], or all that could be decoded in it is more than the bounds allow. It is final once
// [Text.Decoded] came to its end. Honest text hardly ever asks for as much.
func (t *Text) Truncated() bool { return t.truncated }

// decode runs one decoder over v and keeps what it wrote.
func (t *Text) decode(v *View, how *decoder) bool {
	input := v.raw
	if how.folded || v.folded {
		if t.input == "" { // not a copy: no one writes to v.Text before Reset, which forgets the input
			t.input = unsafe.String(unsafe.SliceData(v.Text), len(v.Text))
		}
		input = t.input
	}
	d := &t.draft
	d.bytes, d.pieces, d.cut = d.bytes[:0], d.pieces[:0], false
	d.limit, d.most = min(t.left, 2*len(input)), min(t.leftPieces, 16+len(input)/32)
	d.expected = min(d.limit, len(input))
	d.stretches = t.stretches(v, how, len(input))
	how.run(input, d)
	t.truncated = t.truncated || d.cut
	if len(d.bytes) == 0 {
		return false
	}
	t.left -= len(d.bytes)
	t.leftPieces -= len(d.pieces)
	view := &View{
		Name:   how.name,
		parent: v,
		folded: how.folded,
		pieces: take(&d.pieces),
		depth:  v.depth + 1,

		throughout: how.throughout,
	}
	if how.folded {
		view.Text = take(&d.bytes)
	} else {
		view.fold(new(folder), string(d.bytes))
	}
	if len(view.Text) == 0 {
		return false
	}
	t.views = append(t.views, view)
	return true
}
