package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// headFile names the last record that was synced.
const headFile = "head"

// head is the end of the chain as it was synced, under an HMAC.
type head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
	Key  string `json:"key"`
	MAC  string `json:"mac"`
}

func (h *head) sum(k Key) string {
	mac := hmac.New(sha256.New, derive(k, "head"))
	_, _ = fmt.Fprintf(mac, "%d\n%s", h.Seq, h.Hash) // a hash takes any write
	return hex.EncodeToString(mac.Sum(nil))
}

// writeHead replaces the head at once: a crash leaves the old or the new one.
func writeHead(dir string, seq uint64, hash string, k Key) error {
	h := head{Seq: seq, Hash: hash, Key: k.ID}
	h.MAC = h.sum(k)
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	next := filepath.Join(dir, headFile+".next")
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, headFile))
}

// readHead returns nil when there is none yet.
func readHead(dir string, keys []Key) (*head, error) {
	data, err := os.ReadFile(filepath.Join(dir, headFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var h head
	if json.Unmarshal(data, &h) != nil {
		return nil, errors.New("the head is not readable")
	}
	for _, k := range keys {
		if k.ID == h.Key {
			if !hmac.Equal([]byte(h.MAC), []byte(h.sum(k))) {
				return nil, errors.New("the head was changed")
			}
			return &h, nil
		}
	}
	return nil, fmt.Errorf("the head: no key of the name %q was given", h.Key)
}
