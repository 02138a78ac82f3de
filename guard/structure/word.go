package structure

import (
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/check"
)

// word is what the walker gathers over one run of letters, marks, digits and
// invisible characters.
type word struct {
	start, end int

	latins, twins, foreigns int
	styled, compatible      int
	lower                   int   // small Latin letters
	greek                   bool  // a letter is Greek
	switches                int   // changes between Latin and another alphabet
	script                  class // of the last letter, latin or foreign

	marks, mostMarks     int // combining marks in a row
	selectors, mostInRow int // variation selectors in a row

	pending      int // invisible characters since the last letter
	sinceHidden  int // letters since the last invisible character
	softHyphens  int // soft hyphens that wait to be judged
	hidden       int // invisible characters between two Latin letters
	firstPending int // where the first of them stands
	hiddenStart  int
	hiddenEnd    int
}

// word passes the word around the byte at i, which is not before w.done.
func (w *walker) word(i int) {
	start := i
	for start > w.done && isWordByte(w.src[start-1]) {
		start--
	}
	d := word{start: start, hiddenStart: -1}
	for i = start; i < len(w.src); {
		if c := w.src[i]; c < utf8.RuneSelf {
			if !isWordByte(c) {
				break
			}
			d.ascii(c, i)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(w.src[i:])
		c := w.classes.of(r)
		if c == other || c == tag || c == override {
			break
		}
		d.wide(r, c, i)
		i += size
	}
	d.end = i
	w.done = i
	w.judge(&d)
}

func isWordByte(c byte) bool { return isASCIILetter(c) || isDigit(c) }

func (d *word) ascii(c byte, at int) {
	if isDigit(c) {
		d.marks, d.selectors, d.pending = 0, 0, 0
		return
	}
	if c >= 'a' {
		d.lower++
	}
	d.letter(latin, at)
}

func (d *word) wide(r rune, c class, at int) {
	switch c {
	case latin:
		if unicode.IsLower(r) {
			d.lower++
		}
		d.letter(latin, at)
	case styled:
		d.styled++
		d.letter(latin, at)
	case compatible:
		d.compatible++
		d.letter(latin, at)
	case twin, foreign:
		if unicode.Is(unicode.Greek, r) {
			d.greek = true
		}
		d.letter(c, at)
	case mark:
		d.marks++
		d.mostMarks = max(d.mostMarks, d.marks)
	case selector:
		d.selectors++
		d.mostInRow = max(d.mostInRow, d.selectors)
		d.hide(at)
	case invisible:
		if r == 0xad {
			d.softHyphens++
		}
		d.hide(at)
	}
}

func (d *word) hide(at int) {
	if d.pending == 0 {
		d.firstPending = at
	}
	d.pending++
}

func (d *word) letter(c class, at int) {
	script := latin
	switch c {
	case latin:
		d.latins++
	case twin:
		d.twins++
		script = foreign
	default:
		d.foreigns++
		script = foreign
	}
	if d.pending > 0 && script == latin && d.script == latin {
		d.hiddenBetween(at)
	}
	if d.script != other && d.script != script {
		d.switches++
	}
	d.script = script
	d.sinceHidden++
	d.marks, d.selectors, d.pending, d.softHyphens = 0, 0, 0, 0
}

// hiddenBetween counts the invisible characters before the letter at. A single
// soft hyphen is how typesetters divide a word; two of them three letters apart
// or less are not.
func (d *word) hiddenBetween(at int) {
	near := d.hiddenStart >= 0 && d.sinceHidden <= 3
	if d.softHyphens < d.pending || near || d.softHyphens > 1 {
		d.hidden += d.pending
	}
	if d.hiddenStart < 0 {
		d.hiddenStart = d.firstPending
	}
	d.hiddenEnd = at
	d.sinceHidden = 0
}

// judge weighs a word. Each finding has a row in the package's table of rules.
func (w *walker) judge(d *word) {
	if d.hidden > 0 {
		w.hidden += d.hidden
		severity := check.Medium
		if w.hidden >= 3 {
			severity = check.High
		}
		w.found.at(hiddenInWord, severity, d.hiddenStart, d.hiddenEnd)
	}
	if d.mostInRow >= 4 {
		w.found.at(variationSelectors, check.High, d.start, d.end)
	}
	if d.mostMarks >= 5 {
		w.found.at(combiningStack, check.Low, d.start, d.end)
	}
	if d.styled >= 3 {
		w.found.at(styledLetters, check.Low, d.start, d.end)
	}
	if d.compatible > 0 {
		w.found.at(compatibilityLetters, check.Info, d.start, d.end)
	}
	w.judgeScripts(d, source)
}
