package guard

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DefaultMaxRunes is how long a prompt may be after [Sanitize], unless
// [Cleaning] says otherwise.
const DefaultMaxRunes = 2000

// Cleaning says what [Sanitize] does. The zero value takes out every finding
// from Medium on, all invisible characters, and what exceeds 2,000 characters.
type Cleaning struct {
	// MaxRunes is the length that is left, in Unicode code points. 0 means
	// DefaultMaxRunes, a negative number no limit.
	MaxRunes int

	// From is the mildest severity whose findings are taken out. Info, the zero
	// value, means Medium.
	From Severity
}

// Change is one thing that [Sanitize] did.
type Change struct {
	Kind ChangeKind
	Span Span   // where in the original text
	Rule string // what asked for it, for Removed
}

// ChangeKind says what happened to a span of a text.
type ChangeKind string

// The kinds of changes.
const (
	Removed   ChangeKind = "removed"   // the span of a finding became one space
	Invisible ChangeKind = "invisible" // characters that show nothing were dropped
	Repaired  ChangeKind = "repaired"  // bytes that are no UTF-8 became U+FFFD
	Cut       ChangeKind = "cut"       // the end was cut off
)

// Sanitize cleans a prompt: it takes out what the findings of r name, drops
// characters that nobody can see, repairs invalid UTF-8, and cuts the end off
// between two grapheme clusters (what a reader takes for one character). r is the
// report on that very text; of a zero Report nothing is taken out.
//
// It returns the text and what it changed, by place in the original, nil when
// nothing was. Joiners that emoji, Arabic and Indic words need stay, as do line
// breaks and tabs. Words that were apart are never joined by what is taken out
// between them: one space stays there, even of a whole text. But what is left
// may still be an attack that no finding named: inspect it again.
//
// From the 1,000th change on, those that follow are told as one, which also
// spans what stays between them. Of a rule that fired more often than r lists,
// the further places stay: another reason to inspect again.
//
// Findings of the behavior layer name whole prompts, or pieces that only the
// history makes an attack; they are taken out like any other.
func Sanitize(text string, r Report, c Cleaning) (string, []Change) {
	if c.MaxRunes == 0 {
		c.MaxRunes = DefaultMaxRunes
	}
	if c.From == Info {
		c.From = Medium
	}
	var b strings.Builder
	b.Grow(len(text))
	s := cleaner{text: text, out: &b}
	for _, f := range named(text, r, c.From) {
		if f.Span.End <= s.at {
			continue // inside of one that is gone
		}
		start := max(f.Span.Start, s.at)
		s.copyTo(start)
		s.changes = append(s.changes, Change{Removed, Span{Start: start, End: f.Span.End}, f.Rule})
		s.space()
		s.at = f.Span.End
	}
	s.copyTo(len(text))
	return s.cut(b.String(), c.MaxRunes)
}

// named are the findings to take out, by place, with their spans made to fit.
func named(text string, r Report, from Severity) []Finding {
	var list []Finding
	for _, f := range r.Findings {
		f.Span.Start = min(max(f.Span.Start, 0), len(text))
		f.Span.End = min(f.Span.End, len(text))
		if f.Severity >= from && f.Span.End > f.Span.Start {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(b.Span.End, a.Span.End))
	})
	return list
}

// cleaner copies a text, leaving out what nobody sees.
type cleaner struct {
	text    string
	at      int  // everything before was dealt with
	last    rune // kept before at
	out     *strings.Builder
	origin  []piece // of each piece of out
	changes []Change
}

// piece says that the output from out on stems from the text from in on.
type piece struct{ out, in int }

// space stands for what was taken out, so that its neighbors stay apart.
func (s *cleaner) space() {
	s.origin = append(s.origin, piece{s.out.Len(), s.at})
	s.out.WriteByte(' ')
	s.last = ' '
}

// copyTo copies the text up to end, as if it stood alone.
func (s *cleaner) copyTo(end int) {
	part, start, from := s.text[:end], s.at, s.at
	flush := func() {
		if s.at > from {
			s.origin = append(s.origin, piece{s.out.Len(), from})
			s.out.WriteString(part[from:s.at])
		}
	}
	for s.at < end {
		r, size := utf8.DecodeRuneInString(part[s.at:])
		broken := r == utf8.RuneError && size == 1
		if !broken && (visible(r) || s.needed(r, part[start:], s.at-start, size)) {
			s.last = r
			s.at += size
			continue
		}
		flush()
		kind := Invisible
		if broken {
			kind = Repaired
			s.origin = append(s.origin, piece{s.out.Len(), s.at})
			s.out.WriteRune(utf8.RuneError)
			s.last = utf8.RuneError
		}
		s.note(kind, s.at, s.at+size)
		s.at += size
		from = s.at
	}
	flush()
}

// maxChanges bounds the list of changes, so that a text which alternates between
// seen and unseen characters costs no more than a few times its size.
const maxChanges = 1000

// note records a change, or lets the one before grow.
func (s *cleaner) note(kind ChangeKind, start, end int) {
	if n := len(s.changes); n > 0 {
		last := &s.changes[n-1]
		if last.Kind == kind && last.Span.End == start || n >= maxChanges && last.Kind != Removed {
			last.Span.End = end
			return
		}
	}
	s.changes = append(s.changes, Change{Kind: kind, Span: Span{Start: start, End: end}})
}

// visible reports whether r leaves a trace, or is white space that text needs.
func visible(r rune) bool {
	switch {
	case r < 0x80:
		return r >= 0x20 && r != 0x7f || r == '\n' || r == '\t' || r == '\r'
	case r < 0xa0: // C1 controls
		return false
	}
	return !unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// needed reports whether the invisible r at part[i:] does something for its
// neighbors: a joiner between emoji or in scripts that shape letters, one
// variation selector behind what is no ASCII letter, a flag's tags, and marks of
// direction beside right-to-left letters.
func (s *cleaner) needed(r rune, part string, i, size int) bool {
	before := s.last
	after, _ := utf8.DecodeRuneInString(part[i+size:])
	switch {
	case r == 0x200c || r == 0x200d:
		if r == 0x200d && emojiBefore(before) && isPictograph(after) {
			return true
		}
		return shaped(before) && (shaped(after) || unicode.IsSpace(after))
	case unicode.Is(unicode.Variation_Selector, r):
		return visible(before) && (before >= 0x80 || isKeycap(before))
	case 0xe0020 <= r && r <= 0xe007f:
		return inFlag(part, i)
	case r == 0x200e || r == 0x200f || r == 0x61c, 0x2066 <= r && r <= 0x2069:
		return rightToLeft(before) || rightToLeft(after)
	}
	return false
}

func emojiBefore(r rune) bool {
	return isPictograph(r) || r == 0xfe0f || 0x1f3fb <= r && r <= 0x1f3ff
}

func isKeycap(r rune) bool { return '0' <= r && r <= '9' || r == '#' || r == '*' }

// shaped reports whether r belongs to a script in which joiners choose the form
// of letters, UAX #31 §2.3.
func shaped(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi,
		unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer)
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

// inFlag reports whether the tag at text[i:] belongs to the flag of a region:
// a black flag, three to six tags, and the tag that ends it, UTS #51 §C.1.
func inFlag(text string, i int) bool {
	const flag, tagBytes, most = "\U0001f3f4", 4, 7
	start := i
	for n := 0; n < most && start >= tagBytes && strings.HasPrefix(text[start-tagBytes:start], "\U000e0020"[:2]); n++ {
		start -= tagBytes
	}
	if !strings.HasSuffix(text[:start], flag) {
		return false
	}
	for n := 0; n < most; n++ {
		r, size := utf8.DecodeRuneInString(text[start:])
		switch {
		case r == 0xe007f:
			return n >= 3
		case r < 0xe0030 || r > 0xe007a:
			return false
		}
		start += size
	}
	return false
}

// cut shortens what was copied to limit runes.
func (s *cleaner) cut(out string, limit int) (string, []Change) {
	if limit < 0 {
		return out, s.changes
	}
	end := cutAt(out, limit)
	if end == len(out) {
		return out, s.changes
	}
	start := s.source(end)
	s.changes = slices.DeleteFunc(s.changes, func(c Change) bool { return c.Span.Start >= start })
	s.changes = append(s.changes, Change{Kind: Cut, Span: Span{Start: start, End: len(s.text)}})
	return out[:end], s.changes
}

// source is where in the text the byte of the output at end stems from.
func (s *cleaner) source(end int) int {
	i, found := slices.BinarySearchFunc(s.origin, end, func(p piece, end int) int { return cmp.Compare(p.out, end) })
	if !found {
		i--
	}
	return s.origin[i].in + end - s.origin[i].out
}
