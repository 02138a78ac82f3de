package llmaas

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/llmaas/llmaas-go/cost"
)

// RerankRequest asks how well documents answer a query (Cohere's API, which the
// service has and go-openai lacks).
type RerankRequest struct {
	Model     string   `json:"model"`
	Query     string   `json:"query"`
	Documents []string `json:"documents"`
	TopN      int      `json:"top_n,omitempty"` // how many to return; 0 means all

	V2 bool `json:"-"` // ask /v2/rerank in place of /rerank
}

// RerankResponse is the answer to [Client.Rerank].
type RerankResponse struct {
	ID      string         `json:"id"`
	Results []RerankResult `json:"results"` // best first
	Result  `json:"-"`
}

// RerankResult is one document.
type RerankResult struct {
	Index    int            `json:"index"` // in the request
	Score    float64        `json:"relevance_score"`
	Document RerankDocument `json:"document"`
}

// RerankDocument is the text of a document, if the service repeats it.
type RerankDocument struct {
	Text string `json:"text"`
}

// UnmarshalJSON takes an object with a text, or the text alone.
func (d *RerankDocument) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &d.Text)
	}
	type plain RerankDocument
	return json.Unmarshal(data, (*plain)(d))
}

// Rerank orders the documents by how well they answer the query.
func (c *Client) Rerank(ctx context.Context, req RerankRequest) (*RerankResponse, error) {
	body, err := encode(req, callFrom(ctx).Extra)
	if err != nil {
		return nil, &Error{Op: "rerank", Kind: ErrInvalidRequest, cause: err}
	}
	x := exchange{op: "rerank", method: http.MethodPost, path: "/rerank", model: req.Model, contentType: "application/json", body: body, rerank: true}
	if req.V2 {
		x.path = "/v2/rerank"
	}
	x.estimate = cost.Usage{Rerank: likely(req.Model, req.Query) + likely(req.Model, req.Documents...)}
	resp := new(RerankResponse)
	x.check = func() error {
		for _, r := range resp.Results {
			if r.Index < 0 || r.Index >= len(req.Documents) {
				return &Error{Kind: ErrProtocol, cause: fmt.Errorf("a result of document %d of %d", r.Index, len(req.Documents))}
			}
		}
		return nil
	}
	if err := c.do(ctx, x, resp, &resp.Result); err != nil {
		return nil, err
	}
	return resp, nil
}
