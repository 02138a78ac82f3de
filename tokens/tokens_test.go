package tokens

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func ExampleCharsPer4() {
	fmt.Println(CharsPer4("Erklären Sie die Photosynthese"))
	// Output: 7
}

func TestFor(t *testing.T) {
	for _, row := range []struct{ model, family string }{
		{"gpt-oss:120b", "o200k"},
		{"GPT-OSS:20b ", "o200k"},
		{"llama3.3:70b", "llama3"},
		{"cogito:3b", "llama3"},
		{"cogito:32b", "qwen"},
		{"cogito:70b", Unknown},
		{"deepseek-r1:14b", "qwen"},
		{"deepseek-r1:70b", "llama3"},
		{"deepseek-r1:671b", "deepseek_v3"},
		{"qwen3-2507:30b-a3b", "qwen"},
		{"mistral-small3.2:24b", "tekken"},
		{"granite3.3:8b", "granite3"},
		{"granite4-small-h:32b", "granite4"},
		{"olmo:7b", Unknown},
		{"", Unknown},
	} {
		e := For(row.model)
		require.Equal(t, row.family, e.Family(), row.model)
		got := e.Estimate("a text of some words, and more")
		require.LessOrEqual(t, got.Low, got.Likely, row.model)
		require.LessOrEqual(t, got.Likely, got.High, row.model)
		require.LessOrEqual(t, got.High, 30, row.model)
	}
}

// TestFamiliesFile keeps the embedded facts whole.
func TestFamiliesFile(t *testing.T) {
	dec := json.NewDecoder(bytes.NewReader(familiesJSON))
	dec.DisallowUnknownFields()
	var f struct {
		facts
		Note string `json:"note"`
	}
	require.NoError(t, dec.Decode(&f))
	require.NotEmpty(t, f.Source)
	require.Regexp(t, `^\d{4}-\d\d-\d\d$`, f.AsOf)
	require.NotEmpty(t, f.Models)
	prefixes := map[string]bool{}
	for _, m := range f.Models {
		require.False(t, prefixes[m.Prefix], m.Prefix)
		prefixes[m.Prefix] = true
		require.Contains(t, Families(), m.Family, m.Prefix)
		require.True(t, m.Template == "" || findTemplate(m.Template) != nil, m.Prefix)
	}
	for _, family := range f.Families {
		require.True(t, family.Template == "" || findTemplate(family.Template) != nil, family.Name)
	}
}

// TestTablesStaySmall keeps what is embedded within its bounds: 64 KB a family
// with its share of the index.
func TestTablesStaySmall(t *testing.T) {
	files, err := tableFiles.ReadDir("tables")
	require.NoError(t, err)
	require.Len(t, files, len(Families())+1)
	all := len(file("index"))
	for _, name := range Families() {
		require.LessOrEqual(t, len(file(name))+len(file("index"))/len(Families()), 64<<10, name)
		all += len(file(name))
	}
	require.LessOrEqual(t, all, 640<<10)
}

// TestHostileTexts: what nothing was learned about is bounded by its bytes, and
// nothing is bounded above them.
func TestHostileTexts(t *testing.T) {
	for _, unit := range []string{"\u0301", "\U000e0041", "\ufe0f", "\u202e", "ཀ", "𒀀", "ﷺ", "ක", "ა", "q", "7", "{", "\x00", "\xff", "字", "🙂", "Ж"} {
		text := strings.Repeat(unit, 400)
		for _, name := range Families() {
			e, err := ForFamily(name)
			require.NoError(t, err)
			got := e.Estimate(text)
			require.LessOrEqual(t, got.High, len(text), "%s %+q", name, unit)
			require.Greater(t, got.High, len(text)*9/10, "%s %+q", name, unit)
		}
	}
}

func TestForFamily(t *testing.T) {
	require.Len(t, Families(), 8)
	for _, name := range Families() {
		e, err := ForFamily(name)
		require.NoError(t, err)
		require.Equal(t, name, e.Family())
	}
	_, err := ForFamily("gpt2")
	require.ErrorContains(t, err, `got "gpt2", want one of deepseek_v3`)
}

func TestCharsPer4(t *testing.T) {
	for _, row := range []struct {
		text string
		want int
	}{
		{"", 0}, {"abc", 0}, {"abcd", 1}, {"äöü", 0}, {"äöüß", 1}, {"漢字漢字漢", 1}, {"\xff\xff\xff\xff", 1},
		{"Erklären Sie die Photosynthese", 7},
	} {
		require.Equal(t, row.want, CharsPer4(row.text), row.text)
	}
}

func TestEstimateAllocatesNothing(t *testing.T) {
	e := For("qwen3:8b")
	text := strings.Repeat("Eight words of text, then 123 numbers; 漢字 and Привет — ok.\n", 20)
	require.Zero(t, testing.AllocsPerRun(100, func() { e.Estimate(text) }))
}

func TestEstimateMessages(t *testing.T) {
	e := For("qwen3:8b")
	hello := Message{Role: "user", Content: "Hello there, how are you?"}
	one := e.EstimateMessages([]Message{hello})
	require.Equal(t, 8, one.Template)
	require.Equal(t, e.Estimate(hello.Content), one.Input)
	require.False(t, one.Unmeasured)

	more := e.EstimateMessages([]Message{{Role: "system", Content: "Be brief."}, hello, {Role: "assistant", Content: "Fine."}, hello},
		`{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}`)
	require.Greater(t, more.Total.Likely, one.Total.Likely+100)
	require.Greater(t, more.System.Likely, one.System.Likely)

	image := e.EstimateMessages([]Message{{Role: "user", Content: "What is this?", Images: 2}})
	require.Equal(t, 2, image.Images)
	require.True(t, For("olmo:7b").EstimateMessages([]Message{hello}).Unmeasured)
	require.Equal(t, MessagesEstimate{}, e.EstimateMessages(nil))
}
