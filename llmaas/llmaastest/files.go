package llmaastest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxFile is the largest file of a batch, in bytes (API page, 2026).
const maxFile = 100_000_000

// storedFile is one that was uploaded, or that a batch wrote.
type storedFile struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Bytes    int    `json:"bytes"`
	Created  int64  `json:"created_at"`
	Filename string `json:"filename"`
	Purpose  string `json:"purpose"`

	data   []byte
	serial int
}

func (b *Backend) serveFiles(c *call) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.Path, "/files"), "/"), "/")
	b.mu.Lock()
	file, ok := b.files[id]
	b.mu.Unlock()
	switch way := c.Method + " " + rest; {
	case id == "" && way == "POST ":
		b.uploadFile(c)
	case id == "" && way == "GET ":
		c.send(http.StatusOK, map[string]any{"object": "list", "data": b.listFiles(c.r.FormValue("purpose")), "has_more": false})
	case !ok && id+rest != "", rest != "" && rest != "content":
		c.fail(http.StatusNotFound, "invalid_request_error", "", "There is no such file.")
	case way == "GET content":
		c.w.Header().Set("Content-Type", "application/jsonl")
		_, _ = c.w.Write(file.data) // the caller went away: nobody to tell
	case ok && way == "GET ":
		c.send(http.StatusOK, file)
	case ok && way == "DELETE ":
		b.mu.Lock()
		delete(b.files, id)
		b.mu.Unlock()
		c.send(http.StatusOK, map[string]any{"id": id, "object": "file", "deleted": true})
	default:
		c.fail(http.StatusMethodNotAllowed, "invalid_request_error", "", "This endpoint does not take the method.")
	}
}

// listFiles returns the files with the purpose, or all, the newest first.
func (b *Backend) listFiles(purpose string) []*storedFile {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []*storedFile{}
	for f := range maps.Values(b.files) {
		if purpose == "" || purpose == f.Purpose {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *storedFile) int { return cmp.Compare(b.serial, a.serial) })
	return all
}

func (b *Backend) uploadFile(c *call) {
	fields, file, ok := c.form()
	switch {
	case !ok || fields["purpose"] != "batch":
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "file and purpose=batch must be parts of a multipart/form-data body.")
	case len(file.data) > maxFile:
		c.fail(http.StatusRequestEntityTooLarge, "invalid_request_error", "", "A file holds at most 100 MB.")
	default:
		c.send(http.StatusOK, b.store("batch", file.name, file.data))
	}
}

func (b *Backend) store(purpose, name string, data []byte) *storedFile {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.files == nil {
		b.files = make(map[string]*storedFile)
	}
	b.fileSerial++
	f := &storedFile{
		ID: fmt.Sprintf("file-%04d", b.fileSerial), Object: "file", Bytes: len(data), Created: b.now().Unix(),
		Filename: name, Purpose: purpose, data: bytes.Clone(data), serial: b.fileSerial,
	}
	b.files[f.ID] = f
	return f
}
