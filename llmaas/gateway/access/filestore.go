package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// maxFile bounds the file of a FileStore, in bytes.
const maxFile = 256 << 20

// FileStore is a [Store] in one JSON file of mode 0600. A change writes a new
// file beside it, syncs it to the disk and renames it into place, so that a
// process killed at any point leaves the state before the change or after it.
// Every change rewrites the whole file, some 5 MB for 10,000 keys.
//
// Processes of one machine may share the file where folders can be locked (Linux,
// BSD, macOS, on a local disk): none undoes what another did, and each sees it
// after [Keys.Reload]. Elsewhere it is for one process at a time. Gateways on
// several machines need a shared [Store].
type FileStore struct {
	path string
	most int        // bytes
	mu   sync.Mutex // held from reading the revision to renaming
}

// NewFileStore returns a store in the file of that path, which need not exist;
// its folder must.
func NewFileStore(path string) *FileStore { return &FileStore{path: path, most: maxFile} }

// Load implements [Store]. It refuses a file that others than its owner may
// read or write.
func (f *FileStore) Load(context.Context) (State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load()
}

func (f *FileStore) load() (State, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("access: file store: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return State{}, fmt.Errorf("access: file store: %w", err)
	}
	if mode := info.Mode(); !mode.IsRegular() || runtime.GOOS != "windows" && mode.Perm()&0o077 != 0 {
		return State{}, fmt.Errorf("access: file store: %s: got mode %v, want a file of mode 0600", f.path, mode)
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(f.most)+1))
	if err != nil {
		return State{}, fmt.Errorf("access: file store: %w", err)
	}
	if len(data) > f.most {
		return State{}, fmt.Errorf("access: file store: %s: got more than %d bytes", f.path, f.most)
	}
	var state State
	if err := state.Unmarshal(data); err != nil {
		return State{}, fmt.Errorf("%s: %w", f.path, err)
	}
	return state, nil
}

// Save implements [Store].
func (f *FileStore) Save(_ context.Context, s State) error {
	data, err := s.Marshal()
	if err != nil {
		return err
	}
	if len(data) > f.most { // it could not be loaded again
		return fmt.Errorf("access: file store: got a state of %d bytes, want at most %d", len(data), f.most)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return fmt.Errorf("access: file store: %w", err)
	}
	defer dir.Close() // frees the lock, as the end of the process does
	lock(dir)
	stored, err := f.load()
	if err != nil {
		return err
	}
	if stored.Revision != s.Revision-1 {
		return ErrConflict
	}
	if err := writeAtomic(f.path, data, dir); err != nil {
		return fmt.Errorf("access: file store: %w", err)
	}
	return nil
}

// writeAtomic replaces a file in dir. What a killed process left of the one
// beside it goes first: it may be a link, or for others to read.
func writeAtomic(path string, data []byte, dir *os.File) error {
	beside := path + ".new"
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = file.Chmod(0o600) // whatever the umask
	if err == nil {
		_, err = file.Write(data)
	}
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // it has no such call
	}
	return dir.Sync() // the rename itself survives a power cut
}
