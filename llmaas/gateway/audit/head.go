package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// headFile names both ends of the log.
const headFile = "head"

// head is where the log ends, as far as it was synced, and where it begins,
// under an HMAC: nobody without the key can cut off either end.
type head struct {
	Seq   uint64 `json:"seq"`   // of the last record that was synced; 0 before the first
	Hash  string `json:"hash"`  // its hash
	First uint64 `json:"first"` // number of the first record that was not pruned
	Prev  string `json:"prev"`  // hash before it
	Key   string `json:"key"`
	MAC   string `json:"mac"`
}

// newHead is the head of a log without a record.
func newHead() head { return head{Hash: genesis, First: 1, Prev: genesis} }

func (h *head) sum(k Key) string {
	mac := hmac.New(sha256.New, derive(k, "head"))
	_, _ = fmt.Fprintf(mac, "%d\n%s\n%d\n%s", h.Seq, h.Hash, h.First, h.Prev) // a hash takes any write
	return hex.EncodeToString(mac.Sum(nil))
}

// write replaces the head at once: a crash leaves the old one or the new one, and
// so does a loss of power, for the new one is on disk before it takes the name.
func (h head) write(dir string, k Key) (err error) {
	h.Key, h.MAC = k.ID, h.sum(k)
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	next := filepath.Join(dir, headFile+".next")
	f, err := os.OpenFile(next, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, headFile))
}

// maxHead bounds a head that is read, in bytes.
const maxHead = 64 << 10

var errNoHead = errors.New("the head is missing: neither end of the log can be checked")

// readHead reads the head and checks that one of the keys signed it.
func readHead(dir string, keys []Key) (head, error) {
	f, err := os.Open(filepath.Join(dir, headFile))
	if errors.Is(err, fs.ErrNotExist) {
		return head{}, errNoHead
	}
	if err != nil {
		return head{}, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxHead))
	if err != nil {
		return head{}, err
	}
	var h head
	if json.Unmarshal(data, &h) != nil {
		return head{}, errors.New("the head is not readable")
	}
	for _, k := range keys {
		if k.ID == h.Key {
			if !hmac.Equal([]byte(h.MAC), []byte(h.sum(k))) {
				return head{}, errors.New("the head was changed, or is of another key")
			}
			return h, nil
		}
	}
	return head{}, fmt.Errorf("the head: no key of the name %q was given", h.Key)
}
