package output

import "fmt"

// leak knows the runs of words of a system prompt.
type leak struct {
	words int // how many in a row give it away
	runs  runSet
	part  runSet // runs of partWords
}

const (
	defaultLeakWords = 12
	minLeakWords     = 5 // fewer in a row are said by chance
	maxLeakWords     = 64
	partWords        = 3  // from so many known words in a row on text is held back
	maxWord          = 64 // characters; a longer one is no word of a language
)

func newLeak(systemPrompt string, words int) (*leak, error) {
	switch {
	case words == 0:
		words = defaultLeakWords
	case words < minLeakWords || words > maxLeakWords:
		return nil, fmt.Errorf("output: Options.LeakWords: got %d, want 0 (the default) or %d to %d", words, minLeakWords, maxLeakWords)
	}
	all := wordsOf(systemPrompt)
	words = min(words, len(all))
	if words < minLeakWords {
		return nil, nil
	}
	l := &leak{words: words}
	for i := range all {
		if i+words <= len(all) {
			l.runs.add(hashRun(all[i : i+words]))
		}
		if i+partWords <= len(all) {
			l.part.add(hashRun(all[i : i+partWords]))
		}
	}
	return l, nil
}

// wordsOf returns the hashes of the words of text.
func wordsOf(text string) (all []uint64) {
	r := newTextReader(nil, &leak{})
	for i, c := range text + "\n" {
		n := r.words
		r.rune(see(c), i, 1, nil)
		for ; n < r.words; n++ {
			all = append(all, r.latest[n%maxLeakWords].hash)
		}
	}
	return all
}

// runSet is a set of hashes that says no fast.
type runSet struct {
	maybe [1 << 10]uint64 // one bit for the lowest 16 of each hash
	all   map[uint64]struct{}
}

func (s *runSet) add(h uint64) {
	if s.all == nil {
		s.all = make(map[uint64]struct{})
	}
	s.maybe[h>>6&(1<<10-1)] |= 1 << (h & 63)
	s.all[h] = struct{}{}
}

func (s *runSet) has(h uint64) bool {
	if s.maybe[h>>6&(1<<10-1)]&(1<<(h&63)) == 0 {
		return false
	}
	_, ok := s.all[h]
	return ok
}

// hashRun hashes the hashes of words in a row.
func hashRun(words []uint64) (h uint64) {
	for _, w := range words {
		h = hashWord(h, w)
	}
	return h
}

func hashWord(h, word uint64) uint64 {
	h = (h ^ word) * 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// hashRune is FNV-1a over runes.
func hashRune(h uint64, c rune) uint64 { return (h ^ uint64(c) ^ 0x100) * 1099511628211 }
