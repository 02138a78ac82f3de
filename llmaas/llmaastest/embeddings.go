package llmaastest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
)

// defaultDimensions is the length of a vector when the model names none.
const defaultDimensions = 768

type embeddingsRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat string          `json:"encoding_format"`
	Dimensions     int             `json:"dimensions"`
}

func (b *Backend) serveEmbeddings(c *call) {
	var req embeddingsRequest
	if !c.decode(&req) {
		return
	}
	texts, ok := inputs(req.Input)
	if !ok || req.Dimensions < 0 || req.Dimensions > 16384 {
		c.fail(http.StatusBadRequest, "invalid_request_error", "", "input must be a string, or an array of strings.")
		return
	}
	model, ok := b.serves(c, req.Model)
	if !ok {
		return
	}
	size := model.Dimensions
	if req.Dimensions > 0 {
		size = req.Dimensions
	}
	if size == 0 {
		size = defaultDimensions
	}
	type embedding struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"`
	}
	data, tokens := make([]embedding, len(texts)), 0
	for i, text := range texts {
		tokens += count(text)
		v := vector(text, size)
		data[i] = embedding{"embedding", i, v}
		if req.EncodingFormat == "base64" {
			data[i].Embedding = base64.StdEncoding.EncodeToString(littleEndian(v))
		}
	}
	c.send(http.StatusOK, map[string]any{
		"object": "list", "data": data, "model": req.Model,
		"usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

// inputs reads a string or an array of strings. Token ids are refused, as the
// service does (API page, 2025).
func inputs(raw json.RawMessage) ([]string, bool) {
	var many []*string // a null among them is no text
	if json.Unmarshal(raw, &many) != nil {
		var one *string
		if json.Unmarshal(raw, &one) != nil {
			return nil, false
		}
		many = []*string{one}
	}
	texts := make([]string, len(many))
	for i, text := range many {
		if text == nil {
			return nil, false
		}
		texts[i] = *text
	}
	return texts, len(texts) > 0
}

// vector is a unit vector that depends on the text alone.
func vector(text string, size int) []float32 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	rng := rand.New(rand.NewPCG(h.Sum64(), uint64(size)))
	v, sum := make([]float32, size), 0.0
	for i := range v {
		x := rng.NormFloat64()
		v[i], sum = float32(x), sum+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func littleEndian(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}
