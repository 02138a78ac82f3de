package audit

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options configures [Open]. Dir and Key must be set.
type Options struct {
	Dir string // of the segments; made with mode 0700 if it is missing

	// Key encrypts what is appended. Old holds the keys before it, so that what
	// they encrypted can still be read when the log is opened.
	Key Key
	Old []Key

	// SyncEvery is how long a record may wait to be forced to disk. 0 means not
	// at all: Append returns when its record is safe. Records that are appended
	// at the same time share one sync.
	SyncEvery time.Duration

	// MaxBytes and MaxAge end a segment and begin the next. 0 means 64 MiB and 24 h.
	MaxBytes int64
	MaxAge   time.Duration

	// OnFailure is told when a record could not be written, as with a full disk.
	// Nil means that Append returns the error, so that the host refuses the
	// request; otherwise Append returns nil, and the log notes how many records
	// were lost as soon as it can write again.
	OnFailure func(error)

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Log appends records. It is safe for concurrent use; one process at a time may
// have a folder open.
type Log struct {
	o    Options
	ring keyring

	mu      sync.Mutex // guards what follows
	sealer  *sealer
	file    *os.File
	size    int64     // of the current segment, up to its last whole line
	begun   time.Time // of the current segment
	seq     uint64    // of the last record
	last    string    // its hash
	lost    int64     // records that could not be written since
	written uint64    // the last record in the file
	closed  bool

	syncing sync.Mutex // one sync at a time; taken before mu
	synced  uint64     // guarded by syncing
	stop    chan struct{}
	stopped sync.WaitGroup
}

// ErrClosed says that the log was closed.
var ErrClosed = errors.New("audit: the log is closed")

// Open opens the log of a folder, or begins one. After a crash it drops a last
// line that is not whole and notes that. It does not verify what is there; see
// [Verify].
func Open(o Options) (*Log, error) {
	if o.Dir == "" || o.SyncEvery < 0 || o.MaxBytes < 0 || o.MaxAge < 0 {
		return nil, errors.New("audit: Options: want a Dir, and no negative value")
	}
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.MaxAge = cmp.Or(o.MaxAge, 24*time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	ring, err := newKeyring(append([]Key{o.Key}, o.Old...)...)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	l := &Log{o: o, ring: ring, last: genesis, stop: make(chan struct{})}
	if l.sealer, err = newSealer(o.Key.ID, ring[o.Key.ID]); err != nil {
		return nil, err
	}
	dropped, err := l.resume()
	if err != nil {
		return nil, err
	}
	l.synced = l.seq
	if dropped > 0 {
		if err := l.Append(Record{Note: &Note{Kind: "recovered", Bytes: dropped}}); err != nil {
			return nil, err
		}
	}
	if o.SyncEvery > 0 {
		l.stopped.Go(l.syncer)
	}
	return l, nil
}

// Append writes a record. A zero Time is set to now. What it returns on a full
// disk or any other failure is the choice of Options.OnFailure.
func (l *Log) Append(r Record) error {
	if r.Time.IsZero() {
		r.Time = l.o.Now()
	}
	seq, err := l.append(&r)
	if err == nil && l.o.SyncEvery == 0 {
		err = l.sync(seq)
	}
	if err == nil || errors.Is(err, ErrClosed) || l.o.OnFailure == nil {
		return err
	}
	l.o.OnFailure(err)
	return nil
}

func (l *Log) append(r *Record) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, ErrClosed
	}
	if l.lost > 0 {
		note := Record{Time: r.Time, Note: &Note{Kind: "lost", Records: l.lost}}
		if err := l.write(&note); err != nil {
			l.lost++
			return 0, err
		}
		l.lost = 0
	}
	if err := l.write(r); err != nil {
		l.lost++
		return 0, err
	}
	return l.seq, nil
}

// write puts one line at the end of the current segment. The mutex is held.
func (l *Log) write(r *Record) error {
	if err := l.rotate(r.Time); err != nil {
		return fmt.Errorf("audit: begin a segment: %w", err)
	}
	data, sum, err := l.sealer.seal(r, l.seq+1, l.last)
	if err != nil {
		return err
	}
	n, err := l.file.WriteAt(data, l.size)
	if err != nil {
		// What was written of the line is overwritten by the next one; cut it
		// off all the same, for a reader that comes before.
		_ = l.file.Truncate(l.size)
		return fmt.Errorf("audit: write: %w", err)
	}
	l.size += int64(n)
	l.seq, l.last = l.seq+1, sum
	l.written = l.seq
	return nil
}

// rotate begins a segment when there is none, or the current one has had its
// time or size. The mutex is held.
func (l *Log) rotate(now time.Time) error {
	if l.file != nil && l.size < l.o.MaxBytes && now.Sub(l.begun) < l.o.MaxAge {
		return nil
	}
	if l.file != nil {
		if err := l.file.Sync(); err != nil {
			return err
		}
	}
	next, err := os.OpenFile(filepath.Join(l.o.Dir, segmentName(l.seq+1)), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		_ = l.file.Close() // it was synced: nothing is lost
	}
	l.file, l.size, l.begun = next, 0, now
	return syncDir(l.o.Dir)
}

// sync forces the file to disk up to record seq, and moves the head. Those who
// wait here share the sync of the first.
func (l *Log) sync(seq uint64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= seq {
		return nil
	}
	l.mu.Lock()
	file, written, last := l.file, l.written, l.last
	l.mu.Unlock()
	if file == nil || written == l.synced {
		return nil
	}
	// A segment that was ended meanwhile was synced when it ended.
	if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("audit: sync: %w", err)
	}
	if err := writeHead(l.o.Dir, written, last, l.o.Key); err != nil {
		return fmt.Errorf("audit: head: %w", err)
	}
	l.synced = written
	return nil
}

// Sync forces everything that was appended to disk.
func (l *Log) Sync() error {
	l.mu.Lock()
	seq := l.written
	l.mu.Unlock()
	return l.sync(seq)
}

func (l *Log) syncer() {
	ticker := time.NewTicker(l.o.SyncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := l.Sync(); err != nil && l.o.OnFailure != nil {
				l.o.OnFailure(err)
			}
		case <-l.stop:
			return
		}
	}
}

// Close syncs and closes the log. Further calls do nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	l.stopped.Wait()
	err := l.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
