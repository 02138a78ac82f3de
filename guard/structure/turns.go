package structure

import (
	"bytes"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// inspectTokens looks for control tokens of chat templates: a prompt that holds
// one may end its own turn and begin that of the system.
func (t *templates) inspectTokens(v *fold.View, found *findings) {
	for _, opener := range []byte("<[") {
		fences, counted := 0, 0
		for at := 0; ; {
			i := bytes.IndexByte(v.Text[at:], opener)
			if i < 0 {
				break
			}
			at += i + 1
			size, infill := t.token(v.Text[at-1:])
			if size == 0 {
				continue
			}
			fences += bytes.Count(v.Text[counted:at-1], []byte("```"))
			counted = at - 1
			rule, severity := controlToken, check.High
			if infill {
				rule, severity = infillToken, check.Low
			} else if fences%2 == 1 || quoted(v.Text, at-1, at-1+size) {
				severity = check.Medium
			}
			if !found.full(rule, severity) {
				found.add(rule, severity, v.Name, v.Span(at-1, at-1+size))
			}
			at += size - 1
		}
	}
}

// token is the length of the control token that text begins with, or 0.
func (t *templates) token(text []byte) (size int, infill bool) {
	if len(text) < 4 {
		return 0, false
	}
	closer := byte(']')
	if text[0] == '<' {
		closer = '>'
		if text[1] != '|' && text[1] != '<' && text[1] != 's' && text[1] != 'e' || text[2] == '<' {
			return 0, false
		}
	}
	end := bytes.IndexByte(text[1:min(len(text), maxToken)], closer)
	if end < 0 {
		return 0, false
	}
	size = end + 2
	if size < len(text) && text[size] == '>' && text[1] == '<' { // <<SYS>>
		size++
	}
	infill, known := t.tokens[string(text[:size])]
	if !known {
		return 0, false
	}
	return size, infill
}

// quoted reports whether a token stands between back quotes, as people write
// who talk about it.
func quoted(text []byte, start, end int) bool {
	return start > 0 && text[start-1] == '`' && end < len(text) && text[end] == '`'
}

// turn is a line that begins with the name of a speaker.
type turn struct {
	role       role
	start, end int // of the name and its colon, in the view
}

// inspectTurns looks for a chat written into the prompt. People paste chat logs:
// two speakers are a weak sign, and the system among them a stronger one.
func (t *templates) inspectTurns(v *fold.View, found *findings) {
	var system, user, assistant turn
	for at := 0; at < len(v.Text); {
		if next := t.turn(v.Text, at); next.role != nobody {
			switch next.role {
			case systemRole:
				if system.role == nobody {
					system = next
				}
			case userRole:
				user = next
			case assistantRole:
				if assistant.role == nobody {
					assistant = next
				}
			}
		}
		next := bytes.IndexByte(v.Text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	if system.role != nobody {
		found.add(systemTurn, check.Low, v.Name, v.Span(system.start, system.end))
	}
	if user.role != nobody && assistant.role != nobody {
		first, last := user, assistant
		if first.start > last.start {
			first, last = last, first
		}
		found.add(fakeTurns, check.Low, v.Name, v.Span(first.start, last.end))
	}
}

// turn reads the name of a speaker at the beginning of a line.
func (t *templates) turn(text []byte, at int) turn {
	start := at
	for start < len(text) && start < at+8 && isDecoration(text[start]) {
		start++
	}
	line := text[start:min(len(text), start+maxRole+8)]
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return turn{}
	}
	name := line[:colon]
	for len(name) > 0 && isDecoration(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	return turn{role: t.roles[string(name)], start: start, end: start + colon + 1}
}

// isDecoration reports whether c is what Markdown and log formats put around
// the name of a speaker.
func isDecoration(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '*', '_', '#', '>', '[', ']', '(', ')', '<', '|', '-', '"':
		return true
	}
	return false
}
