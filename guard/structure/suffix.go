package structure

import (
	"math/bits"
	"strings"

	"github.com/llmaas/llmaas-go/guard/check"
)

// The bounds of what is read at the end of a prompt, in bytes, and of what it
// must show. A person may leave a bracket open or paste half a line of code; to
// do so twice, with four kinds of signs, right behind a sentence, is the mark of
// a suffix that a program searched for (greedy coordinate gradient and its
// kin): such a search keeps any token that helps and closes nothing.
const (
	suffixTail  = 160 // in which brackets and signs are counted
	suffixLine  = 512 // in which the sentence before them is looked for
	suffixWords = 5
	suffixSigns = 4
	suffixOdd   = 2 // brackets that do not fit
	suffixMarks = 10
)

// inspectSuffix judges the last line of the prompt.
func inspectSuffix(src string, found *findings) {
	for src != "" && isSpace(src[len(src)-1]) {
		src = src[:len(src)-1]
	}
	tail := src[max(0, len(src)-suffixTail):]
	if marks := spacedMarks(tail); marks >= suffixMarks {
		found.at(optimizedSuffix, check.High, len(src)-(2*marks-1), len(src))
		return
	}
	if strings.IndexByte(tail, '{') < 0 && strings.IndexByte(tail, '[') < 0 && strings.IndexByte(tail, '(') < 0 {
		return
	}
	tail = tail[strings.LastIndexByte(tail, '\n')+1:]
	if odd, signs := unfit(tail); odd < suffixOdd || signs < suffixSigns {
		return
	}
	line := src[max(0, len(src)-suffixLine):]
	line = line[strings.LastIndexByte(line, '\n')+1:]
	sentence := strings.IndexAny(line, "[({\\<`^$|=")
	if countWords(line[:sentence]) < suffixWords {
		return
	}
	found.at(optimizedSuffix, check.High, len(src)-len(line)+sentence, len(src))
}

// unfit counts the brackets of s that meet a wrong partner or none, and the
// kinds of signs in s. A half-open interval, [0, 1), fits; and when all that
// stays open stands behind names, f(a[i], g(x, it is a piece of code and fits.
func unfit(s string) (odd, signs int) {
	var open [suffixTail]uint8 // places of brackets in s
	var kinds [2]uint64
	depth := 0
	for i := range len(s) {
		c := s[i]
		switch c {
		case '(', '[', '{':
			open[depth] = uint8(i)
			depth++
		case ')', ']', '}':
			if depth > 0 {
				depth--
				if (c == '}') != (s[open[depth]] == '{') {
					odd++
				}
			}
		case '<', '>', '\\', '^', '|', '$', '=', '*', '_', '~', '`', '#', '@', '%', '/', ';', '&', '+', '"', '\'':
		default:
			continue
		}
		kinds[c>>6] |= 1 << (c & 63)
	}
	loose := odd > 0
	for _, i := range open[:depth] {
		loose = loose || i == 0 || !isWordByte(s[i-1])
	}
	if !loose {
		depth = 0
	}
	return odd + depth, bits.OnesCount64(kinds[0]) + bits.OnesCount64(kinds[1])
}

// spacedMarks is how many exclamation marks, each parted from the next by one
// space, s ends in.
func spacedMarks(s string) (n int) {
	for i := len(s) - 1; i >= 0 && s[i] == '!'; i -= 2 {
		n++
		if i == 0 || s[i-1] != ' ' {
			break
		}
	}
	return n
}

// countWords counts runs of two letters or more before a space or a comma.
func countWords(s string) (n int) {
	letters := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case isASCIILetter(c) || c >= 0x80:
			letters++
			continue
		case (c == ' ' || c == ',') && letters >= 2:
			n++
		}
		letters = 0
	}
	return n
}
