package structure

import (
	"hash/maphash"

	"github.com/llmaas/llmaas-go/guard/check"
)

// maxNames is how many names of the objects open at one time are remembered to
// find duplicates; further names are not compared. 8 bytes each, on the stack.
const maxNames = 128

// jsonReader judges one JSON value.
type jsonReader struct {
	scan  scanner
	known suspects
	seed  maphash.Seed
	found *findings

	names  [maxNames]uint64     // hashes of the names in the open objects
	count  int                  // how many of them, at most maxNames
	starts [maxDepth + 1]uint16 // where the names of each open thing begin

	member token // the name whose value comes next; kind bad when there is none
}

// inspectJSON judges src if it begins as JSON does: with { or [, after white
// space or a byte order mark.
func (c *Check) inspectJSON(src string, found *findings) {
	at := 0
	if len(src) >= 3 && src[:3] == "\ufeff" {
		at = 3
	}
	at = skipSpace(src, at)
	if at == len(src) || src[at] != '{' && src[at] != '[' {
		return
	}
	r := jsonReader{scan: scanner{src: src, pos: at}, known: c.suspects, seed: c.seed, found: found}
	r.read()
}

func (r *jsonReader) read() {
	r.member.kind = bad
	for n := 0; ; n++ {
		t := r.scan.next()
		switch t.kind {
		case end:
			return
		case bad:
			r.malformed(t, n)
			return
		case deep:
			r.found.at(jsonDeep, check.Medium, t.start, t.end)
			return
		case open:
			r.starts[r.scan.depth] = uint16(r.count)
			r.member.kind = bad
		case closed:
			r.count = int(r.starts[r.scan.depth+1])
		case key:
			if r.repeats(t) {
				r.found.at(jsonDuplicateKey, check.Low, t.start, t.end)
			}
			r.member = t
		default:
			r.value(t)
			r.member.kind = bad
		}
	}
}

// malformed weighs a parse that failed. Many honest prompts begin with a
// bracket and are no JSON, such as [links](…) and {{templates}}: only what
// began as JSON counts at all.
func (r *jsonReader) malformed(t token, before int) {
	severity := check.Info
	if before > 2 {
		severity = check.Low
	}
	r.found.at(jsonMalformed, severity, t.start, t.end)
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

func (r *jsonReader) value(t token) {
	if r.member.kind != key {
		return
	}
	var nameBuf, valueBuf [nameRoom]byte
	name := plainName(nameBuf[:0], unquote(r.scan.src, r.member))
	if len(r.known[string(name)]) == 0 {
		return
	}
	value := plainName(valueBuf[:0], unquote(r.scan.src, t))
	if rule, ok := r.known.match(name, value); ok {
		r.found.at(rule, rules[rule].Severity, r.member.start, t.end)
	}
}

// unquote is the token's text without its quotes.
func unquote(src string, t token) string {
	if t.kind == scalar {
		return src[t.start:t.end]
	}
	return src[t.start+1 : t.end-1]
}
