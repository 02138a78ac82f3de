package llmaas

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
)

// journalFormat is the first word of every journal.
const journalFormat = "llmaas-journal-1"

// maxJournalLine is the longest line that is read, in bytes: a reply in base64.
const maxJournalLine = maxReply / 3 * 4

// journal is a file of one line for each answer, each on the disk before the next
// call. Its first line says what it is; the others are JSON, or with a key their
// AES-256-GCM in base64, bound to the journal and the place of the line.
type journal struct {
	head    journalHead
	aead    cipher.AEAD // nil without a key
	records []record    // those read when it was opened

	mu    sync.Mutex // guards what follows
	file  *os.File
	lines int
	torn  error // a write that failed: what follows it could not be read
}

type journalHead struct {
	Format string `json:"format"`
	ID     string `json:"id"`
	Check  string `json:"check,omitempty"` // an encrypted empty text, to know the key by
}

// record is one answer.
type record struct {
	Index     int                            `json:"index"`
	Digest    string                         `json:"digest"` // of the request
	At        time.Time                      `json:"at"`
	Withheld  bool                           `json:"withheld,omitempty"`
	Reply     *openai.ChatCompletionResponse `json:"reply,omitempty"`
	Reasoning string                         `json:"reasoning,omitempty"`
	Model     string                         `json:"model"`
	RequestID string                         `json:"request_id"`
	Backend   Backend                        `json:"backend"`
	Used      cost.Usage                     `json:"used"`
}

func recordOf(i int, digest string, item BatchItem, now time.Time) record {
	r := record{Index: i, Digest: digest, At: now, Withheld: item.Err != nil}
	if resp := item.Response; resp != nil {
		r.Reply, r.Reasoning, r.Model, r.RequestID = &resp.ChatCompletionResponse, resp.Reasoning, resp.Result.Model, resp.RequestID
		r.Backend, r.Used = resp.Result.Backend, resp.Billed
	}
	return r
}

// itemOf is the item that the record was made of, billed as on its day.
func (c *Client) itemOf(r record) BatchItem {
	if r.Reply == nil {
		return BatchItem{Err: (&Error{Kind: ErrWithheld}).fill(&facts{op: "batch"}), Resumed: true}
	}
	resp := &Response{ChatCompletionResponse: *r.Reply}
	resp.Reasoning, resp.Result.Model, resp.RequestID, resp.Result.Backend = r.Reasoning, r.Model, r.RequestID, r.Backend
	c.billAt(r.At, r.Model, r.Used, &resp.Result)
	return BatchItem{Response: resp, Resumed: true}
}

// digestOf tells requests apart.
func digestOf(req openai.ChatCompletionRequest, extra map[string]any) (string, error) {
	body, err := encodeChat(req, extra)
	if err != nil {
		return "", (&Error{Kind: ErrInvalidRequest, cause: err}).fill(&facts{op: "batch"})
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// openJournal opens or begins a journal. A last line that was cut off, as a crash
// leaves it, is dropped; any other fault is an error, for it could cost answers.
func openJournal(path string, key []byte) (*journal, error) {
	j := &journal{}
	if key != nil {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("llmaas: journal: %w", err)
		}
		if j.aead, err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("llmaas: journal: %w", err)
		}
	}
	var err error
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("llmaas: journal: %w", err)
	}
	err = j.load() // first of all: another kind of file stays as it is
	if err == nil {
		err = j.file.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("llmaas: journal: %w", err), j.file.Close())
	}
	return j, nil
}

// load reads the lines and stands at the end of the last whole one.
func (j *journal) load() error {
	r := bufio.NewReader(j.file)
	whole := int64(0)
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) && (j.lines > 0 || begins(line)) {
			break // what is left is no whole line
		}
		if errors.Is(err, io.EOF) {
			err = errKind
		}
		if err == nil {
			err = j.add(line)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", j.lines+1, err)
		}
		j.lines++
		whole += int64(len(line)) + 1
	}
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	if _, err := j.file.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	if j.lines > 0 {
		return nil
	}
	return j.begin()
}

var errKind = errors.New("got another kind of file, want one that begins with " + journalFormat)

// begins reports whether part is nothing, or what a crash may leave of a first line.
func begins(part []byte) bool {
	const head = `{"format":"` + journalFormat + `"`
	n := min(len(part), len(head))
	return string(part[:n]) == head[:n]
}

// readLine returns a line without its end, or with io.EOF what is left without one.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxJournalLine {
			return nil, fmt.Errorf("longer than %d bytes", maxJournalLine)
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return line, err
		default:
			return line[:len(line)-1], nil
		}
	}
}

func (j *journal) begin() error {
	j.head = journalHead{Format: journalFormat, ID: rand.Text()}
	if j.aead != nil {
		j.head.Check = string(j.seal(nil))
	}
	line, err := json.Marshal(j.head)
	if err != nil {
		return err
	}
	return j.put(line)
}

// add takes a line that was read.
func (j *journal) add(line []byte) error {
	if j.lines == 0 {
		if json.Unmarshal(line, &j.head) != nil || j.head.Format != journalFormat {
			return errKind
		}
		switch encrypted := j.head.Check != ""; {
		case encrypted && j.aead == nil:
			return errors.New("it is encrypted: want BatchOptions.Key")
		case !encrypted && j.aead != nil:
			return errors.New("it is not encrypted: want no BatchOptions.Key, or a journal of its own")
		case encrypted:
			if _, err := j.open([]byte(j.head.Check)); err != nil {
				return errors.New("BatchOptions.Key is another than it was written with")
			}
		}
		return nil
	}
	if j.aead != nil {
		var err error
		if line, err = j.open(line); err != nil {
			return errors.New("it was changed or moved")
		}
	}
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return decodeError(err, len(line))
	}
	j.records = append(j.records, r)
	return nil
}

// bound is what a line is authenticated with: another journal's line, or one of
// another place, does not open.
func (j *journal) bound() []byte { return []byte(j.head.ID + ":" + strconv.Itoa(j.lines)) }

func (j *journal) seal(plain []byte) []byte {
	nonce := make([]byte, j.aead.NonceSize(), j.aead.NonceSize()+len(plain)+j.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	sealed := j.aead.Seal(nonce, nonce, plain, j.bound())
	return base64.StdEncoding.AppendEncode(nil, sealed)
}

func (j *journal) open(line []byte) ([]byte, error) {
	sealed, err := base64.StdEncoding.AppendDecode(nil, line)
	if err != nil || len(sealed) < j.aead.NonceSize() {
		return nil, errors.New("no encrypted line")
	}
	n := j.aead.NonceSize()
	return j.aead.Open(nil, sealed[:n], sealed[n:], j.bound())
}

// append writes an answer, and returns when it is on the disk.
func (j *journal) append(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("llmaas: journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.aead != nil {
		line = j.seal(line)
	}
	if err := j.put(line); err != nil {
		return fmt.Errorf("llmaas: journal: %w", err)
	}
	return nil
}

func (j *journal) put(line []byte) error {
	if bytes.IndexByte(line, '\n') >= 0 {
		return errors.New("a line within a line")
	}
	if j.torn != nil {
		return j.torn
	}
	if _, j.torn = j.file.Write(append(line, '\n')); j.torn != nil {
		return j.torn
	}
	j.lines++
	j.torn = j.file.Sync()
	return j.torn
}

// key is the Idempotency-Key of an item: the same after a restart.
func (j *journal) key(i int) string {
	sum := sha256.Sum256([]byte(j.head.ID + "/" + strconv.Itoa(i)))
	return hex.EncodeToString(sum[:16])
}

func (j *journal) close() error { return j.file.Close() }
