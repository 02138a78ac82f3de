package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
)

// Result is what [Verify] found.
type Result struct {
	Segments int    `json:"segments"`
	Records  int    `json:"records"`   // that are whole
	First    uint64 `json:"first"`     // number of the first record that is there
	Last     uint64 `json:"last"`      // and of the last
	LastHash string `json:"last_hash"` // of the last record: note it elsewhere to anchor the log
	Pruned   int64  `json:"pruned"`    // records removed on purpose, as the head says
	Lost     int64  `json:"lost"`      // records that could not be written, by the log's own notes
	Unsynced uint64 `json:"unsynced"`  // records after the head: a crash may have taken others of them

	// Problems are what should not be, in the order of the log: at most 1,000 of
	// them, and one that counts the others. None means that the log is as it was
	// written.
	Problems []Problem `json:"problems"`
}

// Problem is a place that was tampered with, or damaged.
type Problem struct {
	Segment string `json:"segment"`        // file name
	Line    int    `json:"line,omitempty"` // from 1; 0 for the whole
	Seq     uint64 `json:"seq,omitempty"`  // of the record, or of the one that was expected
	What    string `json:"what"`
}

// String says where and what in one line.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Segment + ": " + p.What
	}
	return fmt.Sprintf("%s:%d: record %d: %s", p.Segment, p.Line, p.Seq, p.What)
}

// Verify reads a whole log with all the keys that it was written with, and finds
// whatever was changed, cut, swapped or lost. The error says that it could not
// be read at all. The log may be open meanwhile, in this process or another.
func Verify(dir string, keys ...Key) (Result, error) {
	return scan(dir, keys, func() {}, nil)
}

// scan verifies a log, and calls f, if any, with each record that is whole. When
// records were pruned under its hands it begins anew, after a call of begin.
func scan(dir string, keys []Key, begin func(), f func(*Record)) (Result, error) {
	for attempt := 0; ; attempt++ {
		begin()
		v := &verifier{Result: Result{Problems: []Problem{}}}
		v.head, v.headErr = readHead(dir, keys)
		err := v.scan(dir, keys, f)
		now, _ := readHead(dir, keys)
		pruned := errors.Is(err, fs.ErrNotExist) || now.First != v.head.First
		if err == nil && len(v.Problems) == 0 || !pruned || attempt == 3 {
			return v.Result, err
		}
	}
}

// entry is one line as it was found.
type entry struct {
	segment string
	number  int    // of the line, from 1
	first   uint64 // record that the file is named after
	line    line
	plain   plain
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
		for i, s := range all {
			n := 0
			rest, err := lines(filepath.Join(dir, s.name), i == len(all)-1, func(b []byte) error {
				n++
				e := entry{segment: s.name, number: n, first: s.first}
				if e.line, e.err = parseLine(b); e.err == nil {
					e.plain, e.err = e.line.open(ring)
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
	head    head
	headErr error  // why the head says nothing
	next    uint64 // number that the next line must have
	prev    string // hash that it must have as its prev
	file    string
	more    int // problems beyond those that are kept
}

// maxProblems bounds the problems that are kept.
const maxProblems = 1000

func (v *verifier) problem(e entry, seq uint64, what string) {
	if len(v.Problems) == maxProblems {
		v.more++
		return
	}
	v.Problems = append(v.Problems, Problem{e.segment, e.number, seq, what})
}

func (v *verifier) scan(dir string, keys []Key, f func(*Record)) error {
	if v.headErr != nil {
		v.problem(entry{segment: headFile}, 0, v.headErr.Error())
	} else {
		v.Pruned = int64(v.head.First - 1)
	}
	for e, err := range walk(dir, keys) {
		if err != nil {
			return err
		}
		if f != nil && e.plain != nil {
			var r Record
			if r, e.err = e.plain.record(); e.err == nil {
				f(&r)
			}
		}
		v.see(e)
	}
	v.checkEnd()
	if v.more > 0 {
		v.Problems = append(v.Problems, Problem{What: fmt.Sprintf("and %d more", v.more)})
	}
	return nil
}

// see checks one line by itself and in its place.
func (v *verifier) see(e entry) {
	if e.segment != v.file {
		v.file = e.segment
		v.Segments++
		if e.line.Seq > 0 && e.segment != segmentName(e.line.Seq) {
			v.problem(e, e.line.Seq, "the file is named after another record than its first")
		}
	}
	switch {
	case e.torn:
		v.problem(e, v.next, "a line that was not written to its end")
		return
	case e.err != nil:
		v.problem(e, max(v.next, e.first), e.err.Error())
	}
	if e.line.Seq == 0 {
		v.next++ // what it was cannot be told; the line after it shows whether one or more are gone
		return
	}
	if v.First == 0 {
		v.begin(e)
	}
	switch {
	case e.line.Seq != v.next:
		v.problem(e, e.line.Seq, fmt.Sprintf("expected record %d here: records are missing, repeated or out of order", v.next))
	case e.line.Prev != v.prev:
		v.problem(e, e.line.Seq, "it does not follow from the record before it")
	}
	if e.err == nil {
		v.Records++
		if n := e.plain.note(); n != nil && n.Kind == "lost" {
			v.Lost += n.Records
		}
	}
	v.Last, v.LastHash = e.line.Seq, e.line.Hash
	v.next, v.prev = e.line.Seq+1, e.line.Hash
	if v.headErr == nil && v.head.Seq == e.line.Seq && v.head.Hash != e.line.Hash {
		v.problem(e, e.line.Seq, "the record is not the one that was synced")
	}
}

// begin checks that nothing is missing before the first record that is there.
// What the head says was pruned may still be there, when a crash came in between.
func (v *verifier) begin(e entry) {
	v.First, v.next, v.prev = e.line.Seq, e.line.Seq, e.line.Prev
	if v.headErr == nil && v.First > v.head.First {
		v.problem(e, v.First, fmt.Sprintf("records %d to %d are missing, and were not pruned", v.head.First, v.First-1))
	}
}

// checkEnd wants the record that the head names.
func (v *verifier) checkEnd() {
	switch at := (entry{segment: headFile}); {
	case v.headErr != nil:
		v.Unsynced = v.Last
	case v.head.Seq > v.Last:
		v.problem(at, v.head.Seq, fmt.Sprintf("records %d to %d were synced and are gone", v.Last+1, v.head.Seq))
	default:
		v.Unsynced = v.Last - v.head.Seq
	}
}
