package bpe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// tokenizerJSON is the part of a Hugging Face tokenizer.json that counting
// needs. Added and special tokens and the post-processor are left aside.
type tokenizerJSON struct {
	Normalizer   *typed        `json:"normalizer"`
	PreTokenizer *preTokenizer `json:"pre_tokenizer"`
	Model        struct {
		Type         string            `json:"type"`
		Vocab        map[string]uint32 `json:"vocab"`
		Merges       []mergeRule       `json:"merges"`
		IgnoreMerges bool              `json:"ignore_merges"`
	} `json:"model"`
}

type typed struct {
	Type string `json:"type"`
}

type preTokenizer struct {
	Type       string         `json:"type"`
	Sequence   []preTokenizer `json:"pretokenizers"`
	Behavior   string         `json:"behavior"`
	Invert     bool           `json:"invert"`
	Individual bool           `json:"individual_digits"`
	AddPrefix  bool           `json:"add_prefix_space"`
	UseRegex   *bool          `json:"use_regex"` // absent means true
	Pattern    struct{ Regex string }
}

// mergeRule is written "a b" or ["a", "b"].
type mergeRule [2]string

func (m *mergeRule) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		var pair []string
		if err := json.Unmarshal(b, &pair); err != nil {
			return err
		}
		if len(pair) != 2 {
			return fmt.Errorf("merge: got %d parts, want 2", len(pair))
		}
		*m = mergeRule(pair)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	left, right, ok := strings.Cut(s, " ")
	if !ok {
		return errors.New(`merge: want "a b"`)
	}
	*m = mergeRule{left, right}
	return nil
}

func (e *Encoding) readJSON(in io.Reader, o Options) error {
	var f tokenizerJSON
	if err := json.NewDecoder(in).Decode(&f); err != nil {
		return fmt.Errorf("bpe: tokenizer.json: %w", noEOF(err))
	}
	if f.Model.Type != "BPE" && f.Model.Type != "" {
		return fmt.Errorf("bpe: tokenizer.json: model: got type %.40q, want BPE", f.Model.Type)
	}
	if f.Normalizer != nil && f.Normalizer.Type != "" && o.Normalize == nil {
		return fmt.Errorf("bpe: tokenizer.json: normalizer %.40q: want Options.Normalize to do it", f.Normalizer.Type)
	}
	var err error
	switch {
	case o.Pattern != "":
		e.split, err = newSplitter(o.Pattern, o.MatchTimeout)
	case f.PreTokenizer == nil:
		err = errors.New("bpe: tokenizer.json: pre_tokenizer: got none, want a byte-level one")
	default:
		var byteLevel bool
		e.split, byteLevel, err = f.PreTokenizer.splitter(nil, o.MatchTimeout)
		if e.split == nil {
			e.split = func(text string, yield func(string)) error { yield(text); return nil }
		}
		if err == nil && !byteLevel {
			err = errors.New("bpe: tokenizer.json: pre_tokenizer: want a byte-level one")
		}
	}
	if err != nil {
		return err
	}
	e.vocab, err = f.vocabulary()
	return err
}

// splitter adds what p cuts to what before cuts.
func (p *preTokenizer) splitter(before splitter, timeout time.Duration) (s splitter, byteLevel bool, err error) {
	s = before
	switch p.Type {
	case "Sequence":
		for i := range p.Sequence {
			var b bool
			if s, b, err = p.Sequence[i].splitter(s, timeout); err != nil {
				return nil, false, err
			}
			byteLevel = byteLevel || b
		}
		return s, byteLevel, nil
	case "Split":
		if p.Behavior != "Isolated" || p.Invert || p.Pattern.Regex == "" {
			return nil, false, fmt.Errorf("bpe: tokenizer.json: pre_tokenizer Split: got behavior %.20q, want an isolated regular expression", p.Behavior)
		}
		next, err := newSplitter(p.Pattern.Regex, timeout)
		return chain(s, next), false, err
	case "Digits":
		pattern := `\p{N}+`
		if p.Individual {
			pattern = `\p{N}`
		}
		next, err := expression(pattern, timeout)
		return chain(s, next), false, err
	case "ByteLevel":
		if p.AddPrefix {
			return nil, false, errors.New("bpe: tokenizer.json: pre_tokenizer ByteLevel: add_prefix_space is not supported")
		}
		if p.UseRegex != nil && !*p.UseRegex {
			return s, true, nil
		}
		next, err := expression(gpt2, timeout)
		return chain(s, next), true, err
	}
	return nil, false, fmt.Errorf("bpe: tokenizer.json: pre_tokenizer: got type %.40q, want Split, Digits, ByteLevel or a Sequence of them", p.Type)
}

// vocabulary builds the merges. Unlike in a ranks file only listed pairs merge,
// in the order of the list.
func (f *tokenizerJSON) vocabulary() (*vocabulary, error) {
	v := &vocabulary{id: make(map[string]uint32, len(f.Model.Vocab)), whole: f.Model.IgnoreMerges}
	letters := byteLetters()
	for token, id := range f.Model.Vocab {
		if raw, ok := unletter(letters, token); ok {
			v.id[raw] = id
		}
	}
	if err := v.findBytes(); err != nil {
		return nil, err
	}
	v.pairs.init(len(f.Model.Merges))
	for i, m := range f.Model.Merges {
		a, okA := f.Model.Vocab[m[0]]
		b, okB := f.Model.Vocab[m[1]]
		both, ok := f.Model.Vocab[m[0]+m[1]]
		if !ok || !okA || !okB {
			return nil, fmt.Errorf("bpe: tokenizer.json: merge %d: its tokens are not in the vocabulary", i)
		}
		if _, twice := v.pairs.get(a, b); !twice {
			v.pairs.put(a, b, merged{rank: uint32(i), id: both})
		}
	}
	return v, nil
}

// byteLetters is GPT-2's way to write every byte as a printable letter: itself
// if it is one, else the next free code point from U+0100.
func byteLetters() (byteOf map[rune]byte) {
	byteOf = map[rune]byte{}
	next := rune(0x100)
	for b := range rune(0x100) {
		if b > ' ' && b < 0x7f || b > 0xa0 && b != 0xad {
			byteOf[b] = byte(b)
		} else {
			byteOf[next] = byte(b)
			next++
		}
	}
	return byteOf
}

func unletter(byteOf map[rune]byte, token string) (string, bool) {
	raw := make([]byte, 0, len(token))
	for _, r := range token {
		b, ok := byteOf[r]
		if !ok {
			return "", false
		}
		raw = append(raw, b)
	}
	return string(raw), len(raw) > 0
}
