package llmaastest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

type rerankRequest struct {
	Model     string           `json:"model"`
	Query     string           `json:"query"`
	Documents []rerankDocument `json:"documents"`
	TopN      int              `json:"top_n"`
}

type rerankDocument struct {
	Text string `json:"text"`
}

// UnmarshalJSON takes a string or an object with a text.
func (d *rerankDocument) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &d.Text)
	}
	type plain rerankDocument
	return json.Unmarshal(data, (*plain)(d))
}

type rerankResult struct {
	Index          int            `json:"index"`
	RelevanceScore float64        `json:"relevance_score"`
	Document       rerankDocument `json:"document"`
}

func (b *Backend) serveRerank(c *call) {
	var req rerankRequest
	if !c.decode(&req) {
		return
	}
	if len(req.Documents) == 0 || req.TopN < 0 {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "documents must not be empty.")
		return
	}
	if _, ok := b.serves(c, req.Model); !ok {
		return
	}
	results := make([]rerankResult, len(req.Documents))
	for i, doc := range req.Documents {
		results[i] = rerankResult{i, overlap(req.Query, doc.Text), doc}
	}
	slices.SortStableFunc(results, func(a, b rerankResult) int {
		switch {
		case a.RelevanceScore > b.RelevanceScore:
			return -1
		case a.RelevanceScore < b.RelevanceScore:
			return 1
		}
		return 0
	})
	if req.TopN > 0 {
		results = results[:min(req.TopN, len(results))]
	}
	c.send(http.StatusOK, map[string]any{
		"id": c.w.Header().Get("id"), "model": req.Model, "results": results,
		"usage": map[string]any{"billed_units": map[string]int{"search_units": 1}},
	})
}

// overlap is the share of the query's words that the document has.
func overlap(query, doc string) float64 {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	asked, has := words(query), words(doc)
	if len(asked) == 0 {
		return 0
	}
	shared := 0
	for _, w := range asked {
		if slices.Contains(has, w) {
			shared++
		}
	}
	return float64(shared) / float64(len(asked))
}
