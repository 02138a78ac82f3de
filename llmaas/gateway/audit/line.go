package audit

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Key encrypts records: 32 random bytes, and a name that tells it from the keys
// before and after it. A key serves for at most 2^32 records (NIST SP 800-38D
// §8.3, random nonces); change it well before.
type Key struct {
	ID     string
	Secret [32]byte
}

// String keeps the secret out of logs.
func (k Key) String() string { return "audit key " + strconv.Quote(k.ID) }

// GoString keeps the secret out of logs.
func (k Key) GoString() string { return k.String() }

// genesis is the hash before the first record.
var genesis = hash([]byte("llmaas audit log"))

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// line is a record on disk.
type line struct {
	Seq  uint64 `json:"seq"`
	Prev string `json:"prev"`
	Key  string `json:"key"`
	Data string `json:"data"`
	Hash string `json:"hash"`
}

// bound is what the encryption binds a record to.
func (l *line) bound() []byte {
	return []byte(strconv.FormatUint(l.Seq, 10) + "\n" + l.Prev + "\n" + strconv.Quote(l.Key))
}

func (l *line) sum() string {
	h := sha256.New()
	_, _ = h.Write(append(l.bound(), '\n')) // a hash takes any write
	_, _ = io.WriteString(h, l.Data)
	return hex.EncodeToString(h.Sum(nil))
}

// text is the line as it stands on disk, the same as json.Marshal has it.
func (l *line) text() ([]byte, error) {
	key, err := json.Marshal(l.Key)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(l.Data)+len(key)+256)
	b = strconv.AppendUint(append(b, `{"seq":`...), l.Seq, 10)
	b = append(append(b, `,"prev":"`...), l.Prev...) // hexadecimal
	b = append(append(b, `","key":`...), key...)
	b = append(append(b, `,"data":"`...), l.Data...) // base64
	b = append(append(b, `","hash":"`...), l.Hash...)
	return append(b, `"}`+"\n"...), nil
}

// seal encrypts a record into the line after prev.
func seal(r *Record, seq uint64, prev string, keyID string, aead cipher.AEAD) (line, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return line{}, fmt.Errorf("audit: record: %w", err)
	}
	l := line{Seq: seq, Prev: prev, Key: keyID}
	l.Data = base64.RawStdEncoding.EncodeToString(aead.Seal(nil, nil, plain, l.bound()))
	l.Hash = l.sum()
	return l, nil
}

var (
	errForged = errors.New("the line does not hash to its own hash")
	errBroken = errors.New("the record does not decrypt: it was changed, or moved, or is of another key")
	errNoLine = errors.New("this is no line of a log")
)

// open reads a line back. It checks the line by itself, not its place.
func (l *line) open(keys keyring) (Record, error) {
	if l.sum() != l.Hash {
		return Record{}, errForged
	}
	aead, ok := keys[l.Key]
	if !ok {
		return Record{}, fmt.Errorf("no key of the name %q was given", l.Key)
	}
	sealed, err := base64.RawStdEncoding.DecodeString(l.Data)
	if err != nil {
		return Record{}, errBroken
	}
	plain, err := aead.Open(nil, nil, sealed, l.bound())
	if err != nil {
		return Record{}, errBroken
	}
	var r Record
	if err := json.Unmarshal(plain, &r); err != nil {
		return Record{}, errBroken
	}
	return r, nil
}

func parseLine(b []byte) (line, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&l) != nil || l.Seq == 0 {
		return line{}, errNoLine
	}
	// The hash covers the values; written in another way they are a change too.
	if same, err := json.Marshal(l); err != nil || !bytes.Equal(same, b) {
		return line{}, errNoLine
	}
	return l, nil
}

// keyring is the keys by name, ready for use.
type keyring map[string]cipher.AEAD

func newKeyring(keys ...Key) (keyring, error) {
	ring := make(keyring, len(keys))
	for _, k := range keys {
		if k.Secret == [32]byte{} {
			return nil, fmt.Errorf("audit: %v: got an empty secret, want 32 random bytes", k)
		}
		if _, twice := ring[k.ID]; twice {
			return nil, fmt.Errorf("audit: %v: the name stands twice", k)
		}
		block, err := aes.NewCipher(derive(k, "encrypt"))
		if err != nil {
			return nil, err
		}
		if ring[k.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// derive makes one secret for each use of a key (RFC 5869).
func derive(k Key, use string) []byte {
	out, err := hkdf.Key(sha256.New, k.Secret[:], nil, "llmaas audit "+use, 32)
	if err != nil {
		panic("audit: hkdf refuses 32 bytes: " + err.Error()) // 32 bytes of SHA-256 are always allowed
	}
	return out
}
