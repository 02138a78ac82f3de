package audit

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
)

// Result is what [Verify] found.
type Result struct {
	Segments int
	Records  int    // that are whole
	First    uint64 // number of the first record that is there
	Last     uint64 // and of the last
	LastHash string // of the last record: note it elsewhere to anchor the log
	Pruned   int64  // records removed on purpose, by stubs in the log
	Lost     int64  // records that could not be written, by the log's own notes
	Unsynced uint64 // records after the head: a crash may have taken others of them

	// Problems are what should not be, in the order of the log. None means that
	// the log is as it was written.
	Problems []Problem
}

// Problem is a place that was tampered with, or damaged.
type Problem struct {
	Segment string // file name
	Line    int    // from 1; 0 for the whole
	Seq     uint64 // of the record, or of the one that was expected
	What    string
}

// String says where and what in one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: record %d: %s", p.Segment, p.Line, p.Seq, p.What)
}

// Verify reads a whole log with all the keys that it was written with, and finds
// whatever was changed, cut, swapped or lost. The error says that it could not
// be read at all.
func Verify(dir string, keys ...Key) (Result, error) {
	v := &verifier{prev: genesis, next: 1}
	end, err := readHead(dir, keys)
	if err != nil {
		v.problem(entry{segment: headFile}, 0, err.Error())
	}
	v.head = end
	for e, err := range walk(dir, keys) {
		if err != nil {
			return v.Result, err
		}
		v.see(e)
	}
	if err := v.checkStubs(); err != nil {
		v.problem(entry{}, 0, err.Error())
	}
	v.checkHead()
	return v.Result, nil
}

// entry is one line as it was found.
type entry struct {
	segment string
	number  int // of the line, from 1
	first   uint64
	line    line
	record  Record
	err     error // the line by itself is not good
	torn    bool  // bytes without an end
}

// walk reads every line of a log in order.
func walk(dir string, keys []Key) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		ring, err := newKeyring(keys...)
		if err != nil {
			yield(entry{}, err)
			return
		}
		all, err := segments(dir)
		if err != nil {
			yield(entry{}, err)
			return
		}
		stop := errors.New("stop")
		for _, s := range all {
			n := 0
			rest, err := lines(filepath.Join(dir, s.name), func(b []byte) error {
				n++
				e := entry{segment: s.name, number: n, first: s.first}
				if e.line, e.err = parseLine(b); e.err == nil {
					e.record, e.err = e.line.open(ring)
				}
				if !yield(e, nil) {
					return stop
				}
				return nil
			})
			switch {
			case errors.Is(err, stop):
				return
			case err != nil:
				yield(entry{}, err)
				return
			case rest > 0 && !yield(entry{segment: s.name, number: n + 1, first: s.first, torn: true}, nil):
				return
			}
		}
	}
}

type verifier struct {
	Result
	prev  string // hash that the next line must have as its prev
	next  uint64 // number that it must have
	began string // prev of the first line that is there
	file  string
	stubs []Note
	head  *head  // nil when there is none that can be read
	named string // hash of the record that the head names
}

func (v *verifier) problem(e entry, seq uint64, what string) {
	v.Problems = append(v.Problems, Problem{e.segment, e.number, seq, what})
}

// see checks one line by itself and in its place.
func (v *verifier) see(e entry) {
	if e.segment != v.file {
		v.file = e.segment
		v.Segments++
	}
	switch {
	case e.torn:
		v.problem(e, v.next, "a line that was not written to its end")
		return
	case e.err != nil:
		v.problem(e, v.next, e.err.Error())
	}
	if e.line.Seq == 0 {
		v.next++ // what it was cannot be told; the line after it shows whether one or more are gone
		return
	}
	if v.First == 0 {
		v.First, v.began = e.line.Seq, e.line.Prev
		v.next, v.prev = e.line.Seq, e.line.Prev
	}
	switch {
	case e.line.Seq != v.next:
		v.problem(e, e.line.Seq, fmt.Sprintf("expected record %d here: records are missing, repeated or out of order", v.next))
	case e.line.Prev != v.prev:
		v.problem(e, e.line.Seq, "it does not follow from the record before it")
	}
	if e.err == nil {
		v.Records++
		v.note(e.record.Note)
	}
	v.Last, v.LastHash = e.line.Seq, e.line.Hash
	v.next, v.prev = e.line.Seq+1, e.line.Hash
	if v.head != nil && v.head.Seq == e.line.Seq {
		v.named = e.line.Hash
	}
}

func (v *verifier) note(n *Note) {
	switch {
	case n == nil:
	case n.Kind == "lost":
		v.Lost += n.Records
	case n.Kind == "pruned":
		v.Pruned += n.Records
		v.stubs = append(v.stubs, *n)
	}
}

// checkStubs wants a stub for every record that is missing at the beginning.
func (v *verifier) checkStubs() error {
	if v.First <= 1 {
		if v.First == 1 && v.began != genesis {
			return errors.New("the first record does not begin a log")
		}
		return nil
	}
	next, prev := uint64(1), genesis
	for _, s := range v.stubs {
		if s.From == next && s.Prev == prev {
			next, prev = s.To+1, s.Last
		}
	}
	if next != v.First || prev != v.began {
		return fmt.Errorf("records 1 to %d are missing, and no stub of the log says that they were removed", v.First-1)
	}
	return nil
}

// checkHead wants the record that the head names, with its hash.
func (v *verifier) checkHead() {
	at := entry{segment: headFile}
	switch h := v.head; {
	case h == nil:
		v.Unsynced = v.Last
	case h.Seq > v.Last:
		v.problem(at, h.Seq, fmt.Sprintf("records %d to %d were synced and are gone", v.Last+1, h.Seq))
	case h.Seq >= v.First && v.named != h.Hash:
		v.problem(at, h.Seq, "the record is not the one that was synced")
	default:
		v.Unsynced = v.Last - h.Seq
	}
}
