package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
)

// openKeys reads the keys of a file and follows it; without a file it makes some
// for the life of the process. Where there are none yet it makes those of the
// demonstration, and returns them.
func openKeys(ctx context.Context, path string) (*access.Keys, []demoKey, error) {
	if path == "" {
		return newKeys(ctx, nil)
	}
	var made []demoKey
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if made, err = makeFile(ctx, path); err != nil {
			return nil, nil, err
		}
	}
	keys, err := access.New(ctx, access.Options{Store: access.NewFileStore(path)})
	if err != nil {
		return nil, nil, err
	}
	if len(keys.Tenants()) == 0 {
		return nil, nil, fmt.Errorf("%s: got no tenant: without the file, keys of a demonstration are made", path)
	}
	go follow(ctx, keys)
	return keys, made, nil
}

// makeFile makes a file of keys. Gateways that start together may all do so: the
// file is written beside the place and put there whole, by one of them.
func makeFile(ctx context.Context, path string) ([]demoKey, error) {
	beside := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(beside)
	_, made, err := newKeys(ctx, access.NewFileStore(beside))
	if err != nil {
		return nil, err
	}
	err = os.Link(beside, path) // which, unlike a rename, replaces nothing
	if errors.Is(err, fs.ErrExist) {
		return nil, nil
	}
	if err != nil { // a file system without links
		err = os.Rename(beside, path)
	}
	return made, err
}

func newKeys(ctx context.Context, store access.Store) (*access.Keys, []demoKey, error) {
	keys, err := access.New(ctx, access.Options{Store: store})
	if err != nil {
		return nil, nil, err
	}
	made, err := demoKeys(ctx, keys)
	return keys, made, err
}

// follow reads the file again from time to time: what another program has made
// or revoked counts here soon.
func follow(ctx context.Context, keys *access.Keys) {
	for tick := time.Tick(5 * time.Second); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			if err := keys.Reload(ctx); err != nil {
				slog.Error("gateway: keys", "err", err)
			}
		}
	}
}
