package bpe

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"strconv"
)

const (
	maxToken = 1 << 16 // bytes of one token
	maxRank  = math.MaxInt32
)

// vocabulary knows the tokens and which neighbors merge. It is read-only once
// built.
type vocabulary struct {
	id    map[string]uint32
	bytes [256]uint32 // the token of each byte
	pairs pairs
	whole bool // a piece that is a token needs no merging
}

// readTiktoken reads lines "base64 rank"; the rank is the token's id, and two
// neighbors merge whenever their bytes together are a token.
func readTiktoken(in *bufio.Reader) (*vocabulary, error) {
	v := &vocabulary{id: map[string]uint32{}, whole: true}
	seen := map[uint32]bool{}
	for line := 1; ; line++ {
		text, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("bpe: ranks: line %d: %w", line, err)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			token, rank, bad := parseRank(text)
			switch {
			case bad != "":
				return nil, fmt.Errorf("bpe: ranks: line %d: %s", line, bad)
			case seen[rank]:
				return nil, fmt.Errorf("bpe: ranks: line %d: rank %d stands twice", line, rank)
			}
			if _, twice := v.id[token]; twice {
				return nil, fmt.Errorf("bpe: ranks: line %d: the token stands twice", line)
			}
			seen[rank] = true
			v.id[token] = rank
		}
		if err == io.EOF {
			break
		}
	}
	if err := v.findBytes(); err != nil {
		return nil, err
	}
	v.pairUp()
	return v, nil
}

func parseRank(line []byte) (token string, rank uint32, bad string) {
	b64, num, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return "", 0, `want "base64 rank"`
	}
	b, err := base64.StdEncoding.DecodeString(string(b64))
	if err != nil || len(b) == 0 || len(b) > maxToken {
		return "", 0, "the first word is no base64 token"
	}
	n, err := strconv.ParseUint(string(num), 10, 32)
	if err != nil || n > maxRank {
		return "", 0, fmt.Sprintf("got rank %.20q, want 0 to %d", num, maxRank)
	}
	return string(b), uint32(n), ""
}

func (v *vocabulary) findBytes() error {
	for b := range v.bytes {
		id, ok := v.id[string([]byte{byte(b)})]
		if !ok {
			return fmt.Errorf("bpe: vocabulary: no token for byte 0x%02x: want a byte-level one", b)
		}
		v.bytes[b] = id
	}
	return nil
}

// pairUp finds every way to cut a token in two tokens.
func (v *vocabulary) pairUp() {
	n := 0
	each := func(f func(a, b, merged uint32)) {
		for token, id := range v.id {
			for i := 1; i < len(token); i++ {
				if a, ok := v.id[token[:i]]; ok {
					if b, ok := v.id[token[i:]]; ok {
						f(a, b, id)
					}
				}
			}
		}
	}
	each(func(_, _, _ uint32) { n++ })
	v.pairs.init(n)
	each(func(a, b, id uint32) { v.pairs.put(a, b, merged{rank: id, id: id}) })
}

// merged is what a pair becomes, and how early.
type merged struct{ rank, id uint32 }

// pairs is an open-addressed hash table from two tokens to one.
type pairs struct {
	keys  []uint64 // a<<32 | b, plus one; zero is free
	vals  []merged
	shift uint
}

func (p *pairs) init(n int) {
	bits := uint(4)
	for 1<<bits < 2*n {
		bits++
	}
	p.keys, p.vals, p.shift = make([]uint64, 1<<bits), make([]merged, 1<<bits), 64-bits
}

func (p *pairs) put(a, b uint32, m merged) {
	key := uint64(a)<<32 | uint64(b) + 1
	for i := key * 0x9E3779B97F4A7C15 >> p.shift; ; i = (i + 1) & uint64(len(p.keys)-1) {
		if p.keys[i] == 0 || p.keys[i] == key {
			p.keys[i], p.vals[i] = key, m
			return
		}
	}
}

func (p *pairs) get(a, b uint32) (merged, bool) {
	key := uint64(a)<<32 | uint64(b) + 1
	for i := key * 0x9E3779B97F4A7C15 >> p.shift; ; i = (i + 1) & uint64(len(p.keys)-1) {
		switch p.keys[i] {
		case key:
			return p.vals[i], true
		case 0:
			return merged{}, false
		}
	}
}
