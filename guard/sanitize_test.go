package guard

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// split cuts text into its clusters, with "|" between them.
func split(text string) string {
	var c clusters
	var b strings.Builder
	for i, r := range text {
		if c.boundary(r) && i > 0 {
			b.WriteByte('|')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func TestClusters(t *testing.T) {
	for _, row := range []struct{ rule, want string }{
		{"GB3", "a|\r\n|b"},
		{"GB4", "\n|\u0301|a|\t|b"},
		{"GB6", "\u1100\u1161\u11a8|\u1100"},
		{"GB7", "가\u11a8|나"},
		{"GB8", "각\u11a8|\u1161"},
		{"GB9", "e\u0301|x\u200d|y"},
		{"GB9 emoji modifier", "👍🏽|a"},
		{"GB9a", "नि|सा|กำ"},
		{"GB9b", "\u0600१|a"},
		{"GB9c", "क्ष|म|त|క్ష|a्|क"},
		{"GB9c with a joiner", "क्\u200dष|क्\u200c|ष"},
		{"GB11", "👩\u200d👩\u200d👧\u200d👦|👩|❤️\u200d🔥|a\u200d|👩"},
		{"GB12", "🇫🇷|🇩🇪|🇯|a|🇵"},
		{"GB999", "日|本|語"},
		{"flag of a region", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f|a"},
		{"variation selector", "❤\ufe0f|1\ufe0f\u20e3"},
	} {
		require.Equal(t, row.want, split(strings.ReplaceAll(row.want, "|", "")), row.rule)
	}
}

func TestCutAt(t *testing.T) {
	for _, row := range []struct {
		text  string
		limit int
		want  string
	}{
		{"hello", 9, "hello"},
		{"hello", 5, "hello"},
		{"hello", 3, "hel"},
		{"hello", 0, ""},
		{"ae\u0301x", 2, "a"},
		{"ae\u0301x", 3, "ae\u0301"},
		{"a👩\u200d👩\u200d👧\u200d👦", 4, "a"},
		{"🇫🇷🇩🇪", 3, "🇫🇷"},
		{"x\r\ny", 2, "x"},
		{"e" + strings.Repeat("\u0301", 100), 7, "e" + strings.Repeat("\u0301", 6)},
	} {
		require.Equal(t, row.want, row.text[:cutAt(row.text, row.limit)], "%q to %d", row.text, row.limit)
	}
}

func TestSanitize(t *testing.T) {
	finding := func(rule string, severity Severity, start, end int) Report {
		return Report{Findings: []Finding{{Rule: rule, Severity: severity, Span: Span{Start: start, End: end}}}}
	}
	for _, row := range []struct {
		name, text string
		report     Report
		clean      Cleaning
		want       string
		changes    string
	}{
		{"nothing to do", "Un été, déjà vu.\n\tOui ?", Report{}, Cleaning{}, "Un été, déjà vu.\n\tOui ?", ""},
		{"a finding", "one BAD two", finding("x/y", Medium, 4, 7), Cleaning{}, "one   two", "removed 4-7 x/y"},
		{"too mild", "one BAD two", finding("x/y", Low, 4, 7), Cleaning{}, "one BAD two", ""},
		{"milder wanted", "one BAD two", finding("x/y", Low, 4, 7), Cleaning{From: Low}, "one   two", "removed 4-7 x/y"},
		{"joins no words", "igBADnore", finding("x/y", High, 2, 5), Cleaning{}, "ig nore", "removed 2-5 x/y"},
		{"a span beyond the text", "abc", finding("x/y", High, 2, 99), Cleaning{}, "ab ", "removed 2-3 x/y"},
		{"invisible", "i\u200bg\u200b\u2060nore\x00", Report{}, Cleaning{}, "ignore", "invisible 1-4, invisible 5-11, invisible 15-16"},
		{"tags", "hi\U000e0068\U000e0069!", Report{}, Cleaning{}, "hi!", "invisible 2-10"},
		{"a flag", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", Report{}, Cleaning{}, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", ""},
		{"joiners that count", "👩\u200d👧 می\u200cخواهم क्\u200dष ❤️", Report{}, Cleaning{}, "👩\u200d👧 می\u200cخواهم क्\u200dष ❤️", ""},
		{"joiners that do not", "a\u200db\ufe0f", Report{}, Cleaning{}, "ab", "invisible 1-4, invisible 5-8"},
		{"broken bytes", "a\xff\xfeb", Report{}, Cleaning{}, "a\ufffd\ufffdb", "repaired 1-3"},
		{"cut", "héllo", Report{}, Cleaning{MaxRunes: 2}, "hé", "cut 3-6"},
		{"cut keeps clusters", "ab👩\u200d👧", Report{}, Cleaning{MaxRunes: 4}, "ab", "cut 2-13"},
		{"cut behind a change", "a\u200bbcd", Report{}, Cleaning{MaxRunes: 2}, "ab", "invisible 1-4, cut 5-7"},
		{"cut before a change", "abc\u200bd", Report{}, Cleaning{MaxRunes: 2}, "ab", "cut 2-7"},
		{"the default length", strings.Repeat("a", 2001), Report{}, Cleaning{}, strings.Repeat("a", 2000), "cut 2000-2001"},
		{"no length", strings.Repeat("a", 2001), Report{}, Cleaning{MaxRunes: -1}, strings.Repeat("a", 2001), ""},
	} {
		got, changes := Sanitize(row.text, row.report, row.clean)
		require.Equal(t, row.want, got, row.name)
		var list []string
		for _, c := range changes {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %d-%d %s", c.Kind, c.Span.Start, c.Span.End, c.Rule)))
		}
		require.Equal(t, row.changes, strings.Join(list, ", "), row.name)
	}
}

func TestSanitizeTellsSoMuchAndNoMore(t *testing.T) {
	got, changes := Sanitize(strings.Repeat("a\u200b", 5000), Report{}, Cleaning{MaxRunes: -1})
	require.Equal(t, strings.Repeat("a", 5000), got)
	require.Len(t, changes, maxChanges)
	require.Equal(t, 20000, changes[maxChanges-1].Span.End)

	_, changes = Sanitize(strings.Repeat("a\u200ba\xff", 5000), Report{}, Cleaning{MaxRunes: -1})
	require.Len(t, changes, maxChanges)
}

func FuzzSanitize(f *testing.F) {
	f.Add("a\u200bb👩\u200d👧\xff", 1, 4, 3)
	f.Add("🇫🇷🇩🇪\r\n", 0, 8, 2)
	f.Fuzz(func(t *testing.T, text string, start, end, limit int) {
		r := Report{Findings: []Finding{{Rule: "x/y", Severity: High, Span: Span{Start: start, End: end}}}}
		got, changes := Sanitize(text, r, Cleaning{MaxRunes: limit})
		require.True(t, utf8.ValidString(got))
		if limit > 0 {
			require.LessOrEqual(t, utf8.RuneCountInString(got), limit)
		}
		if len(changes) == 0 {
			require.Equal(t, text[:min(len(text), len(got))], got)
		}
		for _, c := range changes {
			require.True(t, 0 <= c.Span.Start && c.Span.Start < c.Span.End && c.Span.End <= len(text), "%+v", c)
		}
		again, _ := Sanitize(got, Report{}, Cleaning{MaxRunes: limit})
		require.Equal(t, got, again)
	})
}
