package llmaas

import (
	"context"
	"net/http"

	openai "github.com/sashabaranov/go-openai"
)

// ImagesResponse is the answer to [Client.Images].
type ImagesResponse struct {
	openai.ImageResponse
	Result
}

// Images makes pictures from a prompt, which the guard judges. The service
// publishes no price for them: the bill is empty.
func (c *Client) Images(ctx context.Context, req openai.ImageRequest) (*ImagesResponse, error) {
	body, err := encode(req, callFrom(ctx).Extra)
	if err != nil {
		return nil, &Error{Op: "images", Kind: ErrInvalidRequest, cause: err}
	}
	x := exchange{
		op: "images", method: http.MethodPost, path: "/images/generations", model: req.Model, judged: []string{req.Prompt},
		contentType: "application/json", body: body,
	}
	resp := new(ImagesResponse)
	if err := c.do(ctx, x, &resp.ImageResponse, &resp.Result); err != nil {
		return nil, err
	}
	return resp, nil
}
