package fold

import (
	_ "embed"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

//go:embed words.txt
var wordList string

// The shortest words that are looked for in disguise: under a shift or backwards, and scrambled.
const (
	leastDisguised = 5
	leastSure      = 6 // one of these is enough
	leastScrambled = 4
	longestWord    = 24
)

// What a word of the text may be: a listed word whose letters were all moved on by 1 to 25, or that
// is written backwards, or in an alphabet that runs from z to a.
const (
	backwards = 26
	atbash    = 27
	disguises = 28
)

// lexicon is the word list, made ready for looking up. It is built once and never changes.
type lexicon struct {
	filter  [1 << 11]uint64 // a bit for each hash of a key: says no, or maybe
	keys    []uint64        // sorted
	kinds   []uint8         // of keys: the shift, or backwards
	lengths [longestWord + 1]shelf
	words   map[string]bool
}

// shelf holds the listed words of one length.
type shelf struct {
	letters     []uint32 // of each word: a bit for each letter it has
	words       []listed
	first, last [26]wordSet // by letter: the words that begin or end so, or with a neighbor of it
}

// wordSet has a bit for each word of a shelf.
type wordSet [4]uint64

// listed is a word as a bag of letters.
type listed struct {
	text   string
	counts [26]uint8
}

var theLexicon = sync.OnceValue(newLexicon)

func newLexicon() *lexicon {
	l := &lexicon{words: map[string]bool{}}
	disguised := make(map[uint64]uint8)
	for line := range strings.Lines(wordList) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for word := range strings.FieldsSeq(line) {
			l.list(word)
			if len(word) < leastDisguised {
				continue
			}
			turned := []byte(word)
			slices.Reverse(turned)
			disguised[wordKey(string(turned))] = backwards
			for i, c := range []byte(word) {
				turned[i] = 'z' - (c - 'a')
			}
			disguised[wordKey(string(turned))] = atbash
			for shift := byte(1); shift < 26; shift++ {
				for i, c := range []byte(word) {
					turned[i] = (c-'a'+shift)%26 + 'a'
				}
				disguised[wordKey(string(turned))] = shift
			}
		}
	}
	for _, same := range l.lengths { // a word is no disguise of another
		for _, word := range same.words {
			delete(disguised, wordKey(word.text))
		}
	}
	for key := range disguised {
		l.keys = append(l.keys, key)
		h := hash(key)
		l.filter[h/64] |= 1 << (h % 64)
	}
	slices.Sort(l.keys)
	for _, key := range l.keys {
		l.kinds = append(l.kinds, disguised[key])
	}
	return l
}

// list adds word to the words of its length, once.
func (l *lexicon) list(word string) {
	if l.words[word] {
		return
	}
	l.words[word] = true
	same, i := &l.lengths[len(word)], len(l.lengths[len(word)].words)
	for c := range byte(26) {
		if near(word[0], 'a'+c) {
			same.first[c][i/64] |= 1 << (i % 64)
		}
		if near(word[len(word)-1], 'a'+c) {
			same.last[c][i/64] |= 1 << (i % 64)
		}
	}
	counts, letters := bag([]byte(word))
	same.words = append(same.words, listed{word, counts})
	same.letters = append(same.letters, letters)
}

// bag counts the letters of a word, and sets a bit for each that it has.
func bag(word []byte) (counts [26]uint8, letters uint32) {
	for _, c := range word {
		if c -= 'a'; c < 26 {
			letters |= 1 << c
			counts[c]++
		}
	}
	return counts, letters
}

// wordKey is the first eight letters of a word as a number.
func wordKey(word string) uint64 {
	var b [8]byte
	copy(b[:], word)
	return binary.LittleEndian.Uint64(b[:])
}

func hash(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> 47 }

// disguise says what the word with this key is: a shift, backwards, or 0 for no listed word.
func (l *lexicon) disguise(key uint64) uint8 {
	i, ok := slices.BinarySearch(l.keys, key)
	if !ok {
		return 0
	}
	return l.kinds[i]
}

// unscramble returns the listed word whose letters word has in another order, a few of them perhaps
// moved to the next letter of the alphabet; "" if there is none.
func (l *lexicon) unscramble(word []byte) string {
	if len(word) < leastScrambled || len(word) > longestWord {
		return ""
	}
	counts, letters := bag(word)
	same := &l.lengths[len(word)]
	first, last := &same.first[(word[0]-'a')%26], &same.last[(word[len(word)-1]-'a')%26]
	best, least := "", len(word)/4+1
	for k := range first {
		for set := first[k] | last[k]; set != 0; set &= set - 1 {
			i := 64*k + bits.TrailingZeros64(set)
			if bits.OnesCount32(letters^same.letters[i]) > 2*least {
				continue
			}
			w := &same.words[i]
			if n := distance(&counts, &w.counts); n < least {
				best, least = w.text, n
			}
		}
	}
	return best
}

// distance is how many letters of a stand for others in b, each of which must be a neighbor in the
// alphabet; longestWord: there is no such pairing.
func distance(a, b *[26]uint8) int {
	n, over := 0, 0 // over: how many more there were of the letter before
	for i := range a {
		d := int(a[i]) - int(b[i])
		switch {
		case over > 0 && d <= -over:
			n += over
			d += over
		case over < 0 && d >= -over:
			n -= over
			d += over
		case over != 0:
			return longestWord
		}
		over = d
	}
	if over != 0 {
		return longestWord
	}
	return n
}

func near(a, b byte) bool { return a == b || a+1 == b || b+1 == a }
