package llmaastest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPiece is the length in runes at which a long word is cut into two tokens.
const maxPiece = 6

// pieces cuts text into the fake's tokens: a word with the space before it, cut
// every six letters; every Chinese, Japanese or Korean character; every sign.
// The pieces joined give the text again.
func pieces(text string) []string {
	var all []string
	for start := 0; start < len(text); {
		end := pieceEnd(text, start)
		all = append(all, text[start:end])
		start = end
	}
	return all
}

func pieceEnd(text string, start int) int {
	i, runes := start, 0
	if text[i] == ' ' {
		i++
	}
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if wide := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul); wide || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			if runes == 0 {
				i += size
			}
			return i
		}
		if runes == maxPiece {
			return i
		}
		i, runes = i+size, runes+1
	}
	return i
}

// count is the number of tokens that the fake sees in text.
func count(text string) int { return len(pieces(text)) }

// answer is what the model thinks and says, before any limit is applied.
type answer struct {
	reasoning string
	text      string
	tool      *toolCall
}

type toolCall struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"`
	Function toolCallFunction `json:"function"`
}

type toolCallFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// echo answers a prompt that asked for nothing special.
func echo(prompt string) string {
	prompt = strings.Join(strings.Fields(strings.ToValidUTF8(prompt, "\uFFFD")), " ")
	if prompt == "" {
		return "You wrote nothing."
	}
	return "You wrote: " + prompt
}
