package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Prune removes the segments of which every record is older than before, the
// oldest first, and never the current one. A stub that says which records went is
// appended and synced first, and the head moves with it. Prune reads what it
// removes: nothing goes that does not verify. It returns how many records it
// removed.
func (l *Log) Prune(before time.Time) (int64, error) {
	l.pruning.Lock()
	defer l.pruning.Unlock()
	all, err := segments(l.o.Dir)
	if err != nil {
		return 0, err
	}
	l.syncing.Lock()
	begin := l.head
	l.syncing.Unlock()
	next, prev := begin.First, begin.Prev
	old := 0 // segments
	for ; old < len(all)-1; old++ {
		end, err := l.old(all[old], next, prev, before)
		if err != nil {
			return 0, fmt.Errorf("audit: %s:%w: run Verify, nothing was pruned", all[old].name, err)
		}
		if end.Seq == 0 {
			break // younger ones follow
		}
		next, prev = end.Seq+1, end.Hash
	}
	if old == 0 {
		return 0, nil
	}
	gone := int64(next - begin.First)
	note := &Note{Kind: "pruned", Records: gone, From: begin.First, To: next - 1, Prev: begin.Prev, Last: prev}
	seq, err := l.append(&Record{Time: l.o.Now(), Note: note})
	if err == nil {
		err = l.sync(seq)
	}
	if err == nil {
		l.syncing.Lock()
		end := l.head
		end.First, end.Prev = next, prev
		err = l.move(end)
		l.syncing.Unlock()
	}
	if err == nil {
		err = syncDir(l.o.Dir) // the head is on disk before a segment goes
	}
	if err != nil {
		return 0, fmt.Errorf("audit: nothing was pruned: %w", err)
	}
	_, err = l.removeBefore(next, all)
	return gone, err
}

var errTooYoung = errors.New("young")

// old returns the last line of a segment whose records follow from prev and are
// all older than before; none if one is not.
func (l *Log) old(s segment, next uint64, prev string, before time.Time) (line, error) {
	var last line
	n := 0
	rest, err := lines(filepath.Join(l.o.Dir, s.name), false, func(b []byte) error {
		n++
		parsed, err := parseLine(b)
		if err == nil && (parsed.Seq != next || parsed.Prev != prev) {
			err = fmt.Errorf("got record %d, want record %d after the one before it", parsed.Seq, next)
		}
		var p plain
		var r Record
		if err == nil {
			p, err = parsed.open(l.ring)
		}
		if err == nil {
			r, err = p.record()
		}
		if err == nil && !r.Time.Before(before) {
			return errTooYoung
		}
		last, next, prev = parsed, parsed.Seq+1, parsed.Hash
		return err
	})
	switch {
	case errors.Is(err, errTooYoung):
		return line{}, nil
	case err == nil && (rest > 0 || n == 0):
		n, err = n+1, errors.New("no record ends here")
	}
	if err != nil {
		err = fmt.Errorf("%d: %w", n, err)
	}
	return last, err
}

// removeBefore removes the segments before record first, the oldest first, and
// returns the others.
func (l *Log) removeBefore(first uint64, all []segment) ([]segment, error) {
	gone := false
	for len(all) > 1 && all[1].first <= first {
		if err := os.Remove(filepath.Join(l.o.Dir, all[0].name)); err != nil {
			return all, fmt.Errorf("audit: %w", err)
		}
		all, gone = all[1:], true
	}
	if !gone {
		return all, nil
	}
	return all, syncDir(l.o.Dir)
}
