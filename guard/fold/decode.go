package fold

import "iter"

// The names of the decoded views.
const (
	Tags      = "tags"      // Unicode tag characters, by themselves
	Variation = "variation" // bytes smuggled in variation selectors
	Escapes   = "escapes"   // \u0069 \u{69} \x69 \151
	Entities  = "entities"  // &#105; &#x69; &lt;
	Percent   = "percent"   // %69
	Base64    = "base64"    // standard and URL alphabet, padded or not
	Hex       = "hex"       // 69676e, 69 67 6e, 0x69 0x67
	Binary    = "binary"    // 01101001 01100111
	Morse     = "morse"     // .. --. -.
	Spaced    = "spaced"    // i g n o r e, i.g.n.o.r.e, ignore.all.rules
	Splat     = "splat"     // *ig*nore* * all*
	Leet      = "leet"      // 1gn0r3
	Scrambled = "scrambled" // iGRnoE
	Rot13     = "rot13"     // vtaber
	Caesar    = "caesar"    // ljqruh: any other shift of the alphabet
	Reversed  = "reversed"  // erongi
)

// The bounds of decoding. Together the decoded views hold at most maxDecoded times the bytes of the
// source, and floor bytes more so that short prompts are read whole; a view of a view of a view is
// not made.
const (
	maxDecoded = 2
	floor      = 4 << 10
	maxDepth   = 2
	maxViews   = 64
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
	{Hex, false, longRuns | apart | digitRuns, decodeHex, false},
	{Binary, false, digitRuns, decodeBinary, false},
	{Morse, true, signals, decodeMorse, false},
	{Spaced, true, apart | joined, decodeSpaced, false},
	{Splat, true, stars, decodeSplat, false},
	{Leet, true, mixed, decodeLeet, true},
	{Scrambled, true, cases, decodeScrambled, false},
	{Rot13, false, rotated, decodeShift, true},
	{Caesar, false, shifted, decodeShift, true},
	{Reversed, true, turned, decodeReversed, false},
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
	for len(t.views) < maxViews {
		from := &t.main
		if t.reading > 0 {
			if t.reading > len(t.views) {
				return false
			}
			from = t.views[t.reading-1]
		}
		if from.depth < maxDepth {
			if t.next == 0 {
				t.hints, t.draft.shift = scout(from)
			}
			for t.next < len(decoders) {
				d := &decoders[t.next]
				t.next++
				if t.hints&d.hint != 0 && t.decode(from, d) {
					return true
				}
			}
		}
		t.reading++
		t.next = 0
	}
	return false
}

// decode runs one decoder over v and keeps what it wrote.
func (t *Text) decode(v *View, how *decoder) bool {
	t.draft.bytes, t.draft.pieces = t.draft.bytes[:0], t.draft.pieces[:0]
	t.draft.limit = min(t.left, 2*len(v.raw))
	t.draft.most = 16 + len(v.raw)/32
	s := v.raw
	if how.folded {
		s = string(v.Text)
	}
	how.run(s, &t.draft)
	if len(t.draft.bytes) == 0 {
		return false
	}
	t.left -= len(t.draft.bytes)
	view := &View{
		Name:   how.name,
		raw:    string(t.draft.bytes),
		parent: v,
		folded: how.folded,
		pieces: append([]piece(nil), t.draft.pieces...),
		depth:  v.depth + 1,

		throughout: how.throughout,
	}
	if how.folded {
		view.Text = append([]byte(nil), t.draft.bytes...)
	} else {
		var f folder
		view.Text, view.points = f.fold(view.raw)
		view.capitals, view.bidi, view.hidden = f.capitals, f.met[Bidi].count > 0, f.met[Tagged].count+f.met[Selector].count > 0
	}
	t.views = append(t.views, view)
	return true
}
