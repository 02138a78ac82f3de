package structure

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/check"
)

// What a prompt must show to count as spelled out letter by letter, or as
// written in capitals at random. A grid of letters, a row of answers or a line
// of spaced capitals has no words of several lengths between wider gaps; a list
// of identifiers changes its case once in a hump, not in every other letter.
const (
	disguiseHead   = 4096 // bytes that are read, when a few samples of all say so
	spelledLetters = 20
	spelledWords   = 5
	spelledLengths = 3
	randomWords    = 6
)

// inspectDisguise judges how the letters of the prompt are set.
func inspectDisguise(src string, found *findings) {
	if len(src) < 2*spelledLetters {
		return
	}
	gaps, capitals := sample(src)
	if gaps < samples/4 && (capitals < samples/6 || capitals > samples*3/4) {
		return
	}
	head := src[:min(len(src), disguiseHead)]
	if gaps >= samples/4 && isSpelled(head) {
		found.at(spelledOut, check.High, 0, len(src))
	}
	if isRandomCase(head) {
		found.at(randomCapitals, check.Medium, 0, len(src))
	}
}

// samples is how many bytes of a text are looked at, in windows of window.
const (
	samples = 64
	window  = 4
)

// Kinds of bytes: capitals in the low half of a sum, gaps in the high one.
const (
	aCapital = 1
	aGap     = 1 << 8
)

// kindOf is a table, because every prompt is sampled.
var kindOf = [256]uint16{
	' ': aGap, '.': aGap, '-': aGap, '_': aGap, '*': aGap, '|': aGap, '\n': aGap, '/': aGap, ',': aGap,
	'A': aCapital, 'B': aCapital, 'C': aCapital, 'D': aCapital, 'E': aCapital, 'F': aCapital, 'G': aCapital, 'H': aCapital,
	'I': aCapital, 'J': aCapital, 'K': aCapital, 'L': aCapital, 'M': aCapital, 'N': aCapital, 'O': aCapital, 'P': aCapital,
	'Q': aCapital, 'R': aCapital, 'S': aCapital, 'T': aCapital, 'U': aCapital, 'V': aCapital, 'W': aCapital, 'X': aCapital,
	'Y': aCapital, 'Z': aCapital,
}

// sample counts what parts words, and capitals, among samples bytes of s.
func sample(s string) (gaps, capitals int) {
	const windows = samples / window
	step := (len(s) - window) / (windows - 1)
	var sum uint16
	for n := range windows {
		w := s[n*step:][:window]
		sum += kindOf[w[0]] + kindOf[w[1]] + kindOf[w[2]] + kindOf[w[3]]
	}
	return int(sum >> 8), int(sum & 0xff)
}

// isSpelled reports whether nearly all letters stand alone and the gaps between
// them part words: one kind of gap between letters, others between words.
func isSpelled(s string) bool {
	var kinds gapKinds
	letters, alone := 0, 0
	eachGap(s, func(run int, gap string) {
		letters += run
		if run == 1 {
			alone++
			kinds.count(gap)
		}
	})
	if alone < spelledLetters || alone*5 < letters*4 {
		return false
	}
	within := kinds.most()
	words, length := 0, 0
	var lengths uint64
	eachGap(s, func(run int, gap string) {
		length += run
		if gap != within && length > 0 {
			words++
			lengths |= 1 << min(length, 63)
			length = 0
		}
	})
	return words >= spelledWords && bits.OnesCount64(lengths) >= spelledLengths
}

// eachGap calls do for each run of letters and what follows it up to the next
// letter. Letters are those of alphabets in which words have spaces between them.
func eachGap(s string, do func(run int, gap string)) {
	for s != "" {
		letters := strings.IndexFunc(s, func(r rune) bool { return !isAlphabetic(r) })
		if letters < 0 {
			letters = len(s)
		}
		gap := strings.IndexFunc(s[letters:], isAlphabetic)
		if gap < 0 {
			gap = len(s) - letters
		}
		do(utf8.RuneCountInString(s[:letters]), s[letters:letters+gap])
		s = s[letters+gap:]
	}
}

func isAlphabetic(r rune) bool {
	if r < utf8.RuneSelf {
		return isASCIILetter(byte(r))
	}
	return r < 0x530 && unicode.IsLetter(r) // Latin, Greek, Cyrillic
}

// gapKinds counts the first few kinds of gaps.
type gapKinds [4]struct {
	gap string
	n   int
}

func (k *gapKinds) count(gap string) {
	for i := range k {
		if k[i].n == 0 || k[i].gap == gap {
			k[i].gap = gap
			k[i].n++
			return
		}
	}
}

func (k *gapKinds) most() string {
	best := 0
	for i := range k {
		if k[i].n > k[best].n {
			best = i
		}
	}
	return k[best].gap
}

// isRandomCase reports whether many different words change between capitals and
// small letters as no spelling does. Words beside digits, and long ones, are
// encoded data and do not count.
func isRandomCase(s string) bool {
	pairs, changes, odd := 0, 0, 0
	var seen uint64 // a set of hashes of the odd words
	for at := 0; at < len(s); {
		if !isWordByte(s[at]) {
			at++
			continue
		}
		end := at
		for end < len(s) && (isWordByte(s[end]) || s[end] >= utf8.RuneSelf) {
			end++
		}
		word := s[at:end]
		at = end
		if len(word) > 15 || strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf || isDigit(byte(r)) }) {
			continue
		}
		n := caseChanges(word)
		pairs += len(word) - 1
		changes += n
		if bit := uint64(1) << (hash(word) % 64); n > 0 && seen&bit == 0 {
			seen |= bit
			odd++
		}
	}
	return odd >= randomWords && changes*5 >= pairs
}

// hash is FNV-1a of a word of ASCII letters, in small ones.
func hash(word string) (h uint32) {
	h = 2166136261
	for i := range len(word) {
		h = (h ^ uint32(word[i]|0x20)) * 16777619
	}
	return h >> 8 // the low bits know only the last letters
}

// caseChanges counts the capitals behind small letters, and the small letters
// behind two capitals.
func caseChanges(word string) (n int) {
	isUpper := func(i int) bool { return word[i] < 'a' }
	for i := 1; i < len(word); i++ {
		if isUpper(i) && !isUpper(i-1) || !isUpper(i) && isUpper(i-1) && i >= 2 && isUpper(i-2) {
			n++
		}
	}
	return n
}
