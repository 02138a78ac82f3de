package output

import (
	"bytes"

	"github.com/llmaas/llmaas-go/guard/check"
)

// maxLook is how far from its first byte a construct is judged: what is not
// decided by then is judged as it stands, or is too long to be honest.
const maxLook = 1024

// markup reads an answer as Markdown and HTML, and for secrets. A construct is
// looked at from its first byte on, again with each chunk until it is decided.
type markup struct {
	rules    *Rules
	previous byte // the byte before the next to look at; 0 at the beginning

	fence    byte // the character of the code block we are in: ` or ~, or 0
	fenceLen int

	depth  int    // of brackets
	images uint64 // one bit for each, the innermost lowest: opened by ![
}

// verdict says what looking at a place came to.
type verdict uint8

const (
	decided  verdict = iota
	needMore         // the answer must go on first
)

// What may begin at a byte.
const (
	markupAt = 1 << iota // a construct, see look
	secretAt             // an access token, if no word goes on there
	inToken              // nothing, but a word goes on
)

var triggers = func() (t [256]uint8) {
	for b := range t {
		if isToken(byte(b)) {
			t[b] |= inToken
		}
	}
	for _, b := range "\n[]<-" {
		t[b] |= markupAt
	}
	for _, token := range tokens {
		t[token.prefix[0]] |= secretAt
		if token.fold {
			t[token.prefix[0]&^0x20] |= secretAt
		}
	}
	return t
}()

// scan looks at buf from the given index on, base being where buf begins in the
// answer, and returns the index of what it could not decide yet.
func (m *markup) scan(buf []byte, from, base int, final bool, found *[]check.Finding) int {
	if base+from == 0 && len(buf) > 0 && m.line(buf, final) == needMore {
		return 0
	}
	if from > 0 {
		m.previous = buf[from-1]
	}
	before := triggers[m.previous]
	for i := from; i < len(buf); i++ {
		this := triggers[buf[i]]
		if this&markupAt != 0 || this&secretAt != 0 && before&inToken == 0 {
			if i > 0 {
				m.previous = buf[i-1]
			}
			if m.look(buf[i:], base+i, final, found) == needMore {
				return i
			}
		}
		before = this
	}
	if len(buf) > 0 {
		m.previous = buf[len(buf)-1]
	}
	return len(buf)
}

// look looks at b, which begins at the given byte of the answer.
func (m *markup) look(b []byte, at int, final bool, found *[]check.Finding) verdict {
	switch b[0] {
	case '\n':
		return m.line(b[1:], final)
	case '[':
		m.depth++
		m.images <<= 1
		if m.previous == '!' {
			m.images |= 1
		}
		return decided
	case ']':
		return m.closing(b, at, final, found)
	case '<':
		return m.angle(b, at, final, found)
	case '-':
		return m.privateKey(b, at, final, found)
	}
	return m.secret(b, at, final, found)
}

// line looks at the beginning of a line, b, for the fence of a code block
// (CommonMark 0.31.2 §4.5).
func (m *markup) line(b []byte, final bool) verdict {
	indent := 0
	for indent < len(b) && b[indent] == ' ' && indent < 4 {
		indent++
	}
	if indent == len(b) && !final {
		return needMore
	}
	if indent == 4 || indent == len(b) || b[indent] != '`' && b[indent] != '~' {
		return decided
	}
	char, run := b[indent], 0
	for indent+run < len(b) && b[indent+run] == char && run < maxFence {
		run++
	}
	rest := b[indent+run:]
	end := bytes.IndexByte(rest[:min(len(rest), maxFence)], '\n')
	if end < 0 && len(rest) < maxFence && !final {
		return needMore
	}
	if run < 3 || run == maxFence || end < 0 && len(rest) >= maxFence {
		return decided
	}
	if end >= 0 {
		rest = rest[:end]
	}
	switch {
	case m.fence == 0 && (char == '~' || bytes.IndexByte(rest, '`') < 0):
		m.fence, m.fenceLen = char, run
	case m.fence == char && run >= m.fenceLen && len(bytes.TrimSpace(rest)) == 0:
		m.fence, m.fenceLen = 0, 0
	}
	return decided
}

// maxFence is how long a fence, and what follows it on its line, may be.
const maxFence = 128

// closing looks at a closing bracket: an address may follow.
func (m *markup) closing(b []byte, at int, final bool, found *[]check.Finding) verdict {
	if len(b) == 1 && !final {
		return needMore
	}
	if len(b) > 1 && (b[1] == '(' || b[1] == ':') {
		long := len(b) >= maxAddress
		start, end, ended := address(b[2:min(len(b), maxAddress)], b[1] == '(')
		if !ended && !long && !final {
			return needMore
		}
		image := m.depth > 0 && m.images&1 == 1
		m.judge(b[2+start:2+end], image, !ended && long, at, at+2+end, found)
	}
	if m.depth > 0 {
		m.depth--
		m.images >>= 1
	}
	return decided
}

// maxAddress is how much of an address is judged; a longer one carries data.
const maxAddress = 512

// address finds the address at the beginning of b, white space before it left
// out, and says whether it ends there.
func address(b []byte, inParentheses bool) (start, end int, ended bool) {
	for start < len(b) && isSpace(b[start]) {
		start++
	}
	end = len(b)
	if start < end && b[start] == '<' {
		start++
		if i := bytes.IndexAny(b[start:], ">\n"); i >= 0 {
			end = start + i
		}
	} else {
		end = start + addressLen(b[start:], inParentheses)
	}
	return start, end, end < len(b)
}

// addressLen returns where the address that b begins with ends: at white space,
// or at a parenthesis that it did not open.
func addressLen(b []byte, inParentheses bool) int {
	open := 0
	for i, c := range b {
		switch {
		case isSpace(c):
			return i
		case c == '(':
			open++
		case c == ')' && inParentheses:
			if open == 0 {
				return i
			}
			open--
		}
	}
	return len(b)
}

// judge reports what is wrong with an address, of which more may follow.
func (m *markup) judge(address []byte, image, more bool, start, end int, found *[]check.Finding) {
	rule, severity, why := m.rules.judgeURL(address, image, more)
	if rule != "" {
		m.report(rule, severity, start, end, why, found)
	}
}

// report adds a finding about markup. In a code block it is text about markup,
// most likely; a renderer may disagree about where the block ends, so it is
// still worth knowing.
func (m *markup) report(rule string, severity check.Severity, start, end int, why string, found *[]check.Finding) {
	if m.fence != 0 {
		severity = min(severity, check.Low)
		why += ", in a code block"
	}
	*found = append(*found, finding(rule, severity, start, end, why))
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isAlnum(c byte) bool { return isAlpha(c) || c >= '0' && c <= '9' }

// isToken says whether c may stand in a token or a word.
func isToken(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c >= 0x80 }
