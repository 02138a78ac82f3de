package output

import (
	"bytes"
	"html"
	"strings"

	"github.com/llmaas/llmaas-go/guard/check"
)

// angle looks at "<": a comment, an autolink, or a tag.
func (m *markup) angle(b []byte, at int, final bool, found *[]check.Finding) verdict {
	switch {
	case len(b) == 1:
		return unless(final)
	case b[1] == '!':
		return m.comment(b, at, final, found)
	case !isAlpha(b[1]):
		return decided
	}
	end, closed := tagEnd(b)
	if !closed && len(b) < maxLook && !final {
		return needMore
	}
	inside := b[1:end]
	if closed && !bytes.ContainsAny(inside, " \t\r\n\f") {
		m.judge(inside, false, false, at, at+end, found) // CommonMark 0.31.2 §6.5
	}
	m.tag(inside, at, at+end, closed, found)
	return decided
}

// unless says that more is needed unless there is no more.
func unless(final bool) verdict {
	if final {
		return decided
	}
	return needMore
}

// comment looks at "<!": an HTML comment hides what it holds, to its end or, if
// it has none, to the end of the answer.
func (m *markup) comment(b []byte, at int, final bool, found *[]check.Finding) verdict {
	const opening = "<!--"
	if len(b) < len(opening) {
		if strings.HasPrefix(opening, string(b)) {
			return unless(final)
		}
		return decided
	}
	if string(b[:len(opening)]) == opening && m.fence == 0 {
		m.report(HiddenHTML, check.Medium, at, at+len(opening), "an HTML comment hides text", found)
	}
	return decided
}

// tagEnd returns where the tag that b begins with ends, and whether it does
// within maxLook: at the first > outside the quotes of an attribute, or before a
// <, where another may begin. (To a browser that is a letter of a name; what
// follows is judged the same, and each byte is looked at once.)
func tagEnd(b []byte) (end int, closed bool) {
	b = b[:min(len(b), maxLook)]
	quote, value := byte(0), false // value: right after =
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
			continue
		case value && (c == '"' || c == '\''):
			quote = c
		case c == '>', c == '<' && i > 0:
			return i, true
		}
		value = c == '=' || value && isSpace(c)
	}
	return len(b), false
}

// addressed are the attributes that hold an address, and whether a browser
// loads it without being asked.
var addressed = map[string]bool{
	"href": false, "src": true, "srcset": true, "poster": true, "background": true, "action": false, "formaction": false, "xlink:href": false,
}

// active are the tags that run code or load a document.
var active = map[string]bool{
	"script": true, "iframe": true, "frame": true, "object": true, "embed": true, "applet": true, "base": true, "portal": true,
}

// tag judges a tag without its angle brackets.
func (m *markup) tag(inside []byte, start, end int, closed bool, found *[]check.Finding) {
	name, rest := cutName(inside)
	if !closed && len(inside) >= maxLook-1 && bytes.IndexByte(rest, '=') >= 0 {
		severity := check.Medium
		if strings.TrimFunc(name, isNameRune) != "" {
			severity = check.Low // "if a <b) …", more likely
		}
		m.report(HiddenHTML, severity, start, end, "an HTML tag is too long to be judged", found)
	}
	switch {
	case active[name]:
		m.report(ActiveHTML, check.High, start, end, "an HTML tag runs code or loads a document", found)
	case name == "hidden":
		m.report(HiddenHTML, check.Medium, start, end, "an HTML tag hides text", found)
	}
	for len(rest) > 0 {
		var attribute, value string
		attribute, value, rest = cutAttribute(rest)
		load, isAddress := addressed[attribute]
		switch {
		case attribute == "hidden", attribute == "style" && hides(value):
			m.report(HiddenHTML, check.Medium, start, end, "an HTML tag hides text", found)
		case len(attribute) > 2 && attribute[:2] == "on" && value != "":
			m.report(ActiveHTML, check.High, start, end, "an HTML attribute runs code", found)
		case attribute == "srcdoc":
			m.report(ActiveHTML, check.High, start, end, "an HTML attribute holds a document", found)
		case attribute == "http-equiv" && strings.EqualFold(value, "refresh"):
			m.report(ActiveHTML, check.High, start, end, "an HTML tag loads a document", found)
		case isAddress:
			m.judge([]byte(value), load, len(value) > maxAddress, start, end, found)
		}
	}
}

func isNameRune(r rune) bool { return r < 0x80 && (isAlnum(byte(r)) || r == '-' || r == ':') }

func cutName(b []byte) (name string, rest []byte) {
	i := 0
	for i < len(b) && !isSpace(b[i]) && b[i] != '/' {
		i++
	}
	return strings.ToLower(string(b[:i])), b[i:]
}

// cutAttribute cuts the first attribute off (HTML Standard §13.2.5.32 ff.).
func cutAttribute(b []byte) (name, value string, rest []byte) {
	for len(b) > 0 && (isSpace(b[0]) || b[0] == '/') {
		b = b[1:]
	}
	i := 0
	for i < len(b) && !isSpace(b[i]) && b[i] != '/' && (b[i] != '=' || i == 0) {
		i++
	}
	name, b = strings.ToLower(string(b[:i])), b[i:]
	after := bytes.TrimLeft(b, " \t\r\n\f")
	if len(after) == 0 || after[0] != '=' {
		return name, "", b
	}
	b = bytes.TrimLeft(after[1:], " \t\r\n\f")
	if len(b) > 0 && (b[0] == '"' || b[0] == '\'') {
		quote := b[0]
		b = b[1:]
		end := bytes.IndexByte(b, quote)
		if end < 0 {
			return name, html.UnescapeString(string(b)), nil
		}
		return name, html.UnescapeString(string(b[:end])), b[end+1:]
	}
	i = 0
	for i < len(b) && !isSpace(b[i]) {
		i++
	}
	return name, html.UnescapeString(string(b[:i])), b[i:]
}

// hides says whether a style keeps a text from being seen.
func hides(style string) bool {
	style = strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, strings.ToLower(style))
	for _, s := range [...]string{"display:none", "visibility:hidden", "opacity:0;", "font-size:0", "color:transparent", "clip:rect(0", "text-indent:-"} {
		if strings.Contains(style+";", s) {
			return true
		}
	}
	return false
}
