package guard

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// The thresholds of a [Policy] that names none, in points of a report's score.
// One finding of severity High blocks alone, one of Medium is flagged, and three
// Low ones together are flagged.
const (
	DefaultFlag  = 50
	DefaultBlock = 100
)

// Policy is how one tenant wants its prompts judged. The zero value is the
// default: everything is on, and [DefaultFlag] and [DefaultBlock] decide.
type Policy struct {
	// Off switches the whole analysis off. Every report then says so in
	// [Report].Off, so that the choice stays visible in logs and audits.
	Off bool

	// Flag and Block are the scores from which a prompt is flagged or blocked.
	// 0 means DefaultFlag, or Block when that is less, and DefaultBlock.
	Flag, Block int

	// Disabled names rules that are switched off: whole ids ("json/system-role")
	// or families ("json/*"). Rules come and go, so a name that no rule has now
	// is no error.
	Disabled []string

	// Allow drops findings of known texts.
	Allow []Allowed

	// Behavior is how the sessions of the tenant are judged: switched off, the
	// number of repetitions, escalation, what happens when a shared history is
	// gone. Its BlockAt of 0 means Block, and so does its RepeatPoints when Block
	// is more than 100: what is repeated too often is blocked unless the tenant
	// says otherwise.
	Behavior BehaviorPolicy
}

// Allowed is an entry of an allow-list: a text that may be sent whatever a rule,
// or every rule, says of it.
type Allowed struct {
	// Rule is a rule id, a family as "json/*", or "" for every rule.
	Rule string

	// SHA256 is the digest of the whole text in hexadecimal, as [TextSHA256]
	// makes it, so that a list of allowed texts does not carry the texts.
	SHA256 string
}

// TextSHA256 is the digest of a text as [Allowed] wants it: the SHA-256 of its
// bytes, unfolded, in lower-case hexadecimal.
func TextSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// policy is a Policy that was read once.
type policy struct {
	off         bool
	flag, block int
	behavior    BehaviorPolicy
	disabled    ruleSet
	allowed     map[[sha256.Size]byte]ruleSet
}

func compilePolicy(p Policy) (*policy, error) {
	c := &policy{off: p.Off, flag: p.Flag, block: p.Block, behavior: p.Behavior}
	if c.block == 0 {
		c.block = DefaultBlock
	}
	if c.flag == 0 {
		c.flag = min(DefaultFlag, c.block)
	}
	if c.flag < 0 || c.block < c.flag {
		return nil, fmt.Errorf("thresholds: got flag %d and block %d, want 0 < flag <= block", c.flag, c.block)
	}
	if c.behavior.BlockAt == 0 {
		c.behavior.BlockAt = c.block
	}
	if c.behavior.RepeatPoints == 0 {
		c.behavior.RepeatPoints = max(High.Points(), c.block)
	}
	for _, name := range p.Disabled {
		if err := c.disabled.add(name); err != nil {
			return nil, fmt.Errorf("disabled: %w", err)
		}
	}
	for _, entry := range p.Allow {
		if err := c.allow(entry); err != nil {
			return nil, fmt.Errorf("allow: %w", err)
		}
	}
	return c, nil
}

func (c *policy) allow(entry Allowed) error {
	var sum [sha256.Size]byte
	if n, err := hex.Decode(sum[:], []byte(entry.SHA256)); err != nil || n != len(sum) {
		return fmt.Errorf("SHA256: got %d characters, want %d hexadecimal digits", len(entry.SHA256), 2*len(sum))
	}
	if c.allowed == nil {
		c.allowed = map[[sha256.Size]byte]ruleSet{}
	}
	rules := c.allowed[sum]
	if entry.Rule == "" {
		rules.all = true
	} else if err := rules.add(entry.Rule); err != nil {
		return err
	}
	c.allowed[sum] = rules
	return nil
}

// filter drops the findings that the policy does not want, in place.
func (c *policy) filter(text string, found []Finding) []Finding {
	if len(found) == 0 || c.disabled.empty() && len(c.allowed) == 0 {
		return found
	}
	var allowed ruleSet
	if len(c.allowed) > 0 { // hash only what was found in
		allowed = c.allowed[sha256.Sum256([]byte(text))]
	}
	kept := found[:0]
	for _, f := range found {
		if !c.disabled.has(f.Rule) && !allowed.has(f.Rule) {
			kept = append(kept, f)
		}
	}
	return kept
}

func (c *policy) action(score int) Action {
	switch {
	case score >= c.block:
		return Block
	case score >= c.flag:
		return Flag
	}
	return Allow
}

// ruleSet is a set of rule ids and families.
type ruleSet struct {
	all      bool
	ids      map[string]bool
	families map[string]bool
}

func (s *ruleSet) add(name string) error {
	family, slug, ok := strings.Cut(name, "/")
	if !ok || family == "" || slug == "" {
		return fmt.Errorf("rule: got %q, want family/slug or family/*", name)
	}
	if slug == "*" {
		if s.families == nil {
			s.families = map[string]bool{}
		}
		s.families[family] = true
		return nil
	}
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	s.ids[name] = true
	return nil
}

func (s *ruleSet) empty() bool { return !s.all && len(s.ids) == 0 && len(s.families) == 0 }

func (s *ruleSet) has(rule string) bool {
	if s.all || s.ids[rule] {
		return true
	}
	family, _, _ := strings.Cut(rule, "/")
	return s.families[family]
}
