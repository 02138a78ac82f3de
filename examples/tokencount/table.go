package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/tokens"
)

// table prints one row per file and family.
func (c *counter) table(files []string, tariff cost.Tariff) {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	header := "file\tfamily\tlow\tlikely\thigh\tprice in €\t\n"
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			c.complain("%v", err)
			continue
		}
		fmt.Fprint(w, header)
		header = ""
		for _, family := range tokens.Families() {
			e, err := tokens.ForFamily(family)
			if err != nil {
				c.complain("%v", err)
				return
			}
			est := e.Estimate(string(text))
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t\n", name, family, est.Low, est.Likely, est.High, price(tariff, est.Likely))
		}
	}
	if err := w.Flush(); err != nil {
		c.complain("%v", err)
	}
}

// price is what n input tokens cost, or a dash before the first tariff.
func price(tariff cost.Tariff, n int) string {
	bill, err := tariff.Bill(cost.Usage{Input: int64(n)})
	if err != nil {
		return "-"
	}
	return bill.Total.String()
}
