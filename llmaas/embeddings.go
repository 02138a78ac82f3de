package llmaas

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmaas/llmaas-go/cost"
	"github.com/llmaas/llmaas-go/tokens"
)

// EmbeddingsResponse is the answer to [Client.Embeddings].
type EmbeddingsResponse struct {
	openai.EmbeddingResponse
	Result
}

// embeddingsReply is a reply on the wire.
type embeddingsReply struct {
	openai.EmbeddingResponse
	Data []struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"`
}

// vector is an embedding, as numbers or as base64 of little-endian floats.
type vector []float32

// UnmarshalJSON reads either form.
func (v *vector) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '"' {
		return json.Unmarshal(data, (*[]float32)(v))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return errors.New("an embedding that is no base64 of 32-bit floats")
	}
	*v = make(vector, len(raw)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}

// Embeddings turns texts into vectors, one for each input and in its order. The
// input is a string or a slice of strings; the service takes no token ids. With
// EncodingFormat base64 the reply is a third of the size.
func (c *Client) Embeddings(ctx context.Context, from openai.EmbeddingRequestConverter) (*EmbeddingsResponse, error) {
	req := from.Convert()
	texts, ok := inputTexts(req.Input)
	if !ok {
		return nil, &Error{Op: "embeddings", Kind: ErrInvalidRequest, cause: fmt.Errorf("input is %T, want a string or strings", req.Input)}
	}
	extra := maps.Clone(req.ExtraBody)
	if extra == nil {
		extra = make(map[string]any)
	}
	maps.Copy(extra, callFrom(ctx).Extra)
	req.ExtraBody = nil
	body, err := encode(req, extra)
	if err != nil {
		return nil, &Error{Op: "embeddings", Kind: ErrInvalidRequest, cause: err}
	}
	model := string(req.Model)
	x := exchange{op: "embeddings", method: http.MethodPost, path: "/embeddings", model: model, contentType: "application/json", body: body}
	x.estimate = cost.Usage{Input: likely(model, texts...)}
	resp := new(EmbeddingsResponse)
	var wire embeddingsReply
	x.check = func() (err error) {
		resp.EmbeddingResponse = wire.EmbeddingResponse
		resp.Data, err = wire.inOrder(len(texts))
		return err
	}
	if err := c.do(ctx, x, &wire, &resp.Result); err != nil {
		return nil, err
	}
	return resp, nil
}

// inOrder are the vectors of n texts in the order of the texts.
func (r *embeddingsReply) inOrder(n int) ([]openai.Embedding, error) {
	if len(r.Data) != n {
		return nil, &Error{Kind: ErrProtocol, cause: fmt.Errorf("%d vectors for %d texts", len(r.Data), n)}
	}
	all := make([]openai.Embedding, n)
	for _, d := range r.Data {
		if d.Index < 0 || d.Index >= n || all[d.Index].Embedding != nil || len(d.Embedding) == 0 {
			return nil, &Error{Kind: ErrProtocol, cause: fmt.Errorf("the vector of index %d is empty, twice there or of no text", d.Index)}
		}
		all[d.Index] = openai.Embedding{Object: d.Object, Index: d.Index, Embedding: d.Embedding}
	}
	return all, nil
}

func inputTexts(input any) ([]string, bool) {
	switch in := input.(type) {
	case string:
		return []string{in}, true
	case []string:
		return in, len(in) > 0
	}
	return nil, false
}

// likely is how many tokens the texts probably are.
func likely(model string, texts ...string) int64 {
	estimator, n := tokens.For(model), int64(0)
	for _, text := range texts {
		n += int64(estimator.Estimate(text).Likely)
	}
	return n
}
