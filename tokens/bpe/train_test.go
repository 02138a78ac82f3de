package bpe

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const corpus = `The river was low that summer, and the ferryman, who had nothing to do, told the children how he'd once
carried a bear across for 12 coins; they didn't believe him. "Why would a bear pay?" asked the smallest.
if err := ferry.Carry(bear, 12); err != nil { return fmt.Errorf("carry the bear: %w", err) }
Der Fluss führte wenig Wasser, und der Fährmann erzählte den Kindern Geschichten über Bären. 河の水は少なく、渡し守は子供たちに熊の話をした。
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa                                ========================`

// train learns a small vocabulary the textbook way: the most frequent pair of
// neighbors becomes a token.
func train(t testing.TB, pattern string, merges int) (tokens []string, pairs [][2]string) {
	split, err := newSplitter(pattern, 0)
	require.NoError(t, err)
	var words [][]string
	require.NoError(t, split(strings.Repeat(corpus+"\n", 3), func(p string) {
		var w []string
		for i := range len(p) {
			w = append(w, p[i:i+1])
		}
		words = append(words, w)
	}))
	for b := range 256 {
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	for range merges {
		count := map[[2]string]int{}
		for _, w := range words {
			for i := 1; i < len(w); i++ {
				count[[2]string{w[i-1], w[i]}]++
			}
		}
		var best [2]string
		for p, n := range count {
			if m := count[best]; n > m || n == m && p[0]+"\x00"+p[1] < best[0]+"\x00"+best[1] {
				best = p
			}
		}
		if len(count) == 0 {
			break
		}
		if !slices.Contains(tokens, best[0]+best[1]) {
			tokens = append(tokens, best[0]+best[1])
		}
		pairs = append(pairs, best)
		for k, w := range words {
			for i := 1; i < len(w); i++ {
				if w[i-1] == best[0] && w[i] == best[1] {
					w = slices.Replace(w, i-1, i+1, best[0]+best[1])
				}
			}
			words[k] = w
		}
	}
	return tokens, pairs
}

func ranksFile(tokens []string) []byte {
	var b bytes.Buffer
	for i, token := range tokens {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString([]byte(token)), i)
	}
	return b.Bytes()
}

// jsonFile writes the same vocabulary as a tokenizer.json.
func jsonFile(t testing.TB, tokens []string, pairs [][2]string, pretokenizer string) []byte {
	letterOf := map[byte]rune{}
	for r, b := range byteLetters() {
		letterOf[b] = r
	}
	spell := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			b.WriteRune(letterOf[s[i]])
		}
		return b.String()
	}
	vocab, merges := map[string]int{}, []any{}
	for i, token := range tokens {
		vocab[spell(token)] = i
	}
	for i, p := range pairs {
		if i%2 == 0 {
			merges = append(merges, spell(p[0])+" "+spell(p[1]))
		} else {
			merges = append(merges, []string{spell(p[0]), spell(p[1])})
		}
	}
	b, err := json.Marshal(map[string]any{
		"pre_tokenizer": json.RawMessage(pretokenizer),
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": merges},
	})
	require.NoError(t, err)
	return b
}

// plainCount merges the slow way: find the lowest rank, merge, look again.
func plainCount(rank map[string]int, piece string) int {
	var parts []string
	for i := range len(piece) {
		parts = append(parts, piece[i:i+1])
	}
	for {
		best, at := len(rank), -1
		for i := 1; i < len(parts); i++ {
			if r, ok := rank[parts[i-1]+parts[i]]; ok && r < best {
				best, at = r, i
			}
		}
		if at < 0 {
			return len(parts)
		}
		parts = slices.Replace(parts, at-1, at+1, parts[at-1]+parts[at])
	}
}
