package output

import (
	"fmt"
	"strings"

	"github.com/llmaas/llmaas-go/guard/check"
)

// Layer is the Layer and View of every finding of this package.
const Layer = "output"

// The rules of this package, as they stand in [check.Finding].Rule.
const (
	CanaryFound  = "output/canary"        // a canary of the system prompt
	PromptLeak   = "output/system-prompt" // words of the system prompt, verbatim
	ImageData    = "output/image-data"    // an image whose address carries data to a host not allowed
	LinkData     = "output/link-data"     // a link whose address carries data to a host not allowed
	LinkScheme   = "output/link-scheme"   // a link that runs code or holds a document: javascript:, data:
	HiddenHTML   = "output/hidden-html"   // HTML that a person does not see
	ActiveHTML   = "output/active-html"   // HTML that runs code or loads a document
	SecretFound  = "output/secret"        // a private key or an access token, by its shape
	maxAllowHost = 253                    // RFC 1035 §2.3.4, less the length bytes
)

// Options say what to look for. The zero value looks for links, HTML and
// secrets, and allows no host.
type Options struct {
	// Canaries are tokens that stand in the system prompt and nowhere else; see
	// [MintCanary]. One found anywhere is [check.Critical].
	Canaries []string

	// SystemPrompt is the text that answers must not repeat. Empty looks for none.
	SystemPrompt string

	// LeakWords is how many words of SystemPrompt in a row give it away. Zero
	// means 12; 5 to 64 are possible. A Han or kana character is a word. A
	// shorter system prompt counts when it is repeated whole, from 5 words on.
	LeakWords int

	// AllowHosts are the hosts that links and images may carry data to:
	// "example.com" for that host, "*.example.com" for those below it.
	AllowHosts []string
}

// Rules are Options made ready. They do not change and serve any number of
// scanners at a time.
type Rules struct {
	needles *needles
	leak    *leak
	hosts   map[string]bool // of AllowHosts, lower case; "*." kept
}

// New makes Rules. The error says which option is wrong.
func New(o Options) (*Rules, error) {
	r := &Rules{hosts: make(map[string]bool, len(o.AllowHosts))}
	var err error
	if r.needles, err = newNeedles(o.Canaries); err != nil {
		return nil, err
	}
	if r.leak, err = newLeak(o.SystemPrompt, o.LeakWords); err != nil {
		return nil, err
	}
	for i, host := range o.AllowHosts {
		name := strings.TrimPrefix(host, "*.")
		if name == "" || len(name) > maxAllowHost || strings.ContainsAny(name, "*/:@? \t") {
			return nil, fmt.Errorf("output: Options.AllowHosts[%d]: got %q, want a host name or *. and a host name", i, host)
		}
		r.hosts[strings.ToLower(host)] = true
	}
	return r, nil
}

// allows says whether links may carry data to host, which is in lower case.
func (r *Rules) allows(host string) bool {
	if r.hosts[host] {
		return true
	}
	for i := 0; i < len(host); i++ {
		if host[i] == '.' && r.hosts["*"+host[i:]] {
			return true
		}
	}
	return false
}

func finding(rule string, severity check.Severity, start, end int, why string) check.Finding {
	return check.Finding{
		Rule: rule, Layer: Layer, Severity: severity, Span: check.Span{Start: start, End: end}, View: Layer, Why: why,
	}
}
