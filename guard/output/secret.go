package output

import (
	"bytes"
	"strings"

	"github.com/llmaas/llmaas-go/guard/check"
)

// A token is the shape of an access token.
type token struct {
	prefix string
	fold   bool   // the prefix in any case
	more   int    // characters after the prefix that make it one
	chars  string // of them, besides letters and digits
	then   string // what must follow the token, if anything
	why    string
}

// tokens are shapes that their makers documented for scanners to find:
// docs.github.com "token formats", docs.gitlab.com "token prefixes",
// api.slack.com "token types", docs.aws.amazon.com "IAM identifiers", RFC 6750
// §2.1 (bearer), RFC 7519 §3 (JWT).
var tokens = []token{
	{prefix: "bearer ", fold: true, more: 20, chars: "-._~+/=", why: "a bearer token"},
	{prefix: "eyJ", more: 10, chars: "-_", then: ".eyJ", why: "a JSON web token"},
	{prefix: "sk-", more: 32, chars: "-_", why: "an API key"},
	{prefix: "sk_live_", more: 24, why: "an API key"},
	{prefix: "rk_live_", more: 24, why: "an API key"},
	{prefix: "ghp_", more: 36, why: "a GitHub token"},
	{prefix: "gho_", more: 36, why: "a GitHub token"},
	{prefix: "ghu_", more: 36, why: "a GitHub token"},
	{prefix: "ghs_", more: 36, why: "a GitHub token"},
	{prefix: "ghr_", more: 36, why: "a GitHub token"},
	{prefix: "github_pat_", more: 40, chars: "_", why: "a GitHub token"},
	{prefix: "glpat-", more: 20, chars: "-_", why: "a GitLab token"},
	{prefix: "xoxb-", more: 24, chars: "-", why: "a Slack token"},
	{prefix: "xoxp-", more: 24, chars: "-", why: "a Slack token"},
	{prefix: "xapp-", more: 24, chars: "-", why: "a Slack token"},
	{prefix: "AKIA", more: 16, why: "an AWS access key"},
	{prefix: "ASIA", more: 16, why: "an AWS access key"},
	{prefix: "AIza", more: 35, chars: "-_", why: "a Google API key"},
	{prefix: "hf_", more: 34, why: "a Hugging Face token"},
	{prefix: "npm_", more: 36, why: "an npm token"},
}

// secret looks at the beginning of a word.
func (m *markup) secret(b []byte, at int, final bool, found *[]check.Finding) verdict {
	more := false
	for i := range tokens {
		if len(b) > 1 && b[1] != tokens[i].prefix[1] && !tokens[i].fold {
			continue
		}
		n, v := tokens[i].match(b)
		if v == needMore && !final {
			more = true
		}
		if v == decided && n > 0 {
			*found = append(*found, finding(SecretFound, check.High, at, at+n, tokens[i].why+" stands in the answer"))
			return decided
		}
	}
	if more {
		return needMore
	}
	return decided
}

// match returns the length of the token that b begins with: 0 for none.
func (t *token) match(b []byte) (int, verdict) {
	head := b[:min(len(b), len(t.prefix))]
	if string(head) != t.prefix[:len(head)] && !(t.fold && strings.EqualFold(string(head), t.prefix[:len(head)])) {
		return 0, decided
	}
	if len(head) < len(t.prefix) {
		return 0, needMore
	}
	n := len(t.prefix)
	for n < len(b) && n < maxLook && (isAlnum(b[n]) || strings.IndexByte(t.chars, b[n]) >= 0) {
		if n++; t.then == "" && n == len(t.prefix)+t.more {
			if isPlaceholder(b[len(t.prefix):n]) {
				return 0, decided
			}
			return n, decided
		}
	}
	if n == len(b) && n < maxLook {
		return 0, needMore
	}
	if t.then == "" || n < len(t.prefix)+t.more {
		return 0, decided
	}
	rest := b[n:min(len(b), n+len(t.then))]
	switch {
	case string(rest) != t.then[:len(rest)]:
		return 0, decided
	case len(rest) < len(t.then):
		return 0, needMore
	}
	return n + len(t.then), decided
}

// isPlaceholder says whether a token is one that documentation shows.
func isPlaceholder(token []byte) bool {
	low := bytes.ToLower(token)
	for _, s := range [...]string{"example", "your", "xxxx", "placeholder", "token", "1234567890", "abcdefgh", "....", "____"} {
		if bytes.Contains(low, []byte(s)) {
			return true
		}
	}
	var seen [256]bool
	kinds, digits := 0, 0
	for _, c := range token {
		if !seen[c] {
			seen[c] = true
			kinds++
		}
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return kinds < 8 || digits == 0
}

const (
	keyBegin = "-----BEGIN "
	keyEnd   = "PRIVATE KEY"
	keyLabel = 64  // bytes between them and up to the end of the line
	keyLook  = 256 // bytes in which the key must begin; its headers come first
	keyBody  = 40  // base64 characters in a row that make it a key and no sample
)

// privateKey looks at "-----BEGIN … PRIVATE KEY-----" (RFC 7468 §2, and OpenSSH's
// and OpenPGP's like it).
func (m *markup) privateKey(b []byte, at int, final bool, found *[]check.Finding) verdict {
	if m.previous == '-' {
		return decided
	}
	head := b[:min(len(b), len(keyBegin))]
	if string(head) != keyBegin[:len(head)] {
		return decided
	}
	label := b[len(head):min(len(b), len(head)+keyLabel)]
	line := bytes.IndexByte(label, '\n')
	if line < 0 {
		if len(label) < keyLabel {
			return unless(final)
		}
		// The key may follow on the same line, as \n in a string of code.
		line = bytes.Index(label, []byte("-----"))
	}
	if line < 0 || !bytes.Contains(label[:line], []byte(keyEnd)) {
		return decided
	}
	body, _, ended := bytes.Cut(b[len(head)+line:min(len(b), keyLook)], []byte("-----END"))
	run := 0
	for _, c := range body {
		if isAlnum(c) || c == '+' || c == '/' {
			if run++; run == keyBody {
				*found = append(*found, finding(SecretFound, check.Critical, at, at+len(head)+line, "a private key stands in the answer"))
				return decided
			}
		} else {
			run = 0
		}
	}
	if ended || len(b) >= keyLook {
		return decided
	}
	return unless(final)
}
