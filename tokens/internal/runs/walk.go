package runs

import "unicode/utf8"

// A Run is a stretch of text and the parameters that make up its cost.
type Run struct {
	Kind   Kind
	Start  int
	End    int
	Hash   uint64  // of the piece, 0 when the run is never looked up
	Slot   int     // in Table.Piece, -1 when the index does not name the piece
	Floor  int64   // the least that Base, without Repeat's, and Grams add up to
	Base   []int32 // places in Table.Base
	Grams  []int32 // places in Table.Grams
	Glyphs []int32 // places in Table.Glyph
}

func (r *Run) reset(k Kind, start int) {
	*r = Run{Kind: k, Start: start, Slot: -1, Base: r.Base[:0], Grams: r.Grams[:0], Glyphs: r.Glyphs[:0]}
}

func (r *Run) base(i int) { r.Base = append(r.Base, int32(i)) }

// Walk cuts text and hands each run to visit, which must not keep it. Without
// an index every glyph counts as seen and no piece is looked up.
func Walk(text string, x *Index, visit func(*Run)) {
	w := walker{text: text, index: x}
	for i := 0; i < len(text); {
		i = w.step(i, visit)
	}
}

type walker struct {
	text  string
	index *Index
	run   Run
}

func (w *walker) find(h uint64) {
	w.run.Hash = h
	if w.index != nil {
		w.run.Slot = w.index.Find(h)
	}
}

func (w *walker) class(i int) uint8 {
	if i >= len(w.text) {
		return cControl
	}
	return byteClass[w.text[i]]
}

// letter returns the width of the letter at i, or 0.
func (w *walker) letter(i int) int {
	switch w.class(i) {
	case cUpper, cLower:
		return 1
	case cHigh:
		if r, n := utf8.DecodeRuneInString(w.text[i:]); classOf(r) == rLetter {
			return n
		}
	}
	return 0
}

func (w *walker) step(i int, visit func(*Run)) int {
	switch w.class(i) {
	case cUpper, cLower:
		return w.word(i, i, joinNone, visit)
	case cDigit:
		return w.digits(i, visit)
	case cSpace:
		return w.space(i, visit)
	case cNewline:
		return w.space(i, visit)
	case cPunct:
		return w.punct(i, i, visit)
	case cHigh:
		if w.letter(i) > 0 {
			return w.word(i, i, joinNone, visit)
		}
		return w.high(i, visit)
	}
	w.run.reset(Bytes, i)
	w.run.End = i + 1
	w.run.base(baseByte)
	visit(&w.run)
	return i + 1
}

// word cuts the word whose letters start at i; the run starts at start, the
// joined space or mark. A lower-case letter before an upper-case one ends it.
func (w *walker) word(start, i, join int, visit func(*Run)) int {
	for {
		end, camel := w.wordEnd(i)
		w.wordRun(start, i, end, join, visit)
		if !camel {
			return end
		}
		start, i, join = end, end, joinCamel
	}
}

func (w *walker) wordEnd(i int) (end int, camel bool) {
	for end = i; ; {
		n := w.letter(end)
		if n == 0 {
			return end, false
		}
		if end > i && w.class(end) == cUpper && w.class(end-1) == cLower {
			return end, true
		}
		end += n
	}
}

func (w *walker) wordRun(start, letters, end, join int, visit func(*Run)) {
	r := &w.run
	r.reset(Rare, start)
	r.End = end
	seed := uint64(seedNone)
	if join == joinCamel {
		seed = seedCamel
	}
	if end-start <= maxPiece {
		w.find(hashBytes(seed, w.text[start:end]))
	}
	mark := rune(join)
	if join == joinPunct {
		mark = rune(w.text[start])
	}
	a, b, n, same := rune(0), mark, 0, 0
	shape := shapeOf(w.text[letters:end])
	if shape == shapeOther {
		r.Kind = Letter
	}
	for _, c := range w.text[letters:end] {
		if n++; c == b {
			same++
		} else {
			same = 0
		}
		if same >= repeatMin || n > maxWord {
			r.base(baseRepeat)
		} else {
			r.Grams = append(r.Grams, int32(gram2(b, c)), int32(gram3(a, b, c)))
			if c >= utf8.RuneSelf {
				r.base(baseLetter + int(letterPlace[c]))
			}
		}
		a, b = b, c
	}
	r.Grams = append(r.Grams, int32(gram3(a, b, 1)))
	r.base(baseWord + (join*4+shape)*(maxWord+1) + min(n, maxWord))
	r.Floor = floorOf(n)
	visit(r)
}

const (
	shapeLower = iota
	shapeTitle
	shapeUpper
	shapeOther // has letters beyond ASCII
)

func shapeOf(s string) int {
	upper := 0
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return shapeOther
		}
		if s[i] < 'a' {
			upper++
		}
	}
	switch {
	case upper == 0:
		return shapeLower
	case upper == 1 && len(s) > 1:
		return shapeTitle
	}
	return shapeUpper
}

func (w *walker) digits(i int, visit func(*Run)) int {
	end := i
	for w.class(end) == cDigit {
		end++
	}
	r := &w.run
	r.reset(Digit, i)
	r.End = end
	before := 0
	if i > 0 {
		switch w.class(i - 1) {
		case cUpper, cLower, cHigh:
			before = 1
		case cSpace:
			before = 2
		}
	}
	n := end - i
	r.base(baseDigit + before*(maxDigit+1) + min(n, maxDigit))
	for range n {
		r.base(baseRepeat + 1)
	}
	visit(r)
	return end
}

// punct cuts a run of ASCII punctuation with the space before it and the
// newlines after it, the way the cl100k pattern does; one mark directly before
// a letter joins the word instead.
func (w *walker) punct(start, i int, visit func(*Run)) int {
	if start == i && w.letter(i+1) > 0 {
		return w.word(i, i+1, joinPunct, visit)
	}
	end := i
	for w.class(end) == cPunct {
		end++
	}
	n := end - i
	follow, newline := 0, 0
	if w.letter(end) > 0 {
		follow = 1
	}
	for w.class(end) == cNewline {
		end++
		newline = 1
	}
	r := &w.run
	r.reset(Punct, start)
	r.End = end
	w.find(hashBytes(seedPunct+uint64(follow), w.text[start:end]))
	r.base(basePunct + (min(i-start, 1)*4+follow*2+newline)*(maxPunct+1) + min(n, maxPunct))
	b, same := byte(0), 0
	for j := i; j < i+n; j++ {
		c := w.text[j]
		if c == b {
			same++
		} else {
			same = 0
		}
		if same >= repeatOf(c) {
			r.base(baseRepeat + 2)
		} else {
			r.Grams = append(r.Grams, int32(gram2(rune(b), rune(c)|0x400000)))
		}
		b = c
	}
	r.Floor = floorOfMarks(len(r.Grams))
	visit(r)
	return end
}

// space cuts white space: up to the last newline, then the blanks after it. The
// last blank joins the word or the punctuation behind it.
func (w *walker) space(i int, visit func(*Run)) int {
	end, nl := i, 0
	for j := i; ; j++ {
		c := w.class(j)
		if c == cNewline {
			end, nl = j+1, nl+1
		} else if c != cSpace {
			if nl == 0 {
				end = j
			}
			break
		}
	}
	join := -1
	if nl == 0 {
		if c := w.class(end); c == cPunct || w.letter(end) > 0 {
			end--
			join = end
		}
	}
	if end > i {
		w.blank(i, end, nl, visit)
	}
	switch {
	case join < 0:
		return end
	case w.class(join+1) == cPunct:
		return w.punct(join, join+1, visit)
	}
	return w.word(join, join+1, joinSpace, visit)
}

func (w *walker) blank(i, end, nl int, visit func(*Run)) {
	follow := 0
	switch {
	case w.class(end) == cDigit:
		follow = 1
	case w.class(end) == cSpace:
		follow = 2
	}
	r := &w.run
	r.reset(Space, i)
	r.End = end
	w.find(hashBytes(seedSpace+uint64(follow), w.text[i:end]))
	blanks := end - i - nl
	r.base(baseSpace + (min(nl, 4)*3+follow)*(maxBlank+1) + min(blanks, maxBlank))
	for ; blanks > maxBlank; blanks-- {
		r.base(baseRepeat + 3)
	}
	for ; nl > 4; nl-- {
		r.base(baseRepeat + 4)
	}
	visit(r)
}

// high handles one rune beyond ASCII that is no letter.
func (w *walker) high(i int, visit func(*Run)) int {
	c, n := utf8.DecodeRuneInString(w.text[i:])
	r := &w.run
	if classOf(c) == rBytes {
		r.reset(Bytes, i)
		r.End = i + n
		for j := i; j < i+n; j++ {
			r.base(baseByte + scriptOf(c))
		}
		visit(r)
		return i + n
	}
	a, same := rune(0), 0
	for classOf(c) == rGlyph && n > 1 {
		r.reset(Glyph, i)
		r.End = i + n
		if c == a {
			same++
		} else {
			same = 0
		}
		switch g := glyphIndex(c); {
		case same >= repeatMin:
			r.Kind = Repeat
			r.base(baseRepeat + 5)
		case w.index != nil && !w.index.seen(g):
			r.Kind = Bytes
			r.base(baseUnseen + blockOf(c))
		default:
			r.Glyphs = append(r.Glyphs, int32(g))
			r.base(baseGlyph + blockOf(c))
			w.find(pairHash(a, c))
		}
		visit(r)
		a = c
		i += n
		c, n = utf8.DecodeRuneInString(w.text[i:])
	}
	return i
}

func pairHash(a, b rune) uint64 { return mix(seedPair, uint64(a)<<32|uint64(b)) }

// blockOf groups the glyphs that share a price until more is known of them.
func blockOf(r rune) int {
	switch {
	case r < 0x100:
		return 0
	case r < 0x1000:
		return 1
	case r < 0x2070:
		return 2
	case r < 0x2c00:
		return 3
	case r < 0x3040:
		return 4
	case r < 0x30a0:
		return 5
	case r < 0x3100:
		return 6
	case r < 0x4e00:
		return 7
	case r < 0xa000:
		return 8
	case r < 0xd7a4:
		return 9
	case r < 0xfe10:
		return 10
	case r < 0x10000:
		return 11
	}
	return 12
}
