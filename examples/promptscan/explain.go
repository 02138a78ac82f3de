package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/llmaas/llmaas-go/guard"
)

// writeRules prints the rule of that id, or the rules of "family/*".
func writeRules(w *bufio.Writer, g *guard.Guard, name string) error {
	family, isFamily := strings.CutSuffix(name, "*")
	n := 0
	for _, r := range g.Rules() {
		if r.ID != name && !(isFamily && strings.HasPrefix(r.ID, family)) {
			continue
		}
		if n > 0 {
			fmt.Fprintln(w)
		}
		writeRule(w, r)
		n++
	}
	if n == 0 {
		return fmt.Errorf("-explain: got no rule %q, want an id as findings name it, or a family as \"unicode/*\"", name)
	}
	return nil
}

func writeRule(w *bufio.Writer, r guard.Rule) {
	fmt.Fprintf(w, "%s  (layer %s, %s, %d points)\n  %s\n", r.ID, r.Layer, r.Severity, r.Points, r.Why)
	if r.Place != "" {
		fmt.Fprintf(w, "  written in %s\n", r.Place)
	}
	for _, hit := range r.Hits {
		fmt.Fprintf(w, "  hit:  %s\n", visible(hit))
	}
	for _, miss := range r.Misses {
		fmt.Fprintf(w, "  miss: %s\n", visible(miss))
	}
}
