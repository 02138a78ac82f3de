package patterns

import "github.com/llmaas/llmaas-go/guard/check"

// Set is what [Parse] read: rules and the words that they share. It does not
// change and may be used by many goroutines.
type Set struct {
	rules    []*rule
	literals []literal // every word and phrase of every rule, folded, each once
	ids      []int32   // of literals, by element
}

// of returns the literals of an element: ascending indexes into s.literals.
func (s *Set) of(e element) []int32 { return s.ids[e.ids.from:e.ids.to] }

// Rule is what a rule says of itself.
type Rule struct {
	ID       string // "family/slug"
	Why      string // one sentence: what the prompt does
	Severity check.Severity
	Score    int      // points of a finding; 0 means Severity.Points()
	Silent   bool     // counts only for the rules that name it, and is never reported
	Hits     []string // prompts that make the rule fire
	Misses   []string // honest prompts that must not
	File     string   // where it was read from
	Line     int
}

// Rules returns the rules in the order they were read: files by name, rules as
// they stand in them.
func (s *Set) Rules() []Rule {
	out := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		out[i] = r.Rule
	}
	return out
}

// rule is a Rule with the patterns that make it fire.
type rule struct {
	Rule
	chains  []chain
	nears   []near
	repeats []repeat
	floods  []int // a flood of any word, by times
	regexps []*hostRegexp
	nots    []exclusion
	combo   *combo
	views   []string // empty: all

	examples []example
}

// example is one hit or miss line.
type example struct {
	at   place
	text string
	hit  bool
}

// literal is one word or phrase as it stands in the folded text. A space in it
// stands for any run of white space.
type literal struct {
	text      string
	openStart bool // written with a leading *: it may begin inside a word
	openEnd   bool // written with a trailing *: it may end inside a word
}

// open is a number from 0 to 3 for the ends that are open.
func (l literal) open() (n int) {
	if l.openStart {
		n = 1
	}
	if l.openEnd {
		n += 2
	}
	return n
}

// startsInside reports whether the literal may begin in the middle of a word.
func (l literal) startsInside() bool {
	return l.openStart && classAt([]byte(l.text), 0) == spaced
}

// anchor says where an element must begin.
type anchor uint8

const (
	anywhere anchor = iota
	atSentence
	atLine
	atPrompt
)

// element is one step of a pattern: any of its literals. Elements have no
// pointers, as there are thousands of them.
type element struct {
	ids    span32 // of Set.ids
	anchor anchor
}

// chain is a sequence of elements.
type chain []link

// link is an element of a chain, and how many words may stand between it and
// the one before.
type link struct {
	element
	gap int32
}

// near asks for all elements, in any order, within so many words.
type near struct {
	words    int
	elements []element
}

// repeat asks for one literal of the element so many times in a row.
type repeat struct {
	times   int
	element element
}

// exclusion drops a match that one of its chains touches, or stands at most so
// many words before or after; -1 closes that side.
type exclusion struct {
	chains        []chain
	before, after int
}

// combo asks for so many of the named rules to have fired.
type combo struct {
	atLeast int
	rules   []int // indexes into Set.rules
}

// seenIn reports whether the rule looks at the view of that name.
func (r *rule) seenIn(view string) bool {
	for _, v := range r.views {
		if v == view || v == "decoded" && view != mainView {
			return true
		}
	}
	return len(r.views) == 0
}

// mainView is fold's name for the view of the whole prompt.
const mainView = "folded"
