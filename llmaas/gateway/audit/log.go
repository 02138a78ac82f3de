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

	// OnFailure is told when a record could not be written or synced, as with a
	// full disk. Nil means that Append returns the error, so that the host refuses
	// the request; otherwise Append returns nil. Either way the log notes how many
	// records were lost as soon as it can write again.
	OnFailure func(error)

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Log appends records. It is safe for concurrent use. One Log at a time may have
// a folder open; see [ErrLocked].
type Log struct {
	o    Options
	ring keyring
	dir  *os.File // holds the lock

	mu     sync.Mutex // guards what follows
	sealer *sealer
	file   *os.File
	size   int64     // of the current segment, up to its last whole line
	begun  time.Time // of the current segment
	seq    uint64    // of the last record
	last   string    // its hash
	lost   int64     // records that could not be written since
	unsafe error     // of the last sync, when it failed
	closed bool

	syncing sync.Mutex // one sync at a time; taken before mu
	head    head       // as it stands on disk; guarded by syncing
	pruning sync.Mutex // one Prune at a time; taken before syncing
	stop    chan struct{}
	stopped sync.WaitGroup
}

// Errors for errors.Is.
var (
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("audit: the log is closed")
	// ErrLocked says that a folder is open already, here or in another process.
	// Systems without flock do not tell.
	ErrLocked = errors.New("the folder is open as a log already")
)

// Open opens the log of a folder, or begins one. After a crash it drops a last
// line that is not whole and notes that. It refuses a log whose end was cut off,
// so that nobody goes on as if nothing had happened; all else that may be wrong
// is for [Verify] to find.
func Open(o Options) (_ *Log, err error) {
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
	if l.dir, err = lock(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = l.dir.Close()
			if l.file != nil {
				_ = l.file.Close()
			}
		}
	}()
	if l.sealer, err = newSealer(o.Key.ID, ring[o.Key.ID]); err != nil {
		return nil, err
	}
	dropped, err := l.resume(append([]Key{o.Key}, o.Old...))
	if err != nil {
		return nil, err
	}
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
	r.bound()
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
	err := l.noteLost()
	if err == nil {
		err = l.write(r)
	}
	if err != nil {
		l.lost++
		return 0, err
	}
	if l.o.OnFailure == nil {
		err = l.unsafe // nobody else is told what the syncer met
	}
	return l.seq, err
}

// noteLost writes how many records were lost, if any. The mutex is held.
func (l *Log) noteLost() error {
	if l.lost == 0 {
		return nil
	}
	err := l.write(&Record{Time: l.o.Now(), Note: &Note{Kind: "lost", Records: l.lost}})
	if err == nil {
		l.lost = 0
	}
	return err
}

// write puts one line at the end of the current segment. The mutex is held.
func (l *Log) write(r *Record) error {
	if err := l.rotate(l.o.Now()); err != nil {
		return fmt.Errorf("audit: begin a segment: %w", err)
	}
	data, sum, err := l.sealer.seal(r, l.seq+1, l.last)
	if err != nil {
		return err
	}
	if len(data) > maxLine {
		return fmt.Errorf("audit: write: got a record of %d bytes on disk, want at most %d", len(data), maxLine)
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
	return nil
}

// rotate begins a segment when there is none, or the current one has had its
// time or size. A clock that was set back by more than that begins one too, else
// the segment would not end before the clock comes back to it. The mutex is held.
func (l *Log) rotate(now time.Time) error {
	if l.file != nil && l.size < l.o.MaxBytes && now.Sub(l.begun).Abs() < l.o.MaxAge {
		return nil
	}
	if l.file != nil {
		if err := l.file.Sync(); err != nil {
			return err
		}
	}
	next, err := os.OpenFile(filepath.Join(l.o.Dir, segmentName(l.seq+1)), os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
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
	if l.head.Seq >= seq {
		return nil
	}
	l.mu.Lock()
	file, next := l.file, l.head
	next.Seq, next.Hash = l.seq, l.last
	l.mu.Unlock()
	err := file.Sync()
	l.mu.Lock()
	ended := file != l.file // it was synced when it was ended
	l.mu.Unlock()
	if err != nil && !(ended && errors.Is(err, os.ErrClosed)) {
		err = fmt.Errorf("audit: sync: %w", err)
	} else {
		err = l.move(next)
	}
	l.mu.Lock()
	l.unsafe = err
	l.mu.Unlock()
	return err
}

// move writes the head. The mutex of syncs is held.
func (l *Log) move(h head) error {
	if err := h.write(l.o.Dir, l.o.Key); err != nil {
		return fmt.Errorf("audit: head: %w", err)
	}
	l.head = h
	return nil
}

// Sync forces everything that was appended to disk.
func (l *Log) Sync() error {
	l.mu.Lock()
	seq := l.seq
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
	err := l.noteLost()
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	l.stopped.Wait()
	err = errors.Join(err, l.Sync())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return errors.Join(err, l.dir.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
