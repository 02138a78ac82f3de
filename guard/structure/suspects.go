package structure

import (
	_ "embed"
	"fmt"
	"slices"
)

//go:embed suspects.json
var suspectsJSON []byte

// suspect is a member of a JSON object that a prompt has little reason to hold.
type suspect struct {
	Rule   string   `json:"rule"`
	Keys   []string `json:"keys"`
	Values []string `json:"values"` // none: any value that switches something on

	rule rule
}

// suspects finds the suspects of a name, both in the spelling of fold.
type suspects map[string][]suspect

func loadSuspects() (suspects, error) {
	var file struct {
		Source   string    `json:"source"`
		AsOf     string    `json:"as_of"`
		Suspects []suspect `json:"suspects"`
	}
	if err := decodeData(suspectsJSON, &file, &file.Source, &file.AsOf); err != nil {
		return nil, fmt.Errorf("structure: suspects.json: %w", err)
	}
	byName := suspects{}
	for _, s := range file.Suspects {
		i := slices.IndexFunc(rules[:], func(r Rule) bool { return r.ID == s.Rule })
		if i < 0 {
			return nil, fmt.Errorf("structure: suspects.json: got rule %q, want one of the package's", s.Rule)
		}
		s.rule = rule(i)
		for _, k := range s.Keys {
			name := string(plainName(nil, k))
			byName[name] = append(byName[name], s)
		}
		for i, v := range s.Values {
			s.Values[i] = string(plainName(nil, v))
		}
	}
	return byName, nil
}

// match is the gravest rule that a member breaks.
func (s suspects) match(name, value []byte) (worst rule, ok bool) {
	candidates := s[string(name)]
	for i := range candidates {
		c := &candidates[i]
		if c.hasValue(value) && (!ok || rules[c.rule].Severity > rules[worst].Severity) {
			worst, ok = c.rule, true
		}
	}
	return worst, ok
}

func (s *suspect) hasValue(value []byte) bool {
	if len(s.Values) == 0 {
		switch string(value) {
		case "", "false", "null", "0", "no", "none", "off":
			return false
		}
		return true
	}
	for _, v := range s.Values {
		if string(value) == v {
			return true
		}
	}
	return false
}

// nameRoom is more than the longest name or value in suspects.json.
const nameRoom = 48

// plainName appends the inside of a JSON string to dst as names are compared:
// escapes read, ASCII letters small, what only separates words left out. It
// stops at nameRoom bytes.
func plainName(dst []byte, s string) []byte {
	for i := 0; i < len(s) && len(dst) < nameRoom; i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			c = s[i]
			if r, ok := hex4(s, i+1); c == 'u' && ok {
				i += 4
				c = '?'
				if r < 0x80 {
					c = byte(r)
				}
			}
		}
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == ' ' || c == '_' || c == '-' || c == '.':
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
