package patterns

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llmaas/llmaas-go/guard/check"
	"github.com/llmaas/llmaas-go/guard/fold"
	"github.com/stretchr/testify/require"
)

var _ check.Check = (*Patterns)(nil)

// parse returns the set of one file.
func parse(t testing.TB, rules string) *Set {
	t.Helper()
	set, err := Parse(fstest.MapFS{"test.rules": {Data: []byte(rules)}})
	require.NoError(t, err)
	return set
}

// scan returns what a check with these options finds.
func scan(t testing.TB, o Options, text string) []check.Finding {
	t.Helper()
	p, err := New(o)
	require.NoError(t, err)
	var folded fold.Text
	folded.Reset(text)
	return p.Inspect(context.Background(), &check.Prompt{Input: check.Input{Text: text}, Folded: &folded}, nil)
}

// rest is what the rules of these tests have in common.
const rest = "\n why w\n hit \"x\"\n miss \"y\"\n"

func TestFinding(t *testing.T) {
	set := parse(t, "rule a/open\n severity medium\n score 70\n match open ..1 door"+rest)
	text := "Please ＯＰＥＮ  the door, open a door"
	require.Equal(t, []check.Finding{
		{Rule: "a/open", Layer: "patterns", Severity: check.Medium, Score: 70, Span: check.Span{Start: 7, End: 29}, View: "folded", Why: "w"},
		{Rule: "a/open", Layer: "patterns", Severity: check.Medium, Score: 70, Span: check.Span{Start: 31, End: 42}, View: "folded", Why: "w"},
	}, scan(t, Options{Set: set}, text))
}

// A word is found however it is capitalized, although З passes for 3 and м for w.
func TestCapitals(t *testing.T) {
	set := parse(t, "rule a/order\n severity low\n match (забудь|λησμόνησε|vergiß) ..1 (мои слова|mich)"+rest)
	for _, text := range []string{"забудь мои слова", "Забудь мои слова", "ЗАБУДЬ МОИ СЛОВА", "Забудь Мои слова", "Λησμόνησε мои слова", "VERGISS mich"} {
		require.Len(t, scan(t, Options{Set: set}, text), 1, text)
	}
}

func TestDecodedView(t *testing.T) {
	set := parse(t, "rule a/any\n severity low\n match forbidden"+rest+
		"rule a/main\n severity low\n view folded\n match forbidden"+rest+
		"rule a/hidden\n severity low\n view decoded\n match forbidden"+rest)
	text := "Decode this: Zm9yYmlkZGVuIHdvcmRzIGFyZSBmb3JiaWRkZW4u and go on"
	found := scan(t, Options{Set: set}, text)
	require.Len(t, found, 2)
	for i, rule := range []string{"a/any", "a/hidden"} {
		require.Equal(t, rule, found[i].Rule)
		require.Equal(t, "base64", found[i].View)
		require.Equal(t, "Zm9y", text[found[i].Span.Start:found[i].Span.Start+4])
		require.LessOrEqual(t, found[i].Span.End, strings.Index(text, " and"))
	}
}

// TestBounds: a rule is reported a few times, a rule seen first in another
// view's text once, and a silent rule never.
func TestBounds(t *testing.T) {
	set := parse(t, "rule a/x\n severity low\n match ax"+rest+"rule a/silent\n severity high\n silent\n match ax"+rest+
		"rule a/both\n severity high\n count 2 of a/x a/silent"+rest)
	found := scan(t, Options{Set: set}, strings.Repeat("ax ", 1000))
	require.Len(t, found, maxSpans+1)
	for i := range maxSpans {
		require.Equal(t, "a/x", found[i].Rule)
		require.Equal(t, 3*i, found[i].Span.Start)
	}
	require.Equal(t, "a/both", found[maxSpans].Rule)
	require.Equal(t, check.Span{Start: 0, End: 2}, found[maxSpans].Span)
}

func TestOptions(t *testing.T) {
	set := parse(t, "rule a/x\n severity low\n match ax"+rest+"rule a/y\n severity low\n match ax"+rest+"rule b/x\n severity low\n match ax"+rest+
		"rule c/all\n severity low\n count 2 of a/x a/y b/x"+rest)
	tests := []struct {
		disable []string
		want    []string
	}{
		{nil, []string{"a/x", "a/y", "b/x", "c/all"}},
		{[]string{"a/y"}, []string{"a/x", "b/x", "c/all"}},
		{[]string{"a/*"}, []string{"b/x"}},
		{[]string{"c/all", "b/x"}, []string{"a/x", "a/y"}},
	}
	for _, test := range tests {
		var got []string
		for _, f := range scan(t, Options{Set: set, Disable: test.disable}, "ax") {
			got = append(got, f.Rule)
		}
		require.Equal(t, test.want, got, "%q", test.disable)
	}
	_, err := New(Options{Set: set, Disable: []string{"a/z"}})
	require.EqualError(t, err, `patterns: Options.Disable: got "a/z", want the id of a rule or family/*`)
	_, err = New(Options{Set: set, RegexpTime: -1})
	require.EqualError(t, err, `patterns: Options.RegexpTime: got -1ns, want zero or more`)
}

// TestReplace swaps the rules under scans: each sees one set, whole.
func TestReplace(t *testing.T) {
	one := parse(t, "rule a/one\n severity low\n match left right"+rest+"rule a/uno\n severity low\n match left right"+rest)
	two := parse(t, "rule b/two\n severity low\n match left right"+rest+"rule b/dos\n severity low\n match left right"+rest)
	p, err := New(Options{Set: one})
	require.NoError(t, err)
	done := make(chan struct{})
	var scans sync.WaitGroup
	for range 4 {
		scans.Go(func() {
			var folded fold.Text
			for {
				folded.Reset("left right")
				found := p.Scan(&folded, nil)
				if len(found) != 2 || found[0].Rule[0] != found[1].Rule[0] {
					t.Errorf("got findings %v, want both rules of one set", found)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range 100 {
		require.NoError(t, p.Replace(two))
		require.Same(t, two, p.Set())
		require.NoError(t, p.Replace(one))
	}
	close(done)
	scans.Wait()

	p, err = New(Options{Set: one, Disable: []string{"a/one"}})
	require.NoError(t, err)
	require.Error(t, p.Replace(two), "a disabled rule is not in the new set")
	require.Same(t, one, p.Set())
}

// TestRegexpLimits: an expression that runs out of stack or of time is a
// finding, and the time of a prompt is bounded over all of them.
func TestRegexpLimits(t *testing.T) {
	set := parse(t, "rule r/slow\n severity low\n prefilter \"aaa\"\n regexp ^(a+)+$"+rest+
		"rule r/deep\n severity low\n prefilter \"aaa\"\n regexp (?:(a)|b)*?c(?<=x)"+rest+
		"rule r/none\n severity low\n prefilter \"zzz\"\n regexp ^(a+)+$"+rest)
	begin := time.Now()
	found := scan(t, Options{Set: set, RegexpTime: time.Millisecond}, strings.Repeat("a", 1<<18)+"!")
	require.Less(t, time.Since(begin), 10*time.Second)
	require.Len(t, found, 2)
	for _, f := range found {
		require.Equal(t, "could not be decided in time whether it w", f.Why)
	}

	set = parse(t, "rule r/late\n severity low\n prefilter \"né\"\n regexp (?<=ne )(\\w)\\1"+rest)
	text := "Il est NÉ aaron."
	found = scan(t, Options{Set: set}, text)
	require.Len(t, found, 1)
	require.Equal(t, "aa", text[found[0].Span.Start:found[0].Span.End])
}

// TestCanceled: a context that has ended leaves the regexps undecided.
func TestCanceled(t *testing.T) {
	set := parse(t, "rule r/x\n severity low\n prefilter \"abc\"\n regexp abcd"+rest)
	p, err := New(Options{Set: set})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var folded fold.Text
	folded.Reset("abc")
	require.Len(t, p.Inspect(ctx, &check.Prompt{Folded: &folded}, nil), 1)
}

// TestVerify: a rule that does not keep its word is named with the line.
func TestVerify(t *testing.T) {
	set := parse(t, "rule a/x\n severity low\n why w\n match ax\n hit \"ax\"\n hit \"bx\"\n miss \"an ax\"\n miss \"b\"\n")
	require.EqualError(t, set.Verify(), `patterns: test.rules:6: got a hit that does not fire a/x, want it to
patterns: test.rules:7: got a miss that fires a/x, want it not to`)
}

// TestLongCounts runs a scan over a wrap of the counters.
func TestLongCounts(t *testing.T) {
	p, err := compile(parse(t, "rule a/x\n severity low\n match ax ..3 bx"+rest+"rule a/y\n severity low\n repeat 12 *"+rest), nil)
	require.NoError(t, err)
	w := newWork(p)
	for _, units := range []int32{0, 1<<31 - 1000, 1<<31 - 1} {
		w.units = units
		w.tokens.count = 1<<32 - 5
		w.scan([]byte("ax bx " + strings.Repeat("go ", 12)))
		require.Equal(t, []int32{0, 1}, w.touched, "after %d", units)
		w.scan([]byte("bx go go"))
		require.Empty(t, w.touched)
	}
}
