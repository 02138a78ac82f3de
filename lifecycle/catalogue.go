package lifecycle

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed data/2*.json
var dataFS embed.FS

// Catalogue is what one or several dated tables say about the models. It never
// changes once built, so any number of goroutines may use it; [Catalogue.Merge],
// [Catalogue.AsKnown], [Catalogue.Under] and [Catalogue.Overlay] return another one.
// [Live] replaces the one in force while a program runs. The zero Catalogue
// knows no model.
type Catalogue struct {
	policy   Policy
	tables   []*table // by date
	models   []entry  // by id
	index    map[string]int32
	overlays map[overlayKey][]*Overlay
}

// entry is a model with the days between its phases worked out.
type entry struct {
	Model
	end         Date // Model.End
	noticeFrom  Date // first day of the notice
	removedFrom Date // first day on which it is gone, recorded or presumed
	relaunched  Date // a later launch that a later table prints
}

// Default returns the catalogue of the embedded tables (2025-11-22 and
// 2026-05-17), read once.
func Default() *Catalogue {
	c, _ := defaultCatalogue() // embedded; a test reads it and its error
	return c
}

var defaultCatalogue = sync.OnceValues(func() (*Catalogue, error) { return LoadFS(dataFS, "data/*.json") })

// Load reads one table in the form of the files in data/. A mistake gives a
// [FileError]. To add to the embedded tables: Default().Merge(loaded).
func Load(r io.Reader) (*Catalogue, error) {
	t, err := readTable(r, "table")
	if err != nil {
		return nil, err
	}
	return build(DefaultPolicy(), []*table{t}), nil
}

// LoadFS reads every table of fsys that pattern matches (see [fs.Glob]); none
// is an error. Errors name the file.
func LoadFS(fsys fs.FS, pattern string) (*Catalogue, error) {
	files, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, fmt.Errorf("lifecycle: pattern %s: %w", clip(pattern), err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("lifecycle: pattern %s: got no file, want at least one table", clip(pattern))
	}
	var tables []*table
	for _, file := range files {
		f, err := fsys.Open(file)
		if err != nil {
			return nil, fmt.Errorf("lifecycle: %w", err)
		}
		t, err := readTable(f, path.Base(file))
		f.Close()
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return build(DefaultPolicy(), tables), nil
}

// Merge returns a catalogue of the tables of both; the later table corrects the
// earlier one, and of two tables of one day the one in more has the last word.
func (c *Catalogue) Merge(more *Catalogue) *Catalogue {
	return c.rebuild(c.rules(), append(slices.Clone(c.tables), more.tables...))
}

// AsKnown returns what was known on a day: a catalogue of the tables of that
// day and before. It knows no model if there is none.
func (c *Catalogue) AsKnown(day Date) *Catalogue {
	var tables []*table
	for _, t := range c.tables {
		if !day.Before(t.AsOf) {
			tables = append(tables, t)
		}
	}
	return c.rebuild(c.rules(), tables)
}

// Under returns the same tables read by another policy: its NoticeMonths move
// the phases.
func (c *Catalogue) Under(p Policy) (*Catalogue, error) {
	if p.NoticeMonths < 1 || p.StableMonths < 1 || p.ReviewMonths < 1 {
		return nil, fmt.Errorf("lifecycle: policy: got %d, %d and %d months, want at least 1 of notice, of stability and between reviews",
			p.NoticeMonths, p.StableMonths, p.ReviewMonths)
	}
	return c.rebuild(p, c.tables), nil
}

func (c *Catalogue) rebuild(p Policy, tables []*table) *Catalogue {
	b := build(p, tables)
	b.overlays = c.overlays
	return b
}

func (c *Catalogue) rules() Policy {
	if c.policy.NoticeMonths == 0 {
		return DefaultPolicy()
	}
	return c.policy
}

// Policy returns the policy that the phases are worked out by.
func (c *Catalogue) Policy() Policy { return c.rules() }

// Tables returns the tables that the catalogue stands on, the earliest first.
func (c *Catalogue) Tables() []Table {
	out := make([]Table, len(c.tables))
	for i, t := range c.tables {
		out[i] = t.Table
	}
	return out
}

// AsOf is the date of the latest table; what the provider decided later is not
// in the catalogue.
func (c *Catalogue) AsOf() Date {
	if len(c.tables) == 0 {
		return Date{}
	}
	return c.tables[len(c.tables)-1].AsOf
}

// Len is the number of models.
func (c *Catalogue) Len() int { return len(c.models) }

// Models yields every model, sorted by id.
func (c *Catalogue) Models() iter.Seq[Model] {
	return func(yield func(Model) bool) {
		for i := range c.models {
			if !yield(c.models[i].copy()) {
				return
			}
		}
	}
}

// Model returns the model with the given id or alias; case does not count. An
// unknown one gives an [UnknownModelError].
func (c *Catalogue) Model(id string) (Model, error) {
	e := c.find(id)
	if e == nil {
		return Model{}, &UnknownModelError{ID: id}
	}
	return e.copy(), nil
}

func (e *entry) copy() Model {
	m := e.Model
	m.Aliases = slices.Clone(m.Aliases)
	return m
}

// find looks an id or alias up without allocating.
func (c *Catalogue) find(id string) *entry {
	if len(id) > maxID {
		return nil
	}
	if i, ok := c.index[id]; ok {
		return &c.models[i]
	}
	var buf [maxID]byte
	return c.findWord(append(buf[:0], id...))
}

// findWord is find for bytes that may be changed: it folds their case in place.
func (c *Catalogue) findWord(id []byte) *entry {
	for i, b := range id {
		id[i] = lowerByte(b)
	}
	if i, ok := c.index[string(id)]; ok {
		return &c.models[i]
	}
	return nil
}

// build merges the tables, the earliest first.
func build(p Policy, tables []*table) *Catalogue {
	c := &Catalogue{policy: p, tables: slices.Clone(tables)}
	slices.SortStableFunc(c.tables, func(a, b *table) int { return a.AsOf.Compare(b.AsOf) })
	merged := map[string]*entry{} // by lower-case id
	for _, t := range c.tables {
		t.mergeInto(merged)
	}
	c.models = make([]entry, 0, len(merged))
	for _, e := range merged {
		e.settle(p)
		c.models = append(c.models, *e)
	}
	slices.SortFunc(c.models, func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	c.buildIndex()
	return c
}

// mergeInto adds one table to those before it. Of a model that stands in both
// lists of one table the deprecation wins, because it has happened already; the
// end of support stays on record.
func (t *table) mergeInto(merged map[string]*entry) {
	listed := make(map[string]bool, len(t.models)+len(t.retired))
	for _, rows := range [][]Model{t.models, t.retired} {
		for i := range rows {
			key := lower(rows[i].ID)
			listed[key] = true
			e := merged[key]
			if e == nil {
				e = &entry{}
				merged[key] = e
			}
			e.correct(rows[i])
		}
	}
	if !t.Complete {
		return
	}
	for key, e := range merged {
		if !listed[key] && e.Vanished.IsZero() {
			e.Vanished = t.AsOf
		}
	}
}

// correct lets a later row overrule what is known: whatever it prints counts,
// whatever it leaves out stays.
func (e *entry) correct(row Model) {
	old := e.Model
	e.Model = row
	m := &e.Model
	launched := !old.Launched.IsZero() && !old.AsOf.Before(old.Launched)
	if launched && !row.Launched.IsZero() && old.Launched != row.Launched {
		// A model that an earlier table saw in production was in production: a
		// later launch of the same id is a second one. A launch that was only
		// planned gives way.
		m.Launched, e.relaunched = earlier(old.Launched, row.Launched), later(old.Launched, row.Launched)
	}
	if !row.Retired.IsZero() {
		keep(&m.Launched, old.Launched)
		keep(&m.Evaluation, old.Evaluation)
		keep(&m.Deployment, old.Deployment)
		keep(&m.EndOfSupport, old.EndOfSupport)
		keep(&m.LTS, old.LTS)
	}
	m.Reactivable = row.Reactivable || old.Reactivable
	if m.Aliases == nil {
		m.Aliases = old.Aliases
	}
	keep(&m.Publisher, old.Publisher)
	keep(&m.Parameters, old.Parameters)
	keep(&m.Tokenizer, old.Tokenizer)
	keep(&m.Context, old.Context)
	keep(&m.Capabilities, old.Capabilities)
	keep(&m.Licence, old.Licence)
	keep(&m.TokensPerSecond, old.TokensPerSecond)
	keep(&m.EnergyWh, old.EnergyWh)
	keep(&m.Successor, old.Successor)
	keep(&m.Note, old.Note)
}

func keep[T comparable](dst *T, old T) {
	var zero T
	if *dst == zero {
		*dst = old
	}
}

func earlier(a, b Date) Date {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b Date) Date {
	if a.Before(b) {
		return b
	}
	return a
}

// settle works the days between the phases out; doc.go has the rules.
func (e *entry) settle(p Policy) {
	e.end = e.End()
	e.noticeFrom = later(e.end.AddMonths(-p.NoticeMonths), e.Launched)
	switch {
	case !e.Vanished.IsZero():
		e.removedFrom = e.Vanished
	case e.Retired.IsZero():
		e.removedFrom = e.EndOfSupport.AddMonths(p.NoticeMonths)
	}
	e.Size = parseSize(e.Parameters)
	if e.Size == 0 {
		_, tag, _ := strings.Cut(e.ID, ":")
		e.Size = parseSize(tag)
	}
}

// buildIndex maps ids and aliases, as written and in lower case, to models. An
// id goes before an alias; an alias that two models claim goes to the one that
// was listed later. Inside one file the reader has refused such a claim.
func (c *Catalogue) buildIndex() {
	c.index = make(map[string]int32, 2*len(c.models))
	for i := range c.models {
		c.index[lower(c.models[i].ID)] = int32(i)
	}
	for i := range c.models {
		c.index[c.models[i].ID] = int32(i)
	}
	ids := maps.Clone(c.index)
	for i := range c.models {
		for _, alias := range c.models[i].Aliases {
			for _, name := range []string{alias, lower(alias)} {
				_, isID := ids[name]
				owner, taken := c.index[name]
				if !isID && (!taken || c.models[owner].AsOf.Before(c.models[i].AsOf)) {
					c.index[name] = int32(i)
				}
			}
		}
	}
}
