package llmaas

import (
	"context"
	"net/http"

	openai "github.com/sashabaranov/go-openai"
)

// ModelInfo is a model as the service lists it.
type ModelInfo struct {
	openai.Model
	Aliases []string `json:"aliases"`
	Context int      `json:"max_model_len"` // tokens of prompt and answer together; 0 when the service does not say
}

// Models lists what the service serves.
func (c *Client) Models(ctx context.Context) ([]ModelInfo, error) {
	var list struct {
		Data []ModelInfo `json:"data"`
	}
	var result Result
	if err := c.do(ctx, exchange{op: "models", method: http.MethodGet, path: "/models"}, &list, &result); err != nil {
		return nil, err
	}
	return list.Data, nil
}
