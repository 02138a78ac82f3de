package structure

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/llmaas/llmaas-go/guard/fold"
)

//go:embed templates.json
var templatesJSON []byte

// role is who speaks in a chat.
type role uint8

const (
	nobody role = iota
	systemRole
	userRole
	assistantRole
)

// templates are the signs by which chat templates part the speakers, in the
// spelling of the folded view.
type templates struct {
	tokens map[string]bool // true: parts the pieces of code that a model is to fill in
	roles  map[string]role
}

// The longest token and the longest name of a role, in bytes after folding.
const (
	maxToken = 40
	maxRole  = 40
)

func loadTemplates() (*templates, error) {
	var file struct {
		Source string   `json:"source"`
		AsOf   string   `json:"as_of"`
		Tokens []string `json:"tokens"`
		Infill []string `json:"infill"`
		Roles  struct {
			System    []string `json:"system"`
			User      []string `json:"user"`
			Assistant []string `json:"assistant"`
		} `json:"roles"`
	}
	if err := decodeData(templatesJSON, &file, &file.Source, &file.AsOf); err != nil {
		return nil, fmt.Errorf("structure: templates.json: %w", err)
	}
	t := &templates{tokens: map[string]bool{}, roles: map[string]role{}}
	var text fold.Text
	folded := func(s string) string {
		text.Reset(s)
		return string(text.Main().Text)
	}
	for _, s := range file.Tokens {
		t.tokens[folded(s)] = false
	}
	for _, s := range file.Infill {
		t.tokens[folded(s)] = true
	}
	for r, names := range map[role][]string{systemRole: file.Roles.System, userRole: file.Roles.User, assistantRole: file.Roles.Assistant} {
		for _, s := range names {
			t.roles[folded(s)] = r
		}
	}
	return t, t.checkLengths()
}

func (t *templates) checkLengths() error {
	for s := range t.tokens {
		if len(s) > maxToken || s[0] != '<' && s[0] != '[' {
			return fmt.Errorf("structure: templates.json: token: got %q, want < or [ and at most %d bytes", s, maxToken)
		}
	}
	for s := range t.roles {
		if len(s) > maxRole {
			return fmt.Errorf("structure: templates.json: role: got %q, want at most %d bytes", s, maxRole)
		}
	}
	return nil
}

// decodeData reads a table that is built in, and wants it dated.
func decodeData(data []byte, into any, source, asOf *string) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("offset %d: got more data, want the end", d.InputOffset())
	}
	if _, err := time.Parse(time.DateOnly, *asOf); err != nil || *source == "" {
		return fmt.Errorf("got as_of %q and source %q, want a date and a source", *asOf, *source)
	}
	return nil
}
