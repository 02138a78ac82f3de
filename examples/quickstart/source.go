package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"unicode/utf8"
)

// maxLine is the longest prompt that a line may hold, in bytes.
const maxLine = 1 << 20

// prompts chooses where they come from: the file that is named, else standard
// input when it is a file or a pipe, else the built-in ones.
func prompts(args []string, stdin *os.File) (iter.Seq2[prompt, error], error) {
	switch {
	case len(args) > 1:
		return nil, fmt.Errorf("got %d files, want one: join them, as in: cat %s … | quickstart", len(args), args[0])
	case len(args) == 1:
		f, err := os.Open(args[0])
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: no such file: name a text file with one prompt a line", args[0])
		}
		if err != nil {
			return nil, fmt.Errorf("%v: name a text file that you may read", err)
		}
		return lines(f, args[0]), nil
	}
	if info, err := stdin.Stat(); err == nil && (info.Mode().IsRegular() || info.Mode()&fs.ModeNamedPipe != 0) {
		return lines(stdin, "standard input"), nil
	}
	return func(yield func(prompt, error) bool) {
		for _, p := range builtin() {
			if !yield(p, nil) {
				return
			}
		}
	}, nil
}

// lines yields one prompt a line, all of one session, and closes r in the end. A
// line that is no text ends it with an error that says where and what to do.
func lines(r io.ReadCloser, name string) iter.Seq2[prompt, error] {
	return func(yield func(prompt, error) bool) {
		defer func() { _ = r.Close() }()
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxLine)
		number, sent := 0, 0
		for scanner.Scan() {
			number++
			line := bytes.TrimRight(scanner.Bytes(), "\r")
			if number == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			if err := isText(line); err != nil {
				yield(prompt{}, fmt.Errorf("%s: line %d: %w", name, number, err))
				return
			}
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			sent++
			if !yield(prompt{string(line), name}, nil) {
				return
			}
		}
		err := scanner.Err()
		switch {
		case errors.Is(err, bufio.ErrTooLong):
			err = fmt.Errorf("%s: line %d is longer than %d bytes: split it into shorter lines", name, number+1, maxLine)
		case err != nil:
			err = fmt.Errorf("%s: %v: name a text file with one prompt a line", name, err)
		case sent == 0:
			err = fmt.Errorf("%s: no prompt in it: write one a line, or run without a file for the built-in ones", name)
		}
		if err != nil {
			yield(prompt{}, err)
		}
	}
}

func isText(line []byte) error {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		return fmt.Errorf("a NUL byte at byte %d: this is no text file; give one prompt a line", i)
	}
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("byte %d is not UTF-8: convert the file, as in: iconv -f latin1 -t utf-8", i)
		}
		i += size
	}
	return nil
}

// shown is a text as it may stand in one line of a terminal: no control
// characters, nothing invisible that moves the cursor, at most most runes.
func shown(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > most {
			b.WriteString("…")
			break
		}
		if quoted := fmt.Sprintf("%q", r); strings.HasPrefix(quoted, `'\`) && r != '\'' && r != '\\' {
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
