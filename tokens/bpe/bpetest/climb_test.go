package bpetest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/llmaas/llmaas-go/tokens"
)

// A climber looks for texts that cost more than High says: it changes a text a
// little, counts exactly, and keeps what brings the count closer to High.
type climber struct {
	r     *rand.Rand
	kinds []kind // that it takes runes and units from
	ratio func(text string) float64
}

// A plan makes a text of parts.
type plan struct {
	name  string
	parts int // at most
	size  int // bytes of a part, at most
	text  func(parts []string) string
	most  float64 // count to High, of what the search finds
}

const climbBytes = 600 // of a text that repeats its parts

func plans() []plan {
	again := func(parts []string) string {
		unit := strings.Join(parts, "")
		return strings.Repeat(unit, 1+climbBytes/max(len(unit), 1))
	}
	mixed := func(parts []string) string {
		var b strings.Builder
		for r := rand.New(rand.NewPCG(7, 8)); b.Len() < climbBytes; {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	once := func(parts []string) string { return strings.Join(parts, "") }
	return []plan{
		{"one unit, repeated", 1, 24, again, 2},
		{"twelve units, in any order", 12, 12, mixed, 2},
		{"no repetition", 100, 6, once, 2},
	}
}

// change alters one part.
func (c *climber) change(parts []string, p *plan) []string {
	parts = slices.Clone(parts)
	i := c.r.IntN(len(parts))
	part, unit := []rune(parts[i]), []rune(c.kinds[c.r.IntN(len(c.kinds))].unit(c.r))
	at := c.r.IntN(len(part) + 1)
	switch what := c.r.IntN(6); {
	case what == 0:
		part = slices.Insert(part, at, unit...)
	case what == 1 && len(parts) < p.parts:
		return append(parts, string(unit))
	case what == 2:
		part = []rune(parts[c.r.IntN(len(parts))])
	case at == len(part): // the rest changes a rune
	case what == 3 && len(unit) > 0:
		part[at] = unit[c.r.IntN(len(unit))]
	case what == 4:
		part = slices.Delete(part, at, at+1)
	case at+1 < len(part):
		part[at], part[at+1] = part[at+1], part[at]
	}
	if s := string(part); s != "" && len(s) <= p.size {
		parts[i] = s
	}
	return parts
}

// climb returns the worst text that it found.
func (c *climber) climb(p *plan, steps int) (worst string, ratio float64) {
	all := kinds() // one for each script stands behind the others
	c.kinds = nil
	for range 1 + c.r.IntN(4) {
		c.kinds = append(c.kinds, all[c.r.IntN(len(all))], all[c.r.IntN(len(all)/5)])
	}
	parts := []string{"a"}
	for range steps {
		try := c.change(parts, p)
		if c.r.IntN(3) == 0 {
			try = c.change(try, p)
		}
		text := p.text(try)
		if r := c.ratio(text); r >= ratio {
			parts, worst, ratio = try, text, r
		}
	}
	return worst, ratio
}

// TestSearchForTextsAboveHigh holds down how far above High a text can be made to
// cost by trying. It is a bound on what this search finds, not on every text.
func TestSearchForTextsAboveHigh(t *testing.T) {
	const starts, steps = 20, 1000
	for family, name := range map[string]string{"o200k": "o200k_base", "granite4": "cl100k_base"} {
		enc := encoding(t, name)
		e, err := tokens.ForFamily(family)
		if err != nil {
			t.Fatal(err)
		}
		ratio := func(text string) float64 {
			n, err := enc.Count(text)
			if err != nil {
				t.Fatal(err)
			}
			high := e.Estimate(text).High
			if high >= len(text) {
				return 0 // nothing costs more: look elsewhere
			}
			return float64(n) / float64(high)
		}
		for _, p := range plans() {
			c := climber{r: rand.New(rand.NewPCG(9, 10)), ratio: ratio}
			worst, most := "", 0.0
			for range starts {
				if text, r := c.climb(&p, steps); r > most {
					worst, most = text, r
				}
			}
			if most == 0 || most > p.most {
				t.Errorf("%s, %s: a text costs %.2f of its High, want at most %.2f", family, p.name, most, p.most)
			}
			t.Logf("%s, %s: at most %.2f of High: %d bytes %.100q", family, p.name, most, len(worst), worst)
		}
	}
}
