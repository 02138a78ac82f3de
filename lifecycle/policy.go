package lifecycle

import (
	_ "embed"
	"io"
	"strings"
	"sync"
)

// Policy is what the provider promises, as data: [DefaultPolicy] is the one
// that the provider prints, [LoadPolicy] reads another.
type Policy struct {
	AsOf         Date   `json:"as_of"`
	Source       string `json:"source"`
	StableMonths int    `json:"stable_months"` // a stable version stays that long
	NoticeMonths int    `json:"notice_months"` // between notice and removal
	ReviewMonths int    `json:"review_months"` // the tables are reviewed that often
	// The clauses, as the provider prints them, for findings to cite.
	StableClause  string `json:"stable_clause"`
	NoticeClause  string `json:"notice_clause"`
	ReviewClause  string `json:"review_clause"`
	SupportClause string `json:"support_clause"`
}

//go:embed data/policy.json
var policyJSON string

var defaultPolicy = sync.OnceValues(func() (Policy, error) {
	return readPolicy(strings.NewReader(policyJSON), "policy.json")
})

// DefaultPolicy returns the policy that the provider prints.
func DefaultPolicy() Policy {
	p, _ := defaultPolicy() // embedded; a test reads it and its error
	return p
}

// LoadPolicy reads a policy from JSON in the form of data/policy.json. A
// mistake gives a [FileError].
func LoadPolicy(r io.Reader) (Policy, error) { return readPolicy(r, "policy") }

var policyKeys = []string{"as_of", "source", "stable_months", "notice_months", "review_months",
	"stable_clause", "notice_clause", "review_clause", "support_clause"}

func readPolicy(r io.Reader, file string) (Policy, error) {
	d, err := readDocument(r, file)
	if err != nil {
		return Policy{}, err
	}
	var p Policy
	const century = 1200 // months
	err = d.object(policyKeys, len(policyKeys), func(key string) error {
		switch key {
		case "as_of":
			return d.date(&p.AsOf)
		case "source":
			return d.text(&p.Source)
		case "stable_months":
			return d.integer(&p.StableMonths, century)
		case "notice_months":
			return d.integer(&p.NoticeMonths, century)
		case "review_months":
			return d.integer(&p.ReviewMonths, century)
		case "stable_clause":
			return d.text(&p.StableClause)
		case "notice_clause":
			return d.text(&p.NoticeClause)
		case "review_clause":
			return d.text(&p.ReviewClause)
		default:
			return d.text(&p.SupportClause)
		}
	})
	if err == nil {
		err = d.end()
	}
	return p, err
}
