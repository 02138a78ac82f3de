package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Prune removes the segments whose last record is older than before, but never
// the current one. A stub that says which records went is appended and synced
// first. It returns how many records it removed.
func (l *Log) Prune(before time.Time) (int64, error) {
	all, err := segments(l.o.Dir)
	if err != nil {
		return 0, err
	}
	var note *Note
	var gone []string
	for i, s := range all {
		if i == len(all)-1 {
			break // the current one
		}
		ends, err := l.ends(s)
		if err != nil {
			return 0, err
		}
		if !ends.last.Time.Before(before) {
			break // younger ones follow
		}
		if note == nil {
			note = &Note{Kind: "pruned", From: s.first, Prev: ends.prev}
		}
		note.To, note.Last = ends.seq, ends.hash
		note.Records += ends.records
		gone = append(gone, s.name)
	}
	if note == nil {
		return 0, nil
	}
	seq, err := l.append(&Record{Time: l.o.Now(), Note: note})
	if err == nil {
		err = l.sync(seq)
	}
	if err != nil {
		return 0, fmt.Errorf("audit: nothing was pruned: %w", err)
	}
	for _, name := range gone {
		err = errors.Join(err, os.Remove(filepath.Join(l.o.Dir, name)))
	}
	return note.Records, errors.Join(err, syncDir(l.o.Dir))
}

// ends is what must be known of a segment before it goes.
type ends struct {
	prev    string // hash before its first record
	seq     uint64 // of its last record
	hash    string
	last    Record
	records int64
}

func (l *Log) ends(s segment) (ends, error) {
	var e ends
	var final line
	_, err := lines(filepath.Join(l.o.Dir, s.name), func(b []byte) error {
		parsed, err := parseLine(b)
		if err != nil {
			return err
		}
		if e.records++; e.records == 1 {
			e.prev = parsed.Prev
		}
		final = parsed
		return nil
	})
	if err == nil && e.records > 0 {
		e.last, err = final.open(l.ring)
	}
	if err != nil {
		return e, fmt.Errorf("audit: %s: %w: run Verify, nothing was pruned", s.name, err)
	}
	e.seq, e.hash = final.Seq, final.Hash
	return e, nil
}
