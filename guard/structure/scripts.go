package structure

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/check"
)

// judgeScripts looks for words that pass for Latin ones, UTS #39 §4 and §5.
func (w *walker) judgeScripts(d *word, view string) {
	outside := d.twins + d.foreigns
	if outside == 0 {
		return
	}
	span := check.Span{Start: d.start, End: d.end}
	switch {
	case d.foreigns == 0 && w.passesForKeyword(d):
		w.found.add(confusableWord, check.High, view, span)
	case d.latins == 0, w.honestMix(d):
	case d.foreigns == 0 && d.twins > d.latins: // or a slip on a keyboard of two layouts
		w.found.add(mixedScriptWord, check.Medium, view, span)
	case d.foreigns == 0:
		w.found.add(confusableWord, check.High, view, span)
	case d.switches >= 2:
		w.found.add(mixedScriptWord, check.Medium, view, span)
	}
}

// honestMix knows the words that people write in two alphabets.
func (w *walker) honestMix(d *word) bool {
	letters := d.latins + d.twins + d.foreigns
	switch {
	case letters < 3: // µm, Δt
		return true
	case d.switches == 1 && d.lower == 0: // URLы, SMSка, TNFα: an ending on an acronym
		return true
	case d.greek && d.latins > 0:
		return letters < 5 || isFormula(w.src[d.start:d.end]) // ρgh, mmHgα; 2sinαcosβ
	}
	return false
}

// isFormula reports whether the Latin letters of a word of Greek and Latin ones
// are names of functions and variables.
func isFormula(word string) bool {
	for len(word) > 0 {
		r, size := utf8.DecodeRuneInString(word)
		if r >= utf8.RuneSelf || !isASCIILetter(byte(r)) {
			word = word[size:]
			continue
		}
		end := strings.IndexFunc(word, func(r rune) bool { return r >= utf8.RuneSelf || !unicode.IsLetter(r) })
		if end < 0 {
			end = len(word)
		}
		if !isFunction(word[:end]) {
			return false
		}
		word = word[end:]
	}
	return true
}

// isFunction reports whether s is the name of a function behind at most two
// letters of variables, or nothing but such letters.
func isFunction(s string) bool {
	for _, name := range [...]string{"sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "lg", "exp", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"} {
		if rest, ok := strings.CutSuffix(s, name); ok && len(rest) <= 2 {
			return true
		}
	}
	return len(s) <= 2
}

// longestKeyword is the length of "instructions".
const longestKeyword = 12

// passesForKeyword reports whether a word of Latin letters and twins reads as one
// of those that an attacker gains most by writing in letters that only look
// Latin.
func (w *walker) passesForKeyword(d *word) bool {
	if d.latins+d.twins > longestKeyword {
		return false
	}
	var spelled [longestKeyword]byte
	n := 0
	for _, r := range w.src[d.start:d.end] {
		c := w.classes.passes[r]
		if r < utf8.RuneSelf && isASCIILetter(byte(r)) {
			c = byte(r) | 0x20
		}
		if c != 0 && n < len(spelled) {
			spelled[n] = c
			n++
		}
	}
	switch string(spelled[:n]) {
	case "system", "admin", "prompt", "ignore", "developer", "assistant", "instruction", "instructions",
		"password", "jailbreak", "override", "bypass":
		return true
	}
	return false
}
