package bpe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

func Example() {
	// A ranks file of the 256 bytes and two merges.
	var file strings.Builder
	file.Write(ranksFile(append(byteTokens(), "ab", "abab")))
	enc, err := New(strings.NewReader(file.String()), Options{Pattern: O200K})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(enc.Count("abababab x"))
	// Output: 4 <nil>
}

func byteTokens() (tokens []string) {
	for b := range 256 {
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	return tokens
}

var samples = []string{
	"", " ", "a", "'", "'s", "\n", "\r\n\r\n  x", "  two  blanks  ", "tail   ", " \n \n ", "Don't DON'T don'T we'LL 're", "camelCase HTTPServer XMLs",
	"12345678 ½ Ⅷ ٣٤٥٦", "a/b//\n/c", "—…¿", "e\u0301\u0301 \u0301x", "ªA ʰB ǅc ΑΒγ", "漢字かなカナ한국어", "नमस्ते दुनिया", "\u00a0\u2028\u3000x", "🙂👩\u200d👩",
	"\xff\xfe a\xc3", "<|endoftext|>", strings.Repeat("a", 300), strings.Repeat("aB", 100), strings.Repeat("= ", 60), corpus,
}

func TestMergesAsThePlainWay(t *testing.T) {
	tokens, _ := train(t, O200K, 300)
	rank := map[string]int{}
	for i, token := range tokens {
		rank[token] = i
	}
	v, err := New(bytes.NewReader(ranksFile(tokens)), Options{Pattern: O200K})
	require.NoError(t, err)
	for _, s := range samples {
		if s == "" {
			continue
		}
		want := plainCount(rank, s)
		require.Equal(t, want, v.vocab.mergeLarge(s), "%.40q", s)
		require.Equal(t, want, v.vocab.mergeMedium(s), "%.40q", s)
		if len(s) <= smallPiece {
			require.Equal(t, want, v.vocab.mergeSmall(s), "%.40q", s)
		}
	}
}

func FuzzMerge(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	tokens, _ := train(f, O200K, 300)
	rank := map[string]int{}
	for i, token := range tokens {
		rank[token] = i
	}
	enc, err := New(bytes.NewReader(ranksFile(tokens)), Options{Pattern: O200K})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || len(s) > 2000 {
			return
		}
		want := plainCount(rank, s)
		if got := enc.vocab.mergeLarge(s); got != want {
			t.Fatalf("large: got %d, want %d", got, want)
		}
		if got := enc.vocab.mergeMedium(s); got != want {
			t.Fatalf("medium: got %d, want %d", got, want)
		}
		if len(s) <= smallPiece {
			if got := enc.vocab.mergeSmall(s); got != want {
				t.Fatalf("small: got %d, want %d", got, want)
			}
		}
	})
}

func TestTokenizerJSON(t *testing.T) {
	quoted := strings.ReplaceAll(strings.ReplaceAll(CL100K, `\`, `\\`), `"`, `\"`)
	for _, row := range []struct{ name, pattern, pretokenizer string }{
		{"llama 3", CL100K, `{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"` + quoted + `"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}`},
		{"gpt-2", gpt2, `{"type":"ByteLevel","add_prefix_space":false}`},
	} {
		tokens, pairs := train(t, row.pattern, 300)
		a, err := New(bytes.NewReader(ranksFile(tokens)), Options{Pattern: row.pattern})
		require.NoError(t, err, row.name)
		b, err := New(bytes.NewReader(jsonFile(t, tokens, pairs, row.pretokenizer)), Options{})
		require.NoError(t, err, row.name)
		for _, s := range samples {
			want, err := a.Count(s)
			require.NoError(t, err)
			got, err := b.Count(s)
			require.NoError(t, err)
			require.Equal(t, want, got, "%s: %.40q", row.name, s)
		}
	}
}

func TestDigitsAreCutOneByOne(t *testing.T) {
	tokens := append(byteTokens(), "12")
	pairs := [][2]string{{"1", "2"}}
	enc, err := New(bytes.NewReader(jsonFile(t, tokens, pairs, `{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","use_regex":false}]}`)), Options{})
	require.NoError(t, err)
	n, err := enc.Count("x12y")
	require.NoError(t, err)
	require.Equal(t, 4, n)
}

func TestNewRefuses(t *testing.T) {
	ranks := string(ranksFile(byteTokens()))
	for _, row := range []struct{ name, file, pattern, want string }{
		{"nothing", "", O200K, "unexpected EOF"},
		{"no pattern", ranks, "", "got no Pattern"},
		{"bad pattern", ranks, "(", "bpe: pattern:"},
		{"no rank", "IQ==\n", O200K, "line 1: want"},
		{"bad base64", ranks + "!! 999\n", O200K, "line 257: the first word"},
		{"bad rank", ranks + "YWI= -1\n", O200K, `line 257: got rank "-1"`},
		{"rank twice", ranks + "YWI= 7\n", O200K, "rank 7 stands twice"},
		{"token twice", ranks + "YQ== 700\n", O200K, "the token stands twice"},
		{"a byte is missing", strings.Replace(ranks, "AA== 0\n", "", 1), O200K, "no token for byte 0x00"},
		{"a very long line", strings.Repeat("A", 1<<20), O200K, "line 1: bufio: buffer full"},
		{"broken JSON", `{"model":`, "", "unexpected EOF"},
		{"unigram", `{"model":{"type":"Unigram"}}`, "", `got type "Unigram", want BPE`},
		{"normalizer", `{"normalizer":{"type":"NFC"},"model":{"type":"BPE"}}`, "", "want Options.Normalize"},
		{"no pre-tokenizer", `{"model":{"type":"BPE"}}`, "", "pre_tokenizer: got none"},
		{"metaspace", `{"pre_tokenizer":{"type":"Metaspace"},"model":{"type":"BPE"}}`, "", `got type "Metaspace"`},
		{"removing split", `{"pre_tokenizer":{"type":"Split","behavior":"Removed","pattern":{"Regex":"x"}},"model":{"type":"BPE"}}`, "", `got behavior "Removed"`},
		{"not byte-level", `{"pre_tokenizer":{"type":"Sequence"},"model":{"type":"BPE"}}`, "", "want a byte-level one"},
		{"added space", `{"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},"model":{"type":"BPE"}}`, "", "add_prefix_space"},
		{"no bytes", `{"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE"}}`, "", "no token for byte"},
		{"bad merge", `{"model":{"type":"BPE","merges":["ab"]}}`, "", `merge: want "a b"`},
		{"bad merge list", `{"model":{"type":"BPE","merges":[["a"]]}}`, "", "got 1 parts"},
	} {
		_, err := New(strings.NewReader(row.file), Options{Pattern: row.pattern})
		require.ErrorContains(t, err, row.want, row.name)
	}
	_, err := New(iotest.ErrReader(io.ErrClosedPipe), Options{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = New(&limited{r: neverEnding{}, left: 1 << 10}, Options{Pattern: O200K})
	require.Error(t, err)
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) {
	return copy(p, "YWI= 1\n"), nil
}

func TestPatternRunsOutOfTime(t *testing.T) {
	enc, err := New(bytes.NewReader(ranksFile(byteTokens())), Options{Pattern: `(a+)+b|.`, MatchTimeout: time.Millisecond})
	require.NoError(t, err)
	_, err = enc.Count(strings.Repeat("a", 40))
	require.Error(t, err)
	require.False(t, errors.Is(err, io.EOF))
}

func TestNormalize(t *testing.T) {
	enc, err := New(bytes.NewReader(ranksFile(byteTokens())), Options{Pattern: O200K, Normalize: strings.TrimSpace})
	require.NoError(t, err)
	n, err := enc.Count("  ab  ")
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

func TestConcurrent(t *testing.T) {
	tokens, _ := train(t, O200K, 200)
	enc, err := New(bytes.NewReader(ranksFile(tokens)), Options{Pattern: O200K})
	require.NoError(t, err)
	want, err := enc.Count(corpus)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if n, err := enc.Count(corpus); err != nil || n != want {
					t.Errorf("got %d, %v, want %d", n, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
