package lifecycle

import (
	"io"
	"strings"
)

// A Table names one dated table that a catalogue stands on.
type Table struct {
	File   string `json:"file"`
	AsOf   Date   `json:"as_of"`
	Source string `json:"source"`
	// Complete tables list everything the provider serves or has deprecated: a
	// model of an earlier table that a later complete one omits is gone.
	Complete bool `json:"complete"`
}

// table is one data file as printed: two lists, as the provider has them, so
// that a model that stands in both can be seen to stand in both.
type table struct {
	Table
	reactivable bool // a retired model can be had again on request
	models      []Model
	retired     []Model
}

var tableKeys = []string{"as_of", "source", "models", "complete", "reactivable", "retired"} // the first three required

func readTable(r io.Reader, file string) (*table, error) {
	d, err := readDocument(r, file)
	if err != nil {
		return nil, err
	}
	t := &table{Table: Table{File: d.file}}
	err = d.object(tableKeys, 3, func(key string) error {
		switch key {
		case "as_of":
			return d.date(&t.AsOf)
		case "source":
			return d.text(&t.Source)
		case "complete":
			return d.boolean(&t.Complete)
		case "reactivable":
			return d.boolean(&t.reactivable)
		case "models":
			return d.models(&t.models, false)
		default:
			return d.models(&t.retired, true)
		}
	})
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return nil, err
	}
	for i := range t.models {
		t.models[i].AsOf = t.AsOf
	}
	for i := range t.retired {
		t.retired[i].AsOf, t.retired[i].Reactivable = t.AsOf, t.reactivable
	}
	return t, nil
}

var (
	// The first is required. A model that was never launched prints the dates of
	// its tests instead.
	modelKeys = []string{"id", "aliases", "publisher", "evaluation", "deployment", "launched", "end_of_support", "lts", "successor",
		"parameters", "tokenizer", "context", "capabilities", "licence", "tokens_per_second", "kwh_per_mtoken", "note"}
	// The first two are required.
	retiredKeys = []string{"id", "retired", "aliases", "publisher", "successor", "parameters", "tokenizer", "context", "capabilities",
		"licence", "tokens_per_second", "kwh_per_mtoken", "note"}
)

// models reads one of the two lists. Inside a list the ids, and the aliases
// with them, are unique and the rows sorted: a diff of two files then shows
// what changed and nothing else.
func (d *document) models(dst *[]Model, retired bool) error {
	names := map[string]string{}
	last := ""
	return d.list(func(i int) error {
		m, err := d.model(retired)
		if err != nil {
			return err
		}
		if m.ID <= last && names[lower(m.ID)] == "" {
			return d.errorf("got %s after %s, want the ids sorted", clip(m.ID), clip(last))
		}
		last = m.ID
		for _, name := range append([]string{m.ID}, m.Aliases...) {
			if owner, taken := names[lower(name)]; taken {
				return d.errorf("got the name %s, want one that %s does not have already", clip(name), clip(owner))
			}
			names[lower(name)] = m.ID
		}
		*dst = append(*dst, m)
		return nil
	})
}

func (d *document) model(retired bool) (Model, error) {
	var m Model
	keys, required := modelKeys, 1
	if retired {
		keys, required = retiredKeys, 2
	}
	err := d.object(keys, required, func(key string) error {
		switch key {
		case "id":
			err := d.id(&m.ID)
			if err == nil {
				d.path[len(d.path)-3] += " " + clip(m.ID)
			}
			return err
		case "aliases":
			m.Aliases = []string{} // an empty list takes the earlier aliases away
			return d.list(func(int) error {
				m.Aliases = append(m.Aliases, "")
				return d.alias(&m.Aliases[len(m.Aliases)-1])
			})
		case "successor":
			return d.id(&m.Successor)
		case "evaluation":
			return d.date(&m.Evaluation)
		case "deployment":
			return d.date(&m.Deployment)
		case "launched":
			return d.date(&m.Launched)
		case "end_of_support":
			return d.date(&m.EndOfSupport)
		case "retired":
			return d.date(&m.Retired)
		case "lts":
			return d.boolean(&m.LTS)
		case "publisher":
			return d.text(&m.Publisher)
		case "note":
			return d.text(&m.Note)
		default:
			return d.figures(&m, key)
		}
	})
	if err == nil && !retired {
		err = d.order(&m)
	}
	return m, err
}

func (d *document) figures(m *Model, key string) error {
	switch key {
	case "parameters":
		return d.text(&m.Parameters)
	case "tokenizer":
		return d.text(&m.Tokenizer)
	case "context":
		return d.integer(&m.Context, 1<<30)
	case "licence":
		return d.text(&m.Licence)
	case "kwh_per_mtoken": // thousandths of a kWh are Wh
		return d.decimal(&m.EnergyWh)
	case "tokens_per_second":
		var thousandths int64
		err := d.decimal(&thousandths)
		m.TokensPerSecond = float64(thousandths) / 1000
		return err
	default:
		return d.capabilities(&m.Capabilities)
	}
}

func (d *document) capabilities(dst *Capabilities) error {
	return d.list(func(int) error {
		t, err := d.want('"', "the name of a capability")
		if err != nil {
			return err
		}
		c, ok := parseCapability(t.text)
		if !ok || dst.Has(c) {
			return d.errorf("got %s, want each of %s at most once", t, strings.Join(capabilityNames[:], ", "))
		}
		*dst |= c
		return nil
	})
}

// order checks that the dates of a model follow one another.
func (d *document) order(m *Model) error {
	if m.Launched.IsZero() && m.Evaluation.IsZero() && m.Deployment.IsZero() {
		return d.errorf(`got no "launched", want it, or "evaluation" or "deployment"`)
	}
	if !m.Launched.IsZero() && m.EndOfSupport.IsZero() {
		return d.errorf(`got "launched" without "end_of_support", want both`)
	}
	names := []string{"evaluation", "deployment", "launched", "end_of_support"}
	var last Date
	var lastName string
	for i, date := range []Date{m.Evaluation, m.Deployment, m.Launched, m.EndOfSupport} {
		switch {
		case date.IsZero():
			continue
		case !last.IsZero() && !last.Before(date):
			return d.errorf("got %s %s, want it after %s %s", names[i], date, lastName, last)
		}
		last, lastName = date, names[i]
	}
	if m.ID == m.Successor {
		return d.errorf("got itself as successor, want another model")
	}
	return nil
}

// maxID bounds an id or alias, so that a lookup folds its case without memory.
const maxID = 128

// id reads a model id: one word of printable ASCII.
func (d *document) id(dst *string) error {
	t, err := d.want('"', "a model id")
	if err != nil {
		return err
	}
	s := t.text
	if s == "" || len(s) > maxID || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
		return d.errorf("got %s, want a model id: 1 to %d printable ASCII characters without spaces, quotes and backslashes", clip(s), maxID)
	}
	*dst = s
	return nil
}

func (d *document) alias(dst *string) error {
	if err := d.text(dst); err != nil {
		return err
	}
	if len(*dst) > maxID {
		return d.errorf("got %s, want an alias of at most %d bytes", clip(*dst), maxID)
	}
	return nil
}

// lower folds ASCII case only: ids are ASCII, and Unicode folding would make
// the Kelvin sign a k.
func lower(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		b[i] = lowerByte(c)
	}
	return string(b)
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
