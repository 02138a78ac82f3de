package lifecycle

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The golden holds every breach that the provider's own tables show.
func TestLintGolden(t *testing.T) {
	var b bytes.Buffer
	breaches := Lint(Default(), DefaultPolicy())
	for _, breach := range breaches {
		b.WriteString(breach.String() + "\n")
	}
	golden(t, "lint.txt", b.Bytes())

	byRule := map[Rule][]string{}
	for _, breach := range breaches {
		byRule[breach.Rule] = append(byRule[breach.Rule], breach.Model)
		if breach.Rule == RuleShortLife || breach.Rule == RuleShortNotice || breach.Rule == RuleLateReview {
			require.NotEmpty(t, breach.Clause)
		}
	}
	require.Equal(t, []string{"gemma3:12b"}, byRule[RuleDuplicate])
	require.Contains(t, byRule[RuleShortLife], "qwen3-next:80b")
	require.Contains(t, byRule[RuleShortLife], "gemma3:12b")
	require.Contains(t, byRule[RuleShortNotice], "granite4-small-h:32b")
	require.Contains(t, byRule[RuleNoPublisher], "qwen3:235b")
	require.Contains(t, byRule[RuleCorrected], "gpt-oss:120b")
}

// Each pair of tables shows one breach, and the same with better dates none.
func TestLintRules(t *testing.T) {
	head := func(day string) string {
		return `{"as_of": "` + day + `", "source": "test", "complete": true, `
	}
	first := head("2026-01-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2027-01-01"}]}`
	for _, tc := range []struct {
		rule          Rule
		before, after string
		text          string
	}{
		{RuleShortLife, "", head("2026-01-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2026-01-01", "end_of_support": "2026-06-30"}]}`, "from 2026-01-01 to 2026-06-30, 180 days; stable until 2026-07-01"},
		{"", "", head("2026-01-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2026-01-01", "end_of_support": "2026-07-01"}]}`, ""},
		{RuleShortNotice, first, head("2026-04-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2026-06-30"}]}`, "end of support on 2026-06-30 in the table of 2026-04-01, 90 days of notice; the table of 2026-01-01 promised support until 2027-01-01"},
		{"", first, head("2026-04-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2026-07-01"}]}`, ""},
		{RuleShortNotice, first, head("2026-04-01") + `"models": [], "retired": [{"id": "a", "retired": "2026-03-15"}]}`, "deprecation on 2026-03-15"},
		{RuleVanished, first, head("2026-04-01") + `"models": []}`, "in production until 2027-01-01 by the table of 2026-01-01, in no list of that of 2026-04-01"},
		{RuleUnannounced, first, head("2026-04-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2027-01-01"}], "retired": [{"id": "b", "publisher": "P", "retired": "2026-03-15"}]}`, "deprecated on 2026-03-15 without ever"},
		{RuleNoPublisher, "", head("2026-01-01") + `"models": [{"id": "a", "launched": "2025-01-01", "end_of_support": "2027-01-01"}]}`, "no table names"},
		{RuleSuccessor, "", head("2026-01-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2027-01-01", "successor": "b"}]}`, "successor b stands in no table"},
		{RuleSuccessor, "", head("2026-01-01") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2027-01-01", "successor": "b"}, {"id": "b", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2027-01-01"}]}`, "no later than the model itself"},
		{RuleCorrected, first, head("2026-04-01") + `"models": [{"id": "a", "publisher": "Q", "launched": "2025-01-01", "end_of_support": "2027-01-01"}]}`, "publisher Q; the table of 2026-01-01 printed P"},
		{RuleLateReview, first, head("2026-04-02") + `"models": [{"id": "a", "publisher": "P", "launched": "2025-01-01", "end_of_support": "2027-01-01"}]}`, "after 91 days; one was due by 2026-04-01"},
	} {
		c, err := Load(strings.NewReader(tc.after))
		require.NoError(t, err)
		if tc.before != "" {
			earlier, err := Load(strings.NewReader(tc.before))
			require.NoError(t, err)
			c = earlier.Merge(c)
		}
		found := Lint(c, DefaultPolicy())
		if tc.rule == "" {
			require.Empty(t, found)
			continue
		}
		require.Len(t, found, 1, "%s: %v", tc.rule, found)
		require.Equal(t, tc.rule, found[0].Rule)
		require.Contains(t, found[0].Text, tc.text)
	}
}

func TestDiffGolden(t *testing.T) {
	c := Default()
	d := Diff(c.AsKnown(date("2025-11-22")), c)
	golden(t, "diff.txt", []byte(d.String()))
	golden(t, "diff.md", []byte(d.Markdown()))
	b, err := json.MarshalIndent(d, "", " ")
	require.NoError(t, err)
	golden(t, "diff.json", append(b, '\n'))

	count := map[ChangeKind]int{}
	for _, change := range d.List {
		count[change.Kind]++
	}
	// Counted by hand from the two tables.
	require.Equal(t, map[ChangeKind]int{KindLaunched: 41, KindRelaunched: 3, KindExtended: 10, KindShortened: 6, KindDeprecated: 28, KindRemoved: 5, KindRepublished: 3}, count)
	require.Empty(t, Diff(c, c).List)
}

// What one direction launched, the other removed, and so on.
func TestDiffBackwards(t *testing.T) {
	old, now := Default().AsKnown(date("2025-11-22")), Default()
	there, back := map[ChangeKind]int{}, map[ChangeKind]int{}
	for _, c := range Diff(old, now).List {
		there[c.Kind]++
	}
	for _, c := range Diff(now, old).List {
		back[c.Kind]++
	}
	require.Equal(t, there[KindExtended], back[KindShortened])
	require.Equal(t, there[KindShortened], back[KindExtended])
	require.Equal(t, there[KindRepublished], back[KindRepublished])
	require.Equal(t, there[KindLaunched]+3, back[KindRemoved], "and three that only the later table had deprecated")
}

func TestMarkdownEscapes(t *testing.T) {
	d := Changes{List: []Change{{KindRepublished, "a|b`c", "<script>", "x|y"}}}
	require.Contains(t, d.Markdown(), "| republished | `a\\|b&#96;c` | &lt;script> | x\\|y |\n")
}
