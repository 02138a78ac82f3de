package fold

// Sign is something that the folding met on its way and that a reader would not see.
// Each is common in honest text of some kind; [Text.Met] says how often and where first.
type Sign uint8

// The signs.
const (
	Invisible  Sign = iota // characters that draw nothing: zero-width, soft hyphen, controls, …
	InWord                 // of those, the ones between two ASCII letters
	Tagged                 // Unicode tag characters: ASCII that nobody sees
	Selector               // variation selectors
	Bidi                   // characters that turn the direction of text
	Confusable             // letters of another script that look like an ASCII letter or digit
	Mixed                  // of those, the ones next to an ASCII letter: a word of two scripts
	Compatible             // characters that NFKC replaces: fullwidth, mathematical, ligatures
	Stacked                // the third and further combining marks on one base
	Invalid                // bytes that are no UTF-8, and U+FFFD

	signs = iota
)

var reasons = [...]Sign{
	isInvisible: Invisible, isTag: Tagged, isVariation: Selector, isBidi: Bidi,
	isConfusable: Confusable, isCompatible: Compatible, isBroken: Invalid,
}

// met counts one sign.
type met struct{ count, first int }

// meet counts sign s at byte at of the source.
func (f *folder) meet(s Sign, at int) {
	m := &f.met[s]
	if m.count == 0 {
		m.first = at
	}
	m.count++
}

// Met says how many times the source shows s, and at which byte first (0 when it does not).
func (t *Text) Met(s Sign) (count, first int) {
	if int(s) >= signs {
		return 0, 0
	}
	return t.folder.met[s].count, t.folder.met[s].first
}
