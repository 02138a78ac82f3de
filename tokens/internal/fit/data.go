package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
)

var families = []string{"o200k", "llama3", "qwen", "gemma3", "tekken", "deepseek_v3", "granite3", "granite4"}

const numFamilies = 8

// sample is one text and its exact counts.
type sample struct {
	ID     string         `json:"id"`
	Class  string         `json:"class"`
	Chars  int            `json:"chars"`
	Text   string         `json:"text"`
	Source string         `json:"source"`
	Counts map[string]int `json:"counts"`
	y      [numFamilies]float64
}

func load(dir string) ([]sample, error) {
	f, err := os.Open(filepath.Join(dir, "tokens", "dev.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var rows []sample
	for dec := json.NewDecoder(bufio.NewReader(z)); ; {
		var s sample
		switch err := dec.Decode(&s); {
		case err == io.EOF:
			return rows, nil
		case err != nil:
			return nil, fmt.Errorf("row %d: %w", len(rows), err)
		}
		for k, name := range families {
			s.y[k] = float64(s.Counts[name])
		}
		rows = append(rows, s)
	}
}

// fold puts all texts of one source on the same side. With wide, a source is
// the whole repository and not only the file.
func (s *sample) fold(n int, wide bool) int {
	src := s.Source
	if wide && (strings.HasPrefix(src, "git:") || strings.Contains(src, "(free)")) {
		src, _, _ = strings.Cut(src, " :: ")
	}
	h := fnv.New32a()
	io.WriteString(h, src)
	x := h.Sum32()
	x ^= x >> 15
	return int(x*2654435761>>16) % n
}
