package llmaas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// maxTokenFile is the largest token file, in bytes.
const maxTokenFile = 16 << 10

// FileToken is a [TokenSource] that gives what the file holds, without white
// space around it. It looks before each request whether the file has changed, so
// a new token counts from the next request on. While the file is missing or
// empty, as it may be for a moment when it is replaced, the last token stays.
func FileToken(path string) TokenSource { return &fileToken{path: path} }

type fileToken struct {
	path string

	mu    sync.Mutex // guards what follows
	info  os.FileInfo
	token Token
}

// Token reads the file if it has changed.
func (f *fileToken) Token(context.Context) (Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err == nil && f.info != nil && os.SameFile(info, f.info) && info.ModTime().Equal(f.info.ModTime()) && info.Size() == f.info.Size() {
		return f.token, nil
	}
	if err == nil {
		err = f.read(info)
	}
	if err != nil && f.info == nil {
		return Token{}, fmt.Errorf("token file: %w", err)
	}
	return f.token, nil
}

func (f *fileToken) read(info os.FileInfo) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return err
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" || len(data) > maxTokenFile {
		return errors.New("it is empty, or longer than 16 KiB")
	}
	f.info, f.token = info, NewToken(secret)
	return nil
}
