package lifecycle_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing/fstest"
	"time"

	"github.com/llmaas/llmaas-go/lifecycle"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func ExampleCatalogue_StatusAt() {
	s, err := lifecycle.Default().StatusAt("cogito:32b", day("2026-06-01"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Phase, s.EndOfSupport, s.DaysLeft, s.Successor)
	// Output: notice 2026-06-30 29 gpt-oss:120b
}

// What was known on a day differs from what is known about it now.
func ExampleCatalogue_AsKnown() {
	then := day("2025-12-15")
	now, _ := lifecycle.Default().StatusAt("qwen3:0.6b", then)
	known, _ := lifecycle.Default().AsKnown(lifecycle.DateOf(then)).StatusAt("qwen3:0.6b", then)
	fmt.Println(known.Phase, known.EndOfSupport)
	fmt.Println(now.Phase, now.EndOfSupport)
	// Output:
	// notice 2025-12-31
	// production 2026-12-30
}

func ExampleCatalogue_Successor() {
	r, err := lifecycle.Default().Successor("mistral-small3.1:24b", day("2026-05-17"))
	fmt.Println(r.Model, err)
	fmt.Println(r.Reason)
	// Output:
	// mistral-small3.2:24b <nil>
	// same family, can chat tools vision safety, 24B parameters for 24B
}

func ExampleCatalogue_Select() {
	m, err := lifecycle.Default().Select(lifecycle.Need{
		Capabilities: lifecycle.Chat | lifecycle.Vision,
		Context:      100_000,
		Order:        lifecycle.LeastEnergy,
	}, day("2026-05-17"))
	fmt.Println(m.ID, m.EnergyWh, err)
	// Output: gemma4:e2b 1110 <nil>
}

func ExampleCatalogue_Advise() {
	a := lifecycle.Default().Advise("deepseek-r1:70b", day("2026-05-17"), lifecycle.AdviceOptions{})
	fmt.Println(a.Action, a.Code)
	fmt.Println(a.Reason)
	// Output:
	// refuse 410
	// deepseek-r1:70b was deprecated on 2025-10-17; use llama3.3:70b (another publisher, a chat model, 70B parameters for 70B)
}

func ExampleStatus_SetHeader() {
	s, _ := lifecycle.Default().StatusAt("cogito:32b", day("2026-06-01"))
	h := http.Header{}
	s.SetHeader(h)
	fmt.Println(h.Get("Deprecation"))
	fmt.Println(h.Get("Sunset"))
	// Output:
	// @1774828800
	// Tue, 30 Jun 2026 00:00:00 GMT
}

func ExampleLintSource() {
	tree := fstest.MapFS{"best.py": {Data: []byte("model = \"deepseek-r1:70b\"\n")}}
	uses, err := lifecycle.LintSource(tree, lifecycle.Default(), day("2026-05-17"))
	fmt.Println(uses[0], err)
	// Output: best.py:1:10: deepseek-r1:70b was deprecated on 2025-10-17; use llama3.3:70b <nil>
}

func ExampleLint() {
	for _, b := range lifecycle.Lint(lifecycle.Default(), lifecycle.DefaultPolicy()) {
		if b.Model == "gemma3:12b" {
			fmt.Println(b)
		}
	}
	// Output:
	// duplicate: gemma3:12b: in production until 2026-12-31 and deprecated on 2025-11-21 in one table; the deprecation counts
	// short-life: gemma3:12b: from 2025-06-13 to its deprecation on 2025-11-21, 161 days; stable until 2025-12-13 was promised
	// short-notice: gemma3:12b: deprecation on 2025-11-21 in the table of 2025-11-22, 0 days of notice; the table of 2025-11-22 promised support until 2026-12-31
}

// A table of one's own, added to the embedded ones while a program runs.
func ExampleLive() {
	var live lifecycle.Live
	for _, text := range []string{
		`{"as_of": "2026-06-01", "source": "our lab", "models": [
{"id": "acme:7b", "launched": "2026-06-01", "end_of_support": "2026-05-01"}]}`,
		`{"as_of": "2026-06-01", "source": "our lab", "models": [
{"id": "acme:7b", "launched": "2026-06-01", "end_of_support": "2027-05-01"}]}`,
	} {
		c, err := lifecycle.Load(strings.NewReader(text))
		if err != nil {
			fmt.Println(err)
			continue
		}
		live.Replace(lifecycle.Default().Merge(c))
	}
	s, err := live.Current().StatusAt("acme:7b", day("2026-06-02"))
	fmt.Println(s.Phase, s.DaysLeft, err)
	// Output:
	// lifecycle: table:2: models[0] "acme:7b": got end_of_support 2026-05-01, want it after launched 2026-06-01
	// production 333 <nil>
}

func ExampleCatalogue_Calendar() {
	events, err := lifecycle.Default().Calendar(day("2026-05-17"), 60, "cogito:32b", "gpt-oss:20b")
	for _, e := range events {
		fmt.Println(e.Day, e.Text)
	}
	fmt.Println(err)
	// Output:
	// 2026-06-30 cogito:32b loses support
	// 2026-06-30 gpt-oss:20b is in notice until 2026-09-30
	// 2026-07-01 the provider reviews the plan
	// <nil>
}
