package access

import (
	"bytes"
	"context"
	"encoding/json"
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
// Every change rewrites the whole file, some 5 MB for 10,000 keys. It is for one
// process at a time; several gateways need a shared [Store].
type FileStore struct {
	path string
	mu   sync.Mutex // held from reading the revision to renaming
}

// NewFileStore returns a store in the file of that path, which need not exist;
// its folder must.
func NewFileStore(path string) *FileStore { return &FileStore{path: path} }

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
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return State{}, fmt.Errorf("access: file store: %w", err)
	}
	if len(data) > maxFile {
		return State{}, fmt.Errorf("access: file store: %s: got more than %d bytes", f.path, maxFile)
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
	f.mu.Lock()
	defer f.mu.Unlock()
	stored, err := f.load()
	if err != nil {
		return err
	}
	if stored.Revision != s.Revision-1 {
		return ErrConflict
	}
	if err := writeAtomic(f.path, data); err != nil {
		return fmt.Errorf("access: file store: %w", err)
	}
	return nil
}

// writeAtomic replaces a file. What a killed process left of the one beside it
// is overwritten by the next.
func writeAtomic(path string, data []byte) error {
	beside := path + ".new"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Chmod(0o600), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the rename itself survive a power cut. Windows has no such call.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// unmarshalStrict reads one JSON value, without unknown fields or anything after.
func unmarshalStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("got more after the JSON value")
	}
	return nil
}
