package tokens

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/llmaas/llmaas-go/tokens/internal/runs"
)

//go:embed families.json
var familiesJSON []byte

//go:embed tables/*.bin
var tableFiles embed.FS

// facts is families.json: which family a model belongs to and what its chat
// template adds.
type facts struct {
	Source       string     `json:"source"`
	AsOf         string     `json:"as_of"`
	Models       []model    `json:"models"`
	Templates    []template `json:"templates"`
	MeasuredTool int        `json:"measured_tool"`
	Families     []family   `json:"families"`
}

type family struct {
	Name     string `json:"name"`
	Template string `json:"template"` // of most of its models
}

type model struct {
	Prefix   string `json:"prefix"`
	Family   string `json:"family"`
	Template string `json:"template"`
}

// template counts tokens that a chat template adds; nil was not measured.
type template struct {
	Name        string `json:"name"`
	OneUser     int    `json:"one_user_message"`
	FurtherPair int    `json:"each_further_pair"`
	System      int    `json:"system"`
	FirstTool   *int   `json:"first_tool"`
	NextTool    *int   `json:"next_tool"`
}

var loadFacts = sync.OnceValue(func() *facts {
	var r facts
	if err := json.Unmarshal(familiesJSON, &r); err != nil {
		panic("tokens: families.json: " + err.Error()) // embedded; a test reads it
	}
	return &r
})

var loadIndex = sync.OnceValue(func() *runs.Index {
	x := new(runs.Index)
	if err := x.UnmarshalBinary(file("index")); err != nil {
		panic("tokens: " + err.Error()) // embedded; a test reads it
	}
	return x
})

// tables holds one loader per family; a family costs memory once it is used.
var tables = sync.OnceValue(func() map[string]func() *runs.Table {
	m := map[string]func() *runs.Table{}
	for _, f := range loadFacts().Families {
		name := f.Name
		m[name] = sync.OnceValue(func() *runs.Table {
			t := &runs.Table{Index: loadIndex()}
			if err := t.UnmarshalBinary(file(name)); err != nil {
				panic("tokens: " + name + ": " + err.Error()) // embedded; a test reads it
			}
			return t
		})
	}
	return m
})

func file(name string) []byte {
	b, err := tableFiles.ReadFile("tables/" + name + ".bin")
	if err != nil {
		panic("tokens: " + err.Error())
	}
	return b
}

// Unknown is the family of models whose tokenizer is not known here.
const Unknown = "unknown"

// Families returns the names that ForFamily knows, sorted.
func Families() []string { return slices.Sorted(maps.Keys(tables())) }

// For returns the estimator of a model of the catalogue, such as "gpt-oss:120b".
// A model of no known family gets one that counts four characters a token, with
// bounds to match: its Family is Unknown.
func For(modelID string) *Estimator {
	id := strings.ToLower(strings.TrimSpace(modelID))
	var best model
	for _, m := range loadFacts().Models {
		if strings.HasPrefix(id, m.Prefix) && len(m.Prefix) > len(best.Prefix) {
			best = m
		}
	}
	e := &Estimator{family: Unknown}
	if best.Family != "" {
		e.family = best.Family
		e.table = tables()[best.Family]()
	}
	e.template = findTemplate(best.Template)
	return e
}

// ForFamily returns the estimator of a tokenizer family, one of Families, with
// the chat template that most of its models use.
func ForFamily(name string) (*Estimator, error) {
	for _, f := range loadFacts().Families {
		if f.Name == name {
			return &Estimator{family: name, table: tables()[name](), template: findTemplate(f.Template)}, nil
		}
	}
	return nil, fmt.Errorf("tokens: family: got %q, want one of %s", name, strings.Join(Families(), ", "))
}

func findTemplate(name string) *template {
	for i, t := range loadFacts().Templates {
		if t.Name == name {
			return &loadFacts().Templates[i]
		}
	}
	return nil
}
