package structure

import (
	"bytes"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
)

// inspectTokens looks for control tokens of chat templates: a prompt that holds
// one may end its own turn and begin that of the system.
func (t *templates) inspectTokens(v *fold.View, dst []check.Finding) []check.Finding {
	for _, opener := range []byte("<[") {
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
			span := v.Span(at-1, at-1+size)
			f := check.Finding{Rule: "template/control-token", Layer: layer, Severity: check.High, Span: span, View: v.Name,
				Why: "a control token of a chat template can end the prompt's own turn"}
			if infill {
				f.Rule, f.Severity, f.Why = "template/infill-token", check.Low, "a token of code completion stands in the prompt"
			} else if quoted(v.Text, at-1, at-1+size) {
				f.Severity = check.Medium
			}
			dst = append(dst, f)
			at += size - 1
		}
	}
	return dst
}

// token is the length of the control token that text begins with, or 0.
func (t *templates) token(text []byte) (size int, infill bool) {
	if len(text) < 4 {
		return 0, false
	}
	closer := byte(']')
	if text[0] == '<' {
		closer = '>'
		if text[1] != '|' && text[1] != '<' && text[1] != 's' && text[1] != 'e' {
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
func (t *templates) inspectTurns(v *fold.View, dst []check.Finding) []check.Finding {
	var system, user, assistant turn
	for at := 0; at < len(v.Text); {
		if found := t.turn(v.Text, at); found.role != nobody {
			switch found.role {
			case systemRole:
				if system.role == nobody {
					system = found
				}
			case userRole:
				user = found
			case assistantRole:
				if assistant.role == nobody {
					assistant = found
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
		dst = append(dst, turnFinding("template/system-turn", v, system, system, "a line speaks in the name of the system"))
	}
	if user.role != nobody && assistant.role != nobody {
		first, last := user, assistant
		if first.start > last.start {
			first, last = last, first
		}
		dst = append(dst, turnFinding("template/fake-turns", v, first, last, "a chat of user and assistant is written into the prompt"))
	}
	return dst
}

func turnFinding(rule string, v *fold.View, first, last turn, why string) check.Finding {
	return check.Finding{Rule: rule, Layer: layer, Severity: check.Low, Span: v.Span(first.start, last.end), View: v.Name, Why: why}
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
