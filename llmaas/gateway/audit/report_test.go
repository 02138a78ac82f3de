package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	fill(t, l, 4)
	refused := []Step{{Name: "guard", Decision: "refuse", Rules: []string{"a/b"}}}
	failed := []Step{{Name: "backend", Decision: "refuse"}}
	for _, r := range []Record{
		{Tenant: "=acme|", Model: "m", Status: 400, Steps: refused},
		{Tenant: "acme", Model: "m", Status: 502, Steps: failed},
		{Tenant: "acme", Model: "stopped", Status: 502, Steps: refused},
		{Tenant: "acme", Model: "m", Status: 429},
		{Tenant: "acme", Model: "m", Status: 499, Steps: failed},
	} {
		r.Time = noon
		require.NoError(t, l.Append(r))
	}
	require.NoError(t, l.Close())
	r, err := NewReport(dir, Filter{From: noon}, k1)
	require.NoError(t, err)
	var j, c, m bytes.Buffer
	require.NoError(t, r.WriteJSON(&j))
	require.NoError(t, r.WriteCSV(&c))
	require.NoError(t, r.WriteMarkdown(&m))
	require.Equal(t, `tenant,day,model,outcome,requests,input_tokens,output_tokens,reasoning_tokens,cost_nano_euro
'=acme|,2026-05-20,m,refused,1,0,0,0,0
acme,2026-05-20,gpt-oss:120b,answered,2,140,400,80,3086000
acme,2026-05-20,m,canceled,1,0,0,0,0
acme,2026-05-20,m,failed,1,0,0,0,0
acme,2026-05-20,m,refused,1,0,0,0,0
acme,2026-05-20,stopped,refused,1,0,0,0,0
zeta,2026-05-20,gpt-oss:120b,answered,2,140,400,80,3086000
`, c.String())
	require.Contains(t, m.String(), "The chain verifies.")
	require.Contains(t, m.String(), `| =acme&#124; | 2026-05-20 | m | refused | 1 |`)
	var back Report
	require.NoError(t, json.Unmarshal(j.Bytes(), &back))
	require.Equal(t, r, back)
	require.NotRegexp(t, `"[A-Z]`, j.String(), "names in one style")

	edit(t, filepath.Join(dir, segmentName(1)), func(l []string) []string { return l[1:] })
	r, err = NewReport(dir, Filter{}, k1)
	require.NoError(t, err)
	m.Reset()
	require.NoError(t, r.WriteMarkdown(&m))
	require.Contains(t, m.String(), "does not verify")
}

// Callers choose the names of models: no report runs, shows or fetches what they
// wrote.
func TestReportOfHostileNames(t *testing.T) {
	for _, row := range []struct{ name, csv, markdown string }{
		{"=1+1", "'=1+1", "=1+1"},
		{"+1", "'+1", "+1"},
		{"-1", "'-1", "-1"},
		{"@SUM(A1)", "'@SUM(A1)", "@SUM(A1)"},
		{"\t=1", "'\t=1", "\t=1"},
		{"\r=1", "\"'\r=1\"", " =1"},
		{"\n=1", "\"'\n=1\"", " =1"},
		{"＝1", "'＝1", "＝1"},
		{`a"b,c`, `"a""b,c"`, `a"b,c`},
		{"a|b", "a|b", "a&#124;b"},
		{`a\|b`, `a\|b`, "a&#92;&#124;b"},
		{"a\n\n# b", "\"a\n\n# b\"", "a  # b"},
		{"<img src=x>", "<img src=x>", "&lt;img src=x&gt;"},
		{"![x](https://x.example/y)", "![x](https://x.example/y)", "!&#91;x&#93;(https&#58;//x.example/y)"},
		{"www.x.example `b` **c** _d_", "www.x.example `b` **c** _d_", "www&#46;x.example &#96;b&#96; &#42;&#42;c&#42;&#42; &#95;d&#95;"},
		{"gpt-oss:120b", "gpt-oss:120b", "gpt-oss:120b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := Report{Rows: []Row{{Tenant: "t", Model: row.name}}}
			var c, m bytes.Buffer
			require.NoError(t, r.WriteCSV(&c))
			require.NoError(t, r.WriteMarkdown(&m))
			require.Contains(t, c.String(), "\nt,,"+row.csv+",,0")
			require.Contains(t, m.String(), "\n| t |  | "+row.markdown+" |  | 0 |")
		})
	}
}

// Names that callers make up do not fill the memory of a report.
func TestReportIsBounded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, func(o *Options) { o.SyncEvery = time.Hour })
	for i := range maxRows + 10 {
		require.NoError(t, l.Append(Record{Time: noon, Model: fmt.Sprint(i), Status: 404}))
	}
	require.NoError(t, l.Append(Record{Time: noon, Model: "zz", Status: 200}))
	require.NoError(t, l.Close())
	r, err := NewReport(dir, Filter{}, k1)
	require.NoError(t, err)
	require.Len(t, r.Rows, maxRows+2)
	require.Equal(t, Row{Day: "2026-05-20", Model: "zz", Outcome: "answered", Requests: 1}, r.Rows[maxRows+1])
	require.Equal(t, Row{Day: "2026-05-20", Model: "other", Outcome: "refused", Requests: 10}, r.Rows[maxRows])
}
