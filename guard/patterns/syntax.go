package patterns

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// part is one piece of a pattern as written: a gap, or an element.
type part struct {
	gap      int // words of a gap; -1: an element
	options  []option
	optional bool
	anchor   anchor
}

// option is one alternative of an element: a literal, or a set.
type option struct {
	literal literal
	set     string
	langs   []string
}

// cutWord splits s at its first white space.
func cutWord(s string) (word, rest string) {
	for i := range len(s) {
		if s[i] == ' ' || s[i] == '\t' {
			return s[:i], strings.TrimSpace(s[i:])
		}
	}
	return s, ""
}

// stripComment removes a # that follows white space, and what comes after it,
// unless it stands between double quotes.
func stripComment(s string) string {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			if n := quotedLen(s[i:]); n > 0 {
				i += n - 1
			}
		case s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t'):
			return strings.TrimSpace(s[:i])
		}
	}
	return strings.TrimSpace(s)
}

// quotedLen returns the length of the quoted string that s begins with; 0 if it
// does not end.
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// cutEntry splits a list at its first comma outside of double quotes.
func cutEntry(list string) (entry, rest string, err error) {
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '"':
			n := quotedLen(list[i:])
			if n == 0 {
				return "", "", fmt.Errorf("got %s, want a closing double quote", list[i:])
			}
			i += n - 1
		case ',':
			return strings.TrimSpace(list[:i]), list[i+1:], nil
		}
	}
	return strings.TrimSpace(list), "", nil
}

// parseLiteral reads a word or phrase: bare or in double quotes, with * before
// or after it where it may continue a word.
func parseLiteral(s string) (literal, error) {
	l := literal{text: s}
	l.text, l.openStart = strings.CutPrefix(l.text, "*")
	l.text, l.openEnd = strings.CutSuffix(l.text, "*")
	if strings.HasPrefix(l.text, `"`) {
		text, err := strconv.Unquote(l.text)
		if err != nil {
			return l, fmt.Errorf("got %s, want one text in double quotes", s)
		}
		l.text = text
	} else if i := strings.IndexFunc(l.text, isSyntax); i >= 0 {
		return l, fmt.Errorf("got %q in %s, want it in double quotes", l.text[i], s)
	}
	if strings.TrimSpace(l.text) == "" {
		return l, fmt.Errorf("got an empty word, want a word or phrase")
	}
	if l.openStart && utf8.RuneCountInString(l.text) < 3 {
		return l, fmt.Errorf("got %s, want at least three characters after a leading *", s)
	}
	return l, nil
}

// isSyntax reports the characters that a bare word cannot have.
func isSyntax(r rune) bool {
	switch r {
	case '{', '}', '(', ')', '|', '"', '*', '?', '^', '#', ',':
		return true
	}
	return false
}

// parsePattern reads the right side of match, not, near and repeat.
func parsePattern(s string) ([]part, error) {
	parts := make([]part, 0, 6) // few have more
	var mark anchor
	phrase := false // the last part is a bare phrase that may go on
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		token, rest, err := cutToken(s)
		if err != nil {
			return nil, err
		}
		s = rest
		if a, ok := anchors[token]; ok {
			mark, phrase = a, false
			continue
		}
		next := part{gap: -1, anchor: mark}
		bare := false
		switch {
		case strings.HasPrefix(token, ".."):
			if next.gap, err = strconv.Atoi(token[2:]); err != nil || next.gap < 0 || next.gap > maxWords {
				return nil, fmt.Errorf("got gap %q, want .. and a number from 0 to %d", token, maxWords)
			}
		default:
			var body string
			body, next.optional = strings.CutSuffix(token, "?")
			if next.options, err = parseOptions(body); err != nil {
				return nil, err
			}
			bare = !strings.ContainsAny(token, `{("?`)
		}
		if mark != anywhere && next.gap >= 0 {
			return nil, fmt.Errorf("got an anchor before a gap, want it before a word or set")
		}
		if bare && phrase && mark == anywhere && !next.options[0].literal.openStart {
			last := &parts[len(parts)-1].options[0].literal
			last.text += " " + next.options[0].literal.text
			last.openEnd = next.options[0].literal.openEnd
		} else {
			parts = append(parts, next)
		}
		phrase = bare && !next.options[0].literal.openEnd
		mark = anywhere
	}
	switch {
	case mark != anywhere:
		return nil, fmt.Errorf("got an anchor at the end, want it before a word or set")
	case len(parts) == 0:
		return nil, fmt.Errorf("got an empty pattern, want words, {sets} and ..gaps")
	}
	return parts, nil
}

var anchors = map[string]anchor{"^": atLine, "^.": atSentence, "^^": atPrompt}

// cutToken splits off the first token of a pattern: everything up to white
// space outside of quotes, braces and parentheses.
func cutToken(s string) (token, rest string, err error) {
	var open byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			n := quotedLen(s[i:])
			if n == 0 {
				return "", "", fmt.Errorf("got %s, want a closing double quote", s[i:])
			}
			i += n - 1
		case open == 0 && (c == '{' || c == '('):
			open = c
		case open == '{' && c == '}', open == '(' && c == ')':
			open = 0
		case open == 0 && (c == ' ' || c == '\t'):
			return s[:i], s[i:], nil
		}
	}
	if open != 0 {
		return "", "", fmt.Errorf("got %s, want a closing bracket", s)
	}
	return s, "", nil
}

// parseOptions reads one element: {set}, (a|b|{set}), "text" or word.
func parseOptions(s string) ([]option, error) {
	inner, group := strings.CutPrefix(s, "(")
	if !group {
		o, err := parseOption(s)
		return []option{o}, err
	}
	inner, closed := strings.CutSuffix(inner, ")")
	if !closed {
		return nil, fmt.Errorf("got %s, want a space after the closing bracket", s)
	}
	options := make([]option, 0, strings.Count(inner, "|")+1)
	for {
		alternative, rest, more := cutAlternative(inner)
		o, err := parseOption(strings.TrimSpace(alternative))
		if err != nil {
			return nil, err
		}
		options = append(options, o)
		if !more {
			break
		}
		inner = rest
	}
	return options, nil
}

// cutAlternative splits s at its first | outside of double quotes.
func cutAlternative(s string) (alternative, rest string, more bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if n := quotedLen(s[i:]); n > 0 {
				i += n - 1
			}
		case '|':
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func parseOption(s string) (option, error) {
	if !strings.HasPrefix(s, "{") {
		l, err := parseLiteral(s)
		return option{literal: l}, err
	}
	inner, closed := strings.CutSuffix(s[1:], "}")
	name, langs, limited := strings.Cut(inner, ":")
	o := option{set: name}
	if !closed || !isSetName(name) {
		return o, fmt.Errorf("got %s, want {name} or {name:lang,lang} of a set", s)
	}
	if limited {
		o.langs = strings.Split(langs, ",")
		for _, lang := range o.langs {
			if !isLang(lang) {
				return o, fmt.Errorf("got %s, want languages such as en or en,fr after the colon", s)
			}
		}
	}
	return o, nil
}

// validChain complains of a sequence that says less than it seems to.
func validChain(parts []part) error {
	elements, optional := 0, 0
	for i, p := range parts {
		edge := i == 0 || i == len(parts)-1
		switch {
		case p.gap >= 0 && edge:
			return fmt.Errorf("got a gap at the edge, want it between two parts")
		case p.gap >= 0 && parts[i+1].gap >= 0:
			return fmt.Errorf("got two gaps in a row, want one")
		case p.optional && edge:
			return fmt.Errorf("got an optional part at the edge, want it between two parts that are not")
		case p.gap < 0:
			elements++
			if p.optional {
				optional++
			}
		}
	}
	switch {
	case elements == 0:
		return fmt.Errorf("got a pattern of gaps alone, want words or {sets}")
	case elements > maxElements:
		return fmt.Errorf("got %d parts, want at most %d", elements, maxElements)
	case optional > maxOptional:
		return fmt.Errorf("got %d optional parts, want at most %d", optional, maxOptional)
	}
	return nil
}
