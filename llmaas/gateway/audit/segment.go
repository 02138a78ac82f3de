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
	"time"
)

// maxLine bounds a line, in bytes. It has room for two texts of maxText of which
// every byte is escaped by six, and what base64 adds.
const maxLine = 40 << 20

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

// lines calls f with every line of a file that ends in a newline, and with nil
// for one that is too long. It returns the size of what stands behind the last
// one; live says that somebody may be writing that at this moment.
func lines(path string, live bool, f func([]byte) error) (rest int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = file.Close() }()
	r := bufio.NewReaderSize(file, 64<<10)
	var long []byte // of a line that is longer than the buffer, at most maxLine of it
	for looks := 0; ; {
		chunk, err := r.ReadSlice('\n')
		rest += int64(len(chunk))
		if err == nil && len(long) == 0 {
			err, rest, looks = f(bytes.TrimSuffix(chunk, []byte("\n"))), 0, 0
			if err != nil {
				return 0, err
			}
			continue
		}
		if len(long) <= maxLine {
			long = append(long, chunk...)
		}
		switch {
		case err == nil:
			whole := bytes.TrimSuffix(long, []byte("\n"))
			if len(whole) > maxLine {
				whole = nil
			}
			if err := f(whole); err != nil {
				return 0, err
			}
			long, rest, looks = long[:0], 0, 0
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && live && rest > 0 && looks < 5:
			looks++
			time.Sleep(2 * time.Millisecond)
		case errors.Is(err, io.EOF):
			return rest, nil
		default:
			return rest, fmt.Errorf("audit: %w", err)
		}
	}
}

// resume finds both ends of the chain, and opens the last segment for writing. It
// returns how many bytes of a line that was not whole it dropped.
func (l *Log) resume(keys []Key) (dropped int64, err error) {
	all, err := segments(l.o.Dir)
	if err != nil {
		return 0, err
	}
	l.head, err = readHead(l.o.Dir, keys)
	switch {
	case errors.Is(err, errNoHead) && len(all) == 0:
		l.head = newHead()
		return 0, l.move(l.head)
	case err != nil:
		return 0, fmt.Errorf("audit: %w: run Verify", err)
	}
	// What a crash left of a Prune is no part of the log.
	if all, err = l.removeBefore(l.head.First, all); err != nil {
		return 0, err
	}
	for len(all) > 0 && l.file == nil {
		last := all[len(all)-1]
		rest, err := l.continueAt(last)
		if err != nil {
			return 0, err
		}
		if dropped += rest; l.file == nil { // a crash came right after the segment was begun
			if err := os.Remove(filepath.Join(l.o.Dir, last.name)); err != nil {
				return 0, fmt.Errorf("audit: %w", err)
			}
		}
		all = all[:len(all)-1]
	}
	if l.seq < l.head.Seq {
		return 0, fmt.Errorf("audit: records %d to %d were synced and are gone: run Verify, and begin a new folder", l.seq+1, l.head.Seq)
	}
	return dropped, nil
}

// continueAt opens a segment for writing behind its last whole line, unless it
// has none. It returns the size of what stands behind that and is cut off.
func (l *Log) continueAt(s segment) (rest int64, err error) {
	path := filepath.Join(l.o.Dir, s.name)
	n := 0
	rest, err = lines(path, false, func(b []byte) error {
		n++
		parsed, err := parseLine(b)
		if err != nil {
			return fmt.Errorf("audit: %s:%d: %w: run Verify", s.name, n, err)
		}
		l.seq, l.last = parsed.Seq, parsed.Hash
		if l.seq == l.head.Seq && l.last != l.head.Hash {
			return fmt.Errorf("audit: %s:%d: the record is not the one that was synced: run Verify", s.name, n)
		}
		if l.size += int64(len(b)) + 1; n == 1 {
			if p, err := parsed.open(l.ring); err == nil {
				first, _ := p.record() // of no time if it is none: it is ended soon
				l.begun = first.Time
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		return rest, err
	}
	if l.file, err = os.OpenFile(path, os.O_RDWR, 0o600); err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	return rest, l.file.Truncate(l.size)
}
