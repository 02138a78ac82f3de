package structure

import (
	"hash/maphash"

	"github.com/llmaas/llmaas-go/guard/check"
)

const layer = "structure"

// maxNames is how many names of the objects open at one time are remembered to
// find duplicates; further names are not compared. 8 bytes each, on the stack.
const maxNames = 128

// jsonReader judges one JSON value.
type jsonReader struct {
	scan  scanner
	known suspects
	seed  maphash.Seed

	names  [maxNames]uint64     // hashes of the names in the open objects
	count  int                  // how many of them, at most maxNames
	starts [maxDepth + 1]uint16 // where the names of each open thing begin

	member token // the name whose value comes next; kind bad when there is none
}

// inspectJSON judges src if it begins as JSON does: with { or [, after white
// space or a byte order mark.
func (c *Check) inspectJSON(src string, dst []check.Finding) []check.Finding {
	at := 0
	if len(src) >= 3 && src[:3] == "\ufeff" {
		at = 3
	}
	at = skipSpace(src, at)
	if at == len(src) || src[at] != '{' && src[at] != '[' {
		return dst
	}
	r := jsonReader{scan: scanner{src: src, pos: at}, known: c.suspects, seed: c.seed}
	return r.read(dst)
}

func (r *jsonReader) read(dst []check.Finding) []check.Finding {
	r.member.kind = bad
	for n := 0; ; n++ {
		t := r.scan.next()
		switch t.kind {
		case end:
			return dst
		case bad:
			return append(dst, malformed(t, n))
		case deep:
			return append(dst, found("json/deep", check.Medium, t, "more than 512 arrays and objects inside one another"))
		case open:
			r.starts[r.scan.depth] = uint16(r.count)
			r.member.kind = bad
		case closed:
			r.count = int(r.starts[r.scan.depth+1])
		case key:
			if r.repeats(t) {
				dst = append(dst, found("json/duplicate-key", check.Low, t, "a JSON object has two members of this name: readers disagree which one counts"))
			}
			r.member = t
		default:
			dst = r.value(t, dst)
			r.member.kind = bad
		}
	}
}

// malformed weighs a parse that failed. Many honest prompts begin with a
// bracket and are no JSON, such as [links](…) and {{templates}}: only what
// began as JSON counts at all.
func malformed(t token, before int) check.Finding {
	severity := check.Info
	if before > 2 {
		severity = check.Low
	}
	return found("json/malformed", severity, t, "the prompt begins as JSON and stops being JSON here")
}

func found(rule string, severity check.Severity, t token, why string) check.Finding {
	return check.Finding{
		Rule: rule, Layer: layer, Severity: severity,
		Span: check.Span{Start: t.start, End: t.end}, View: "source", Why: why,
	}
}

// repeats notes a name, and reports whether its object had it already. Names
// are compared by hash: a false alarm needs a collision of 64 bits under a
// random seed.
func (r *jsonReader) repeats(t token) bool {
	hash := maphash.String(r.seed, r.scan.src[t.start:t.end])
	for _, h := range r.names[r.starts[r.scan.depth]:r.count] {
		if h == hash {
			return true
		}
	}
	if r.count < maxNames {
		r.names[r.count] = hash
		r.count++
	}
	return false
}

func (r *jsonReader) value(t token, dst []check.Finding) []check.Finding {
	if r.member.kind != key {
		return dst
	}
	var nameBuf, valueBuf [nameRoom]byte
	name := plainName(nameBuf[:0], unquote(r.scan.src, r.member))
	if len(r.known[string(name)]) == 0 {
		return dst
	}
	value := plainName(valueBuf[:0], unquote(r.scan.src, t))
	if s := r.known.match(name, value); s != nil {
		dst = append(dst, found(s.Rule, s.Severity, token{start: r.member.start, end: t.end}, s.Why))
	}
	return dst
}

// unquote is the token's text without its quotes.
func unquote(src string, t token) string {
	if t.kind == scalar {
		return src[t.start:t.end]
	}
	return src[t.start+1 : t.end-1]
}
