package patterns

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// TestParseErrors holds each complaint to its file, line and words.
func TestParseErrors(t *testing.T) {
	const head = "set s\n en x\nrule a/b\n severity low\n why w\n hit \"x\"\n miss \"y\"\n" // 7 lines
	tests := []struct{ file, want string }{
		{"  severity low", `1: got an indented line outside of a block, want set, extend or rule at the start of a line first`},
		{"\n\nrul a/b", `3: got "rul" at the start of a line, want set, extend or rule`},
		{"set Ignore\n en x", `1: got set "Ignore", want a name of a-z, 0-9 and -`},
		{"set s\n en x\nset s\n en y", `3: got set s again, want one definition (the other is at f.rules:1) or extend`},
		{"extend s\n en x", `1: got extend s, want a set of that name somewhere`},
		{"set s\n english x", `2: got "english", want a language such as en, fr, zh, or any, before the words`},
		{"set s\n en", `2: got no words for en, want some, separated by commas`},
		{"set s\n en , ,", `2: got no words for en, want some, separated by commas`},
		{"set s\n en a, \"b", `2: got "b, want a closing double quote`},
		{"set s\n en a(b", `2: got '(' in a(b, want it in double quotes`},
		{"set s\n en a, \"  \"", `2: got an empty word, want a word or phrase`},
		{"set s\n en \"\\q\"", `2: got "\q", want one text in double quotes`},
		{"set s\n en {x", `2: got {x, want {name} of a set`},
		{"set s\n en {x}", `2: got {x}, want the name of a set`},
		{"set s\n en {t}\nset t\n en {s}", `4: got {s} inside of itself (s > t), want no cycle of sets`},
		{"set s\n en \"\u200b\u00ad\"", `2: got a word of which folding leaves nothing, want letters or marks`},
		{"set s\n en a\xff", `2: got bytes that are not UTF-8, want text`},
		{"rule ab\n severity low\n why w\n match x\n hit \"x\"\n miss \"y\"", `1: got rule "ab", want family/slug of a-z, 0-9 and -`},
		{head + " match x\nrule a/b\n severity low\n why w\n match x\n hit \"x\"\n miss \"y\"", `9: got rule a/b again, want one definition (the other is at f.rules:3)`},
		{"rule a/b\n why w\n match x\n hit \"x\"\n miss \"y\"", `1: got rule a/b without severity, want one`},
		{"rule a/b\n severity low\n match x\n hit \"x\"\n miss \"y\"", `1: got rule a/b without why, want one sentence`},
		{head, `3: got rule a/b without a pattern, want match, near, repeat, count or regexp`},
		{"rule a/b\n severity low\n why w\n match x\n hit \"x\"", `1: got rule a/b with 1 hit and 0 miss, want at least one of each`},
		{head + " match x\n severity low", `9: got severity "low", want one of info, low, medium, high, critical, once`},
		{"rule a/b\n severity grave\n why w\n match x\n hit \"x\"\n miss \"y\"", `2: got severity "grave", want one of info, low, medium, high, critical, once`},
		{head + " match x\n why again", `9: got why "again", want one sentence, once`},
		{head + " match x\n score 2000", `9: got score "2000", want a number from 1 to 1000`},
		{head + " match x\n silent yes", `9: got silent "yes", want nothing after it`},
		{head + " match x\n view Folded", `9: got view "Folded", want names of views, separated by commas`},
		{head + " match x\n blink", `9: got "blink", want one of severity, score, why, match, not, near, repeat, count, regexp, prefilter, view, silent, hit, miss`},
		{head + " match:english x", `8: got "match:english", want a language after the colon of match, not, near or repeat only`},
		{head + " match", `8: got an empty pattern, want words, {sets} and ..gaps`},
		{head + " match ..3", `8: got a gap at the edge, want it between two parts`},
		{head + " match x ..2 ..3 y", `8: got two gaps in a row, want one`},
		{head + " match x ..x y", `8: got gap "..x", want .. and a number from 0 to 100`},
		{head + " match x ..999 y", `8: got gap "..999", want .. and a number from 0 to 100`},
		{head + " match x? y", `8: got an optional part at the edge, want it between two parts that are not`},
		{head + " match a b? c? d? e? f? g", `8: got 5 optional parts, want at most 4`},
		{head + " match" + strings.Repeat(" \"x\"", 13), `8: got 13 parts, want at most 12`},
		{head + " match x ^", `8: got an anchor at the end, want it before a word or set`},
		{head + " match x ^ ..2 y", `8: got an anchor before a gap, want it before a word or set`},
		{head + " match (x|y", `8: got (x|y, want a closing bracket`},
		{head + " match (x|y)z", `8: got (x|y)z, want a space after the closing bracket`},
		{head + " match (x|)", `8: got an empty word, want a word or phrase`},
		{head + " match {S}", `8: got {S}, want {name} or {name:lang,lang} of a set`},
		{head + " match {s:english}", `8: got {s:english}, want languages such as en or en,fr after the colon`},
		{head + " match {s:fr}", `8: got {s:fr}, want a language that the set has words of`},
		{head + " match:fr {s}", `8: got {s:fr}, want a language that the set has words of`},
		{head + " match {t}", `8: got {t}, want the name of a set`},
		{head + " match *x*", `8: got *x*, want at least three characters after a leading *`},
		{head + " match \"x", `8: got "x, want a closing double quote`},
		{head + " near 3 x", `8: got 1 parts, want from 2 to 12 after near`},
		{head + " near 0 x {s}", `8: got near "0", want a number from 1 to 100`},
		{head + " near 3 x ..2 {s}", `8: got a gap or an optional part in near, want words and sets only`},
		{head + " repeat 3 x {s}", `8: got 2 parts, want one after repeat`},
		{head + " repeat 1 x", `8: got repeat "1", want a number from 2 to 10000`},
		{head + " repeat 3 *", `8: got repeat of any word "3", want a number from 10 to 10000`},
		{head + " count 2 a/b", `8: got count "2 a/b", want count N of rule rule …`},
		{head + " count 1 of a/c", `8: got a/c, want family/* or the id of a rule that does not count others itself`},
		{head + " count 1 of a/b", `8: got a/b, want family/* or the id of a rule that does not count others itself`},
		{head + " match x\n count 1 of a/b", `9: got count beside other patterns, want count alone`},
		{head + " match x\nrule a/c\n severity low\n why w\n hit \"x\"\n miss \"y\"\n count 2 of a/*", `14: got count 2 of 1 rules, want no more than there are`},
		{head + " regexp x", `3: got rule a/b with one of regexp and prefilter, want both`},
		{head + " regexp (\n prefilter \"x\"", "8: got a regexp that does not compile (error parsing regexp: missing closing ) in `(`), want the syntax of regexp2"},
		{head + " regexp x\n prefilter x", `9: got prefilter "x", want texts in double quotes, separated by commas`},
		{head + " match x\n hit x", `9: got x, want a prompt in double quotes`},
		{head + " match x\n miss \"\"", `9: got "", want a prompt in double quotes`},
	}
	for _, test := range tests {
		_, err := Parse(fstest.MapFS{"f.rules": {Data: []byte(test.file)}})
		require.Error(t, err, "%s", test.file)
		require.Equal(t, "patterns: f.rules:"+test.want, err.Error(), "%s", test.file)
	}
}

// TestParseJoins shows that one run tells of all that is wrong.
func TestParseJoins(t *testing.T) {
	_, err := Parse(
		fstest.MapFS{"a.rules": {Data: []byte("set s\n e x\n en x(\n")}, "notes.txt": {Data: []byte("rule")}},
		fstest.MapFS{"sub/b.rules": {Data: []byte("oops")}},
	)
	require.EqualError(t, err, `patterns: a.rules:2: got "e", want a language such as en, fr, zh, or any, before the words
patterns: a.rules:3: got '(' in x(, want it in double quotes
patterns: sub/b.rules:1: got "oops" at the start of a line, want set, extend or rule`)
	_, err = Parse(fstest.MapFS{"a.rules": {Data: []byte(strings.Repeat("oops\n", 1000))}})
	require.Len(t, strings.Split(err.Error(), "\n"), maxErrors)
}
