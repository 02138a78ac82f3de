package tokens

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var benchTexts = []struct{ name, text string }{
	{"English", strings.Repeat("When the committee finally met on a grey Thursday afternoon, nobody expected that the question of funding "+
		"would take more than an hour. The chairwoman opened the discussion with a short summary of last year's figures, and several members "+
		"asked for a clearer explanation of the transport costs, which had risen by 14 percent since spring. ", 40)},
	{"Chinese", strings.Repeat("委员会终于在一个阴沉的星期四下午开会，谁也没有想到资金问题会讨论一个多小时。主席首先简短地总结了去年的数字，"+
		"几位成员要求更清楚地说明自春季以来上涨了百分之十四的运输费用。", 80)},
	{"Code", strings.Repeat("func (s *Server) handleOrder(w http.ResponseWriter, r *http.Request) {\n\tvar in orderRequest\n"+
		"\tif err := json.NewDecoder(r.Body).Decode(&in); err != nil {\n\t\thttp.Error(w, err.Error(), http.StatusBadRequest)\n\t\treturn\n\t}\n"+
		"\tfor i, line := range in.Lines {\n\t\tif line.Quantity <= 0 || line.SKU == \"\" {\n\t\t\ts.log.Warn(\"bad line\", \"index\", i)\n\t\t\tcontinue\n\t\t}\n\t}\n}\n", 40)},
	{"Prompt80", "Summarize the attached report in five bullet points and name the main risks, ok?"},
}

// The ratio is the time of utf8.RuneCount over the time of Estimate on the same
// text: 1 would be as fast as counting code points.
func BenchmarkEstimate(b *testing.B) {
	e := For("gpt-oss:120b")
	for _, row := range benchTexts {
		b.Run(row.name, func(b *testing.B) {
			b.SetBytes(int64(len(row.text)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n += e.Estimate(row.text).Likely
			}
			perOp := b.Elapsed() / time.Duration(b.N)
			raw := []byte(row.text)
			start := time.Now()
			rounds := 0
			for ; time.Since(start) < 50*time.Millisecond; rounds++ {
				n += utf8.RuneCount(raw)
			}
			b.ReportMetric(float64(time.Since(start))/float64(rounds)/float64(max(perOp, 1)), "ratio-to-RuneCount")
		})
	}
}
