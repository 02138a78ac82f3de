package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxLine bounds a line that is read, in bytes.
const maxLine = 64 << 20

func segmentName(first uint64) string { return fmt.Sprintf("audit-%08d.jsonl", first) }

// segment is a file of the log.
type segment struct {
	name  string
	first uint64 // number of its first record
}

// segments lists a folder's segments by their first record.
func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var all []segment
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "audit-")
		number, isLog := strings.CutSuffix(number, ".jsonl")
		first, err := strconv.ParseUint(number, 10, 64)
		if ok && isLog && err == nil {
			all = append(all, segment{e.Name(), first})
		}
	}
	slices.SortFunc(all, func(a, b segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	return all, nil
}

// lines calls f with every line of a file that ends in a newline, and returns
// what stands behind the last one.
func lines(path string, f func([]byte) error) (rest int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = file.Close() }()
	r := bufio.NewReaderSize(file, 256<<10)
	var long []byte
	for {
		chunk, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if long = append(long, chunk...); len(long) > maxLine {
				return 0, fmt.Errorf("audit: a line longer than %d bytes", maxLine)
			}
			continue
		case errors.Is(err, io.EOF):
			return int64(len(long) + len(chunk)), nil
		case err != nil:
			return 0, fmt.Errorf("audit: %w", err)
		}
		whole := chunk
		if len(long) > 0 {
			whole = append(long, chunk...)
		}
		if err := f(bytes.TrimSuffix(whole, []byte("\n"))); err != nil {
			return 0, err
		}
		long = long[:0]
	}
}

// resume finds the end of the chain and opens the last segment for writing. It
// returns how many bytes of a line that was not whole it dropped.
func (l *Log) resume() (dropped int64, err error) {
	all, err := segments(l.o.Dir)
	if err != nil {
		return 0, err
	}
	for len(all) > 0 {
		s := all[len(all)-1]
		path := filepath.Join(l.o.Dir, s.name)
		size, n := int64(0), 0
		rest, err := lines(path, func(b []byte) error {
			parsed, err := parseLine(b)
			if err != nil {
				return fmt.Errorf("audit: %s:%d: %w: run Verify", s.name, n+1, err)
			}
			l.seq, l.last, l.written = parsed.Seq, parsed.Hash, parsed.Seq
			size, n = size+int64(len(b))+1, n+1
			if n == 1 {
				if first, err := parsed.open(l.ring); err == nil {
					l.begun = first.Time
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		dropped += rest
		if n == 0 { // a crash came right after the segment was begun
			if err := os.Remove(path); err != nil {
				return 0, fmt.Errorf("audit: %w", err)
			}
			all = all[:len(all)-1]
			continue
		}
		if l.file, err = os.OpenFile(path, os.O_RDWR, 0o600); err != nil {
			return 0, fmt.Errorf("audit: %w", err)
		}
		l.size = size
		return dropped, l.file.Truncate(size)
	}
	return dropped, nil
}
