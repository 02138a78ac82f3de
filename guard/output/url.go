package output

import (
	"html"
	"strings"

	"github.com/llmaas/llmaas-go/guard/check"
)

// How much an address must carry to count. An image is loaded without being
// asked for; a link waits for a click, and honest ones are long.
const (
	imageRun  = 24 // letters and digits in a row, in the path or the name of the host
	linkRun   = 48
	linkQuery = 64 // bytes of query
)

// judgeURL says what is wrong with the address of a link or an image; no rule
// if nothing is. An address that is too long to be judged, of which more
// follows, carries data.
func (r *Rules) judgeURL(address []byte, image, more bool) (rule string, severity check.Severity, why string) {
	url := plainURL(address)
	scheme, rest := splitScheme(url)
	switch scheme {
	case "javascript", "vbscript":
		return LinkScheme, check.High, "a link runs code"
	case "data":
		if image && isPicture(rest) {
			return "", 0, ""
		}
		return LinkScheme, check.High, "a link holds a document of its own"
	case "", "http", "https", "ftp", "ws", "wss":
	default:
		return "", 0, ""
	}
	host, path, ok := splitHost(rest, scheme != "")
	if !ok {
		return "", 0, "" // on the host of the page
	}
	name, user := hostName(host)
	if r.allows(name) {
		return "", 0, ""
	}
	path, _, _ = strings.Cut(path, "#") // a fragment stays with the browser
	path, query, _ := strings.Cut(path, "?")
	run := max(longestRun(path), longestRun(name), longestRun(user))
	switch {
	case image && (more || query != "" || run >= imageRun):
		return ImageData, check.High, "the address of an image carries data to a host that is not allowed"
	case !image && (more || len(query) >= linkQuery || run >= linkRun):
		return LinkData, check.Medium, "the address of a link carries data to a host that is not allowed"
	}
	return "", 0, ""
}

// plainURL undoes what a browser does not see: entities, control characters
// (WHATWG URL §4.4), and Markdown's backslashes before punctuation.
func plainURL(address []byte) string {
	s := string(address)
	if strings.IndexByte(s, '&') >= 0 {
		s = html.UnescapeString(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\t' || c == '\n' || c == '\r' || c < ' ' || c == ' ' && b.Len() == 0:
			continue
		case c == '\\' && i+1 < len(s) && (s[i+1] == ':' || s[i+1] == '?' || s[i+1] == '.'):
			continue
		case c == '\\':
			c = '/' // WHATWG URL: for http and https the same
		}
		b.WriteByte(c)
	}
	return b.String()
}

// splitScheme cuts the scheme off, in lower case.
func splitScheme(url string) (scheme, rest string) {
	i := strings.IndexByte(url, ':')
	if i <= 0 || i > len("javascript")+4 {
		return "", url
	}
	for _, c := range []byte(url[:i]) {
		if !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			return "", url
		}
	}
	return strings.ToLower(url[:i]), url[i+1:]
}

// splitHost cuts the host off. Browsers take any number of slashes after http:.
func splitHost(rest string, hasScheme bool) (host, path string, ok bool) {
	trimmed := strings.TrimLeft(rest, "/")
	if !hasScheme && len(rest)-len(trimmed) < 2 {
		return "", "", false
	}
	i := strings.IndexAny(trimmed, "/?#")
	if i < 0 {
		i = len(trimmed)
	}
	return trimmed[:i], trimmed[i:], trimmed != ""
}

// hostName takes the user and the port away.
func hostName(host string) (name, user string) {
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host, user = host[i+1:], host[:i]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, ".")), user
}

func isPicture(rest string) bool {
	for _, kind := range []string{"png", "jpeg", "jpg", "gif", "webp", "avif"} {
		if after, ok := strings.CutPrefix(strings.ToLower(rest[:min(len(rest), 16)]), "image/"+kind); ok {
			return after == "" || after[0] == ';' || after[0] == ','
		}
	}
	return false
}

// longestRun returns the longest run of letters, digits and what encodings of
// data use besides them.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; isAlnum(c) || c == '%' || c == '+' || c == '=' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}
