package llmaas

import "strings"

const (
	thinkStart = "<think>"
	thinkEnd   = "</think>"
	maxLead    = 256 // white space before a <think> that is waited for, in bytes
)

// thinking parts an answer that begins with <think>…</think> into what was
// thought and what is answered. The text may come cut anywhere. Tags further on
// are part of the answer: it may be about them.
type thinking struct {
	state thinkState
	held  string // what may become a tag yet
}

type thinkState uint8

const (
	thinkOpen   thinkState = iota // nothing but white space yet
	thinkInside                   // after <think>
	thinkClosed                   // after </think>, before the first word
	thinkOver                     // in the answer
)

// write takes the next piece and returns what is certain of it.
func (t *thinking) write(text string) (thought, answer string) {
	for {
		switch t.state {
		case thinkOpen:
			t.held += text
			lead := strings.TrimLeft(t.held, " \t\r\n")
			rest, found := strings.CutPrefix(lead, thinkStart)
			switch {
			case found:
				t.state, t.held, text = thinkInside, "", rest
				continue
			case strings.HasPrefix(thinkStart, lead) && len(t.held) <= maxLead:
				return thought, ""
			}
			answer, t.held, t.state = t.held, "", thinkOver
			return thought, answer
		case thinkInside:
			text, t.held = t.held+text, ""
			inside, rest, found := strings.Cut(text, thinkEnd)
			if !found {
				keep := suffixOf(text, thinkEnd)
				t.held = text[len(text)-keep:]
				return thought + text[:len(text)-keep], ""
			}
			thought += inside
			t.state, text = thinkClosed, rest
		case thinkClosed:
			if answer = strings.TrimLeft(text, " \t\r\n"); answer != "" {
				t.state = thinkOver
			}
			return thought, answer
		case thinkOver:
			return thought, text
		}
	}
}

// flush returns what was held back, at the end of the answer.
func (t *thinking) flush() (thought, answer string) {
	held := t.held
	t.held = ""
	if t.state == thinkInside {
		return held, ""
	}
	return "", held
}

// suffixOf is how many bytes at the end of text begin tag.
func suffixOf(text, tag string) int {
	for n := min(len(text), len(tag)-1); n > 0; n-- {
		if strings.HasPrefix(tag, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}
