package bpe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// Patterns that are cut without a regular expression.
const (
	// CL100K is the pattern of cl100k_base, Llama 3 and Granite 4.
	CL100K = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// Qwen is the pattern of Qwen 2.5 and 3: each digit is a piece.
	Qwen = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// O200K is the pattern of o200k_base and gpt-oss.
	O200K = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// maxFile bounds a vocabulary file; the largest known, with 262,144 tokens, has
// 33 MB.
const maxFile = 128 << 20

// Options says what the file does not.
type Options struct {
	// Pattern cuts a text into pieces; required for a ranks file, taken from a
	// tokenizer.json when empty.
	Pattern string
	// Normalize, if set, is applied to a text before it is cut. A tokenizer.json
	// with a normalizer (NFC, as a rule) is refused without it.
	Normalize func(string) string
	// MatchTimeout bounds each match of a pattern that has no hand-written
	// splitter; zero is one second. regexp2 looks at its clock every 100 ms.
	MatchTimeout time.Duration
}

// Encoding counts tokens. It is safe for concurrent use.
type Encoding struct {
	vocab     *vocabulary
	split     splitter
	normalize func(string) string
	cache     cache
}

// splitter hands the pieces of text, in order, to yield.
type splitter func(text string, yield func(piece string)) error

// New reads a vocabulary: a tokenizer.json if it starts with a brace, else a
// ranks file of lines "base64 rank".
func New(r io.Reader, o Options) (*Encoding, error) {
	in := bufio.NewReader(&limited{r: r, left: maxFile})
	first, err := in.Peek(1)
	if err != nil {
		return nil, fmt.Errorf("bpe: vocabulary: %w", noEOF(err))
	}
	if o.MatchTimeout <= 0 {
		o.MatchTimeout = time.Second
	}
	e := &Encoding{normalize: o.Normalize}
	if first[0] == '{' {
		err = e.readJSON(in, o)
	} else {
		err = e.readRanks(in, o)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Encoding) readRanks(in *bufio.Reader, o Options) (err error) {
	if o.Pattern == "" {
		return errors.New("bpe: options: got no Pattern, want one with a ranks file")
	}
	if e.split, err = newSplitter(o.Pattern, o.MatchTimeout); err != nil {
		return err
	}
	e.vocab, err = readTiktoken(in)
	return err
}

// Count returns the number of tokens of text. The error is that of a pattern
// without a hand-written splitter that ran out of time.
func (e *Encoding) Count(text string) (int, error) {
	if e.normalize != nil {
		text = e.normalize(text)
	}
	n := 0
	err := e.split(text, func(piece string) { n += e.count(piece) })
	return n, err
}

func (e *Encoding) count(piece string) int {
	if e.vocab.whole {
		if _, ok := e.vocab.id[piece]; ok {
			return 1
		}
	}
	if len(piece) > maxCached {
		return e.vocab.merge(piece)
	}
	if n := e.cache.get(piece); n > 0 {
		return n
	}
	n := e.vocab.merge(piece)
	e.cache.put(piece, n)
	return n
}

type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("got more than %d bytes", maxFile)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
