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
	"strings"
)

// Key encrypts records: 32 random bytes, and a name that tells it from the keys
// before and after it. A key serves for at most 2^32 records (NIST SP 800-38D
// §8.3, random nonces); change it well before.
type Key struct {
	ID     string
	Secret [32]byte `json:"-"`
}

// String keeps the secret out of logs.
func (k Key) String() string { return "audit key " + strconv.Quote(k.ID) }

// Format keeps the secret out of logs, under every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

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

// bound appends what the encryption binds a record to.
func (l *line) bound(to []byte) []byte {
	to = append(strconv.AppendUint(to, l.Seq, 10), '\n')
	to = append(append(to, l.Prev...), '\n')
	return strconv.AppendQuote(to, l.Key)
}

func (l *line) sum() string {
	return hash(append(append(l.bound(nil), '\n'), l.Data...))
}

// sealer writes records as lines. It reuses its memory: one record at a time.
type sealer struct {
	keyID string
	key   []byte // keyID as a JSON string
	aead  cipher.AEAD

	plain         bytes.Buffer
	bound, sealed []byte
	text          []byte
}

func newSealer(keyID string, aead cipher.AEAD) (*sealer, error) {
	key, err := json.Marshal(keyID)
	return &sealer{keyID: keyID, key: key, aead: aead}, err
}

// seal encrypts a record into the line after prev. It returns the line as it
// stands on disk, which is what json.Marshal makes of a [line], and its hash. The
// line is valid until the next call.
func (s *sealer) seal(r *Record, seq uint64, prev string) (text []byte, sum string, err error) {
	if cap(s.text) > 1<<20 { // one long record must not hold its memory for good
		s.plain, s.bound, s.sealed, s.text = bytes.Buffer{}, nil, nil, nil
	}
	s.plain.Reset()
	if err := json.NewEncoder(&s.plain).Encode(r); err != nil {
		return nil, "", fmt.Errorf("audit: record: %w", err)
	}
	l := line{Seq: seq, Prev: prev, Key: s.keyID}
	s.bound = l.bound(s.bound[:0])
	s.sealed = s.aead.Seal(s.sealed[:0], nil, s.plain.Bytes(), s.bound)

	b := strconv.AppendUint(append(s.text[:0], `{"seq":`...), seq, 10)
	b = append(append(b, `,"prev":"`...), prev...) // hexadecimal
	b = append(append(b, `","key":`...), s.key...)
	b = append(b, `,"data":"`...)
	begin := len(b)
	b = base64.RawStdEncoding.AppendEncode(b, s.sealed)
	s.bound = append(append(s.bound, '\n'), b[begin:]...)
	sum = hash(s.bound)
	b = append(append(b, `","hash":"`...), sum...)
	s.text = append(b, `"}`+"\n"...)
	return s.text, sum, nil
}

var (
	errForged = errors.New("the line does not hash to its own hash")
	errBroken = errors.New("the record does not decrypt: it was changed, or moved, or is of another key")
	errNoLine = errors.New("this is no line of a log")
)

// open decrypts the record of a line. It checks the line by itself, not its place.
func (l *line) open(keys keyring) (plain, error) {
	if l.sum() != l.Hash {
		return nil, errForged
	}
	aead, ok := keys[l.Key]
	if !ok {
		return nil, fmt.Errorf("no key of the name %q was given", l.Key)
	}
	data, err := base64.RawStdEncoding.DecodeString(l.Data)
	if err != nil {
		return nil, errBroken
	}
	plain, err := aead.Open(data[:0], nil, data, l.bound(nil))
	if err != nil {
		return nil, errBroken
	}
	return plain, nil
}

// plain is a record as it was encrypted: JSON that the log has written.
type plain []byte

func (p plain) record() (Record, error) {
	var r Record
	if json.Unmarshal(p, &r) != nil {
		return Record{}, errBroken
	}
	return r, nil
}

// note decodes the record if it is one of the log itself, which is rare. Within
// texts the quotes would be escaped.
func (p plain) note() *Note {
	if !bytes.Contains(p, []byte(`"note":{`)) {
		return nil
	}
	r, _ := p.record() // without a note if it is none
	return r.Note
}

// parseLine reads a line as it was written: the hash covers the values, so that
// another way to write them, or others beside them, are a change too.
func parseLine(b []byte) (line, error) {
	var l line
	var number, key string
	rest, ok := strings.CutPrefix(string(b), `{"seq":`)
	for _, field := range []struct {
		to   *string
		stop string
	}{{&number, `,"prev":"`}, {&l.Prev, `","key":`}, {&key, `,"data":"`}, {&l.Data, `","hash":"`}, {&l.Hash, `"}`}} {
		found := false
		*field.to, rest, found = strings.Cut(rest, field.stop)
		ok = ok && found
	}
	var err error
	l.Seq, err = strconv.ParseUint(number, 10, 64)
	if !ok || rest != "" || err != nil || l.Seq == 0 || number[0] == '0' || json.Unmarshal([]byte(key), &l.Key) != nil {
		return line{}, errNoLine
	}
	if same, err := json.Marshal(l.Key); err != nil || string(same) != key {
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
