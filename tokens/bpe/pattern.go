package bpe

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// gpt2 is the pattern of a byte-level pre-tokenizer that names none.
const gpt2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// newSplitter returns the hand-written splitter of a known pattern, else one
// that runs the expression.
func newSplitter(pattern string, timeout time.Duration) (splitter, error) {
	switch pattern {
	case CL100K:
		return (&style{digits: 3, classes: classTable()}).split, nil
	case Qwen:
		return (&style{digits: 1, classes: classTable()}).split, nil
	case O200K:
		return (&style{digits: 3, cased: true, classes: classTable()}).split, nil
	}
	return expression(pattern, timeout)
}

// expression cuts text at the matches of a pattern; what lies between two
// matches is a piece too.
func expression(pattern string, timeout time.Duration) (splitter, error) {
	re, err := regexp2.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("bpe: pattern: %w", err)
	}
	re.MatchTimeout = timeout
	return func(text string, yield func(string)) error {
		// regexp2 counts in runes; done and from are the same place in both.
		done, from := 0, 0
		cut := func(to int) {
			start := from
			for ; done < to; done++ {
				_, n := utf8.DecodeRuneInString(text[from:])
				from += n
			}
			if from > start {
				yield(text[start:from])
			}
		}
		err := re.FindRunesMatches([]rune(text), 0, func(m regexp2.MatchView) bool {
			index, length, _ := m.GroupRange(0)
			cut(index)
			cut(index + length)
			return true
		})
		if err != nil {
			return fmt.Errorf("bpe: pattern: %w", err)
		}
		if from < len(text) {
			yield(text[from:])
		}
		return nil
	}, nil
}

// chain cuts what first yields again with second.
func chain(first, second splitter) splitter {
	if first == nil {
		return second
	}
	return func(text string, yield func(string)) error {
		var inner error
		err := first(text, func(piece string) {
			if inner == nil {
				inner = second(piece, yield)
			}
		})
		if err != nil {
			return err
		}
		return inner
	}
}
