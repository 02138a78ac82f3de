package lifecycle

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// What the reader accepts, encoding/json accepts too and reads the same; what
// it refuses it refuses with a FileError of readable length.
func FuzzLoad(f *testing.F) {
	f.Add(own)
	f.Add(tableOf(goodRow))
	f.Add(`{"as_of": "2026-01-01", "source": "\u00e9\"\\ \ud83d\ude00", "complete": true, "models": [], "retired": [{"id": "a", "retired": "2025-01-01", "context": 12}]}`)
	f.Add(`{"as_of": "2026-01-01" "source": [1e5, -0.5, null, tru`)
	f.Add("{\"source\": \"a\tb\\")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readTable(strings.NewReader(text), "table")
		if err != nil {
			if _, ok := err.(*FileError); !ok || len(err.Error()) > 1000 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		var plain struct {
			AsOf    Date `json:"as_of"`
			Source  string
			Models  []struct{ ID string }
			Retired []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(text), &plain); err != nil {
			t.Fatalf("read what is no JSON: %v", err)
		}
		ids := func(rows []Model) []struct{ ID string } {
			var out []struct{ ID string }
			for _, m := range rows {
				out = append(out, struct{ ID string }{m.ID})
			}
			return out
		}
		if plain.AsOf != got.AsOf || plain.Source != got.Source ||
			len(plain.Models)+len(plain.Retired) != len(got.models)+len(got.retired) ||
			(len(plain.Models) > 0 && !reflect.DeepEqual(plain.Models, ids(got.models))) {
			t.Fatalf("got %+v, want %+v", got, plain)
		}
		use(t, build(DefaultPolicy(), []*table{got}))
	})
}

// use asks everything of a catalogue that may come from anybody.
func use(t *testing.T, c *Catalogue) {
	for m := range c.Models() {
		day := DateOf(at("2026-05-17"))
		if s, err := c.StatusOn(m.ID, day); err != nil || s.Phase == 0 {
			t.Fatalf("%s: %+v %v", m.ID, s, err)
		}
		_, _ = c.Successor(m.ID, at("2026-05-17"))
	}
	Lint(c, DefaultPolicy())
	_ = Diff(Default(), c).Markdown()
	var b strings.Builder
	if err := c.WriteTimeline(&b, at("2026-05-17")); err != nil {
		t.Fatal(err)
	}
}

// Any id may come from a caller: no panic, and only names of the tables are known.
func FuzzStatusAt(f *testing.F) {
	f.Add("gpt-oss:120b", int64(0))
	f.Add("LLAMA 3.3 70B", int64(-1<<62))
	f.Add("\xff", int64(1<<62))
	f.Fuzz(func(t *testing.T, id string, seconds int64) {
		s, err := Default().StatusOn(id, Date{int32(max(0, min(seconds, maxDays)))})
		if err != nil {
			if len(err.Error()) > 400 {
				t.Fatal("a long error")
			}
			return
		}
		m, err := Default().Model(id)
		if err != nil || m.ID != s.Model || s.Phase == 0 {
			t.Fatalf("%+v %v", s, err)
		}
	})
}

func FuzzDate(f *testing.F) {
	f.Add("2024-02-29", 12)
	f.Fuzz(func(t *testing.T, s string, months int) {
		d, err := ParseDate(s)
		if err != nil {
			return
		}
		if d.String() != s {
			t.Fatalf("%q became %s", s, d)
		}
		moved := d.AddMonths(months)
		if (months > 0 && moved.Before(d)) || (months < 0 && d.Before(moved)) {
			t.Fatalf("%s %+d months is %s", d, months, moved)
		}
	})
}
