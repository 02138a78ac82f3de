package output

import (
	"math"
	"unicode/utf8"

	"github.com/llmaas/llmaas-go/guard/check"
)

// textReader reads an answer as letters, for canaries, and as words, for
// leakage. Its state is all that it needs of what it has read.
type textReader struct {
	needles *needles
	leak    *leak

	state   uint16
	letters *[maxNeedle]int // where the latest letters stand, as a ring; nil without needles
	count   int             // of letters

	hash  uint64 // of the word going on
	size  int    // characters of it
	start int    // where it began

	latest *[maxLeakWords]readWord // the latest words, as a ring; nil without leak
	words  int                     // how many there were
	known  int                     // runs of partWords in a row that the prompt holds
	told   bool                    // the leak going on has been reported
}

type readWord struct {
	hash  uint64
	start int
}

const (
	maxNeedle   = 512 // letters of the longest form of a canary; a power of two
	holdLetters = 4   // so many letters of a canary are held back; fewer are said by chance
)

// newTextReader makes a reader, with room for what it looks for: there is one for
// every answer.
func newTextReader(n *needles, l *leak) textReader {
	r := textReader{needles: n, leak: l}
	if n != nil {
		r.letters = new([maxNeedle]int)
	}
	if l != nil {
		r.latest = new([maxLeakWords]readWord)
	}
	return r
}

// read reads buf, which begins at the given byte of the answer, and returns how
// much of it: all but the beginning of a character.
func (r *textReader) read(buf []byte, at int, final bool, found *[]check.Finding) int {
	if r.needles == nil && r.leak == nil {
		return completeRunes(buf, final)
	}
	i := 0
	for i < len(buf) {
		if b := buf[i]; b < utf8.RuneSelf {
			r.rune(asciiSeen[b], at+i, 1, found)
			i++
			continue
		}
		if !final && !utf8.FullRune(buf[i:]) {
			return i
		}
		c, size := utf8.DecodeRune(buf[i:])
		s := seen{}
		if c != utf8.RuneError {
			s = see(c)
		}
		r.rune(s, at+i, size, found)
		i += size
	}
	if final {
		r.rune(seen{}, at+i, 0, found)
	}
	return i
}

// completeRunes returns how much of buf is not the beginning of a character.
func completeRunes(buf []byte, final bool) int {
	for n := 1; !final && n < utf8.UTFMax && n <= len(buf); n++ {
		if c := buf[len(buf)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(buf[len(buf)-n:]) {
				return len(buf) - n
			}
			break
		}
	}
	return len(buf)
}

var asciiSeen = func() (t [utf8.RuneSelf]seen) {
	for b := range t {
		t[b] = ascii(byte(b))
	}
	return t
}()

// rune takes the rune s at [at, at+size). What most runes need is done here,
// and only what few need in other functions.
func (r *textReader) rune(s seen, at, size int, found *[]check.Finding) {
	switch s.kind {
	case nothing:
		return
	case letter:
		if r.needles != nil && s.rune < utf8.RuneSelf {
			r.letters[r.count%maxNeedle] = at
			r.count++
			r.state = r.needles.next[r.state][symbol(s.rune)]
			if r.needles.found[r.state] {
				r.canary(at+size, found)
			}
		}
		if r.size == maxWord {
			r.endWord(at, found)
		}
		if r.size == 0 {
			r.start = at
		}
		r.hash = hashRune(r.hash, s.rune)
		r.size++
		return
	}
	if r.size > 0 {
		r.endWord(at, found)
	}
	if s.kind == word {
		r.start = at
		r.hash = hashRune(0, s.rune)
		r.endWord(at+size, found)
	}
}

func (r *textReader) canary(end int, found *[]check.Finding) {
	*found = append(*found, finding(CanaryFound, check.Critical, r.canaryStart(), end,
		"a canary of the system prompt stands in the answer"))
	r.state = 0
}

// canaryStart returns where the letters stand that may become a canary.
func (r *textReader) canaryStart() int {
	return r.letters[(r.count-int(r.needles.depth[r.state]))%maxNeedle]
}

// endWord takes the word that ends before the given byte.
func (r *textReader) endWord(end int, found *[]check.Finding) {
	hash := r.hash
	r.hash, r.size = 0, 0
	if r.leak == nil {
		return
	}
	r.latest[r.words%maxLeakWords] = readWord{hash, r.start}
	r.words++
	if !r.last(partWords, &r.leak.part) {
		r.known, r.told = 0, false
		return
	}
	r.known++
	if !r.told && r.leakWords() == r.leak.words && r.last(r.leak.words, &r.leak.runs) {
		r.told = true
		*found = append(*found, finding(PromptLeak, check.High, r.leakStart(), end,
			"the answer repeats the system prompt word for word"))
	}
}

// last says whether the latest n words are one of runs.
func (r *textReader) last(n int, runs *runSet) bool {
	if r.words < n {
		return false
	}
	var h uint64
	for i := r.words - n; i < r.words; i++ {
		h = hashWord(h, r.latest[i%maxLeakWords].hash)
	}
	return runs.has(h)
}

// leakWords returns how many of the latest words may become a leak.
func (r *textReader) leakWords() int {
	if r.known == 0 {
		return 0
	}
	return min(r.known+partWords-1, r.leak.words)
}

func (r *textReader) leakStart() int { return r.latest[(r.words-r.leakWords())%maxLeakWords].start }

// hold returns where in the answer that begins which a rule may still complete.
func (r *textReader) hold() int {
	hold := math.MaxInt
	if r.needles != nil && r.needles.depth[r.state] >= holdLetters {
		hold = r.canaryStart()
	}
	if r.leak != nil && r.known > 0 && !r.told {
		hold = min(hold, r.leakStart())
	}
	return hold
}
