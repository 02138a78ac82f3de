package lifecycle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"
)

// maxSource bounds one source file: what is longer is no source but data.
const maxSource = 8 << 20

// maxLine bounds one line: minified files are not read by their authors either.
const maxLine = 1 << 20

// maxUses bounds the uses reported of one file: nobody changes a thousand by hand.
const maxUses = 1000

var sourceExtensions = []string{".go", ".py", ".yaml", ".yml", ".json"}

// skippedDirs hold what others wrote.
var skippedDirs = []string{".git", "vendor", "node_modules", "__pycache__", ".venv"}

// Use is a place in a source tree that names a model which is on its way out.
type Use struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // in bytes, from 1
	Name   string `json:"name"`   // as written there
	Status Status `json:"status"`
	// Successor is a living replacement with its reason; zero if there is none.
	Successor Replacement `json:"successor,omitzero"`
}

// String is `FILE:LINE:COLUMN: what; use what`, as compilers print it.
func (u Use) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", u.File, u.Line, u.Column, u.Status.sentence())
	if u.Successor.Model != "" {
		s += "; use " + u.Successor.Model
	}
	return s
}

// LintSource finds model ids in the Go, Python, YAML and JSON files of a tree
// and returns the uses of models that are in notice, or past it, on the day of
// t, in the order of the files. An id counts wherever it stands as a whole word:
// in a string, a comment, a key. Ids that are put together or escaped
// ("qwq:"+size, "qwq\u003a32b") are not found, nor aliases that
// hold spaces. vendor, node_modules and the like are left out.
//
// Files that cannot be read, have over 8 MiB, a line of over 1 MiB or over 1,000
// uses do not stop the search: the error joins one for each, and the uses found
// stay valid.
func LintSource(fsys fs.FS, c *Catalogue, t time.Time) ([]Use, error) {
	s := scanner{c: c, t: t, successors: map[*entry]Replacement{}}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			s.errs = append(s.errs, fmt.Errorf("lifecycle: %w", err))
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir() && name != "." && slices.Contains(skippedDirs, entry.Name()):
			return fs.SkipDir
		case entry.Type().IsRegular() && slices.Contains(sourceExtensions, path.Ext(name)):
			if err := s.file(fsys, name); err != nil {
				s.errs = append(s.errs, fmt.Errorf("lifecycle: %s: %w", name, err))
			}
		}
		return nil
	})
	return s.uses, errors.Join(append(s.errs, err)...)
}

type scanner struct {
	c    *Catalogue
	t    time.Time
	uses []Use
	errs []error
	// successors of the models found so far, at most one for each model.
	successors map[*entry]Replacement
}

func (s *scanner) file(fsys fs.FS, name string) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > maxSource {
		return errors.Join(err, fmt.Errorf("got a file that cannot be measured or has over %d bytes, want source", maxSource))
	}
	lines := bufio.NewScanner(io.LimitReader(f, maxSource))
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	before := len(s.uses)
	for n := 1; lines.Scan(); n++ {
		s.line(name, n, lines.Bytes())
		if len(s.uses)-before > maxUses {
			s.uses = s.uses[:before+maxUses]
			return fmt.Errorf("got over %d uses, want fewer; the rest is left out", maxUses)
		}
	}
	return lines.Err()
}

// line cuts one line into words of the characters that ids are made of, and
// looks each up: linear in the line, whatever stands in it.
func (s *scanner) line(file string, n int, line []byte) {
	for i := 0; i < len(line); {
		if !idByte(line[i]) {
			i++
			continue
		}
		start := i
		for i < len(line) && idByte(line[i]) {
			i++
		}
		s.word(file, n, start, line[start:i])
	}
}

// word looks a word up, without the punctuation at its ends ("use qwq:32b."),
// and, as some clients write a provider before the id, also what follows its
// slashes ("openai/qwq:32b").
func (s *scanner) word(file string, n, start int, word []byte) {
	for len(word) > 0 && punctuation(word[0]) {
		word, start = word[1:], start+1
	}
	for len(word) > 0 && punctuation(word[len(word)-1]) {
		word = word[:len(word)-1]
	}
	if cut := len(word) - maxID; cut > 0 { // no id is longer, so no suffix of interest either
		word, start = word[cut:], start+cut
	}
	for at := 0; at < len(word); at++ {
		if at > 0 && word[at-1] != '/' {
			continue
		}
		if s.report(file, n, start+at+1, word[at:]) {
			return
		}
	}
}

// report says whether name is a model, and keeps it if it is on its way out.
func (s *scanner) report(file string, line, column int, name []byte) bool {
	var buf [maxID]byte
	e := s.c.findWord(append(buf[:0], name...))
	if e == nil {
		return false
	}
	if status := e.status(DateOf(s.t)); status.Phase >= Notice {
		next, ok := s.successors[e]
		if !ok {
			next, _ = s.c.Successor(e.ID, s.t) // none is no fault of the source
			s.successors[e] = next
		}
		s.uses = append(s.uses, Use{file, line, column, string(name), status, next})
	}
	return true
}

func punctuation(c byte) bool { return c == '.' || c == ':' || c == '-' || c == '/' || c == '_' }

// idByte says whether ids in the tables are made of c.
func idByte(c byte) bool {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || punctuation(c)
}
