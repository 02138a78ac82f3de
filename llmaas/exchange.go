package llmaas

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/llmaas/llmaas-go/cost"
)

// exchange is a call beside chat: a request and a reply that are each whole.
type exchange struct {
	op, method, path string
	model            string   // "" for calls that need none
	judged           []string // texts for the guard
	contentType      string
	body             []byte
	estimate         cost.Usage // what it will use, as far as can be known before
	rerank           bool       // the tokens of the usage are those of a rerank call
	once             bool       // it must not be sent again unless it is sure that nobody took it

	// check looks at what was decoded, once it is billed. May be nil.
	check func() error
}

// envelope is what every reply may have beside its own fields.
type envelope struct {
	Usage   json.RawMessage `json:"usage"`
	Backend Backend         `json:"backend"`
	Error   json.RawMessage `json:"error"`
}

// do makes the call and decodes its reply into v.
func (c *Client) do(ctx context.Context, x exchange, v any, result *Result) error {
	return c.doWith(ctx, x, result, func(resp *http.Response) (cost.Usage, error) {
		var own envelope
		raw, err := readReply(resp, &own)
		if err != nil {
			return cost.Usage{}, err
		}
		if isError(own.Error) {
			return cost.Usage{}, hiddenError(raw, resp.StatusCode)
		}
		if err := json.Unmarshal(raw, v); err != nil {
			return cost.Usage{}, &Error{Kind: ErrProtocol, Status: resp.StatusCode, cause: decodeError(err, len(raw))}
		}
		result.Backend = own.Backend
		return x.used(own.Usage), nil
	})
}

// used is what the service counted, else the estimate.
func (x exchange) used(usage json.RawMessage) cost.Usage {
	if !isError(usage) {
		usage = nil
	}
	used, _ := cost.UsageOr(usage, x.estimate) // contradictions give way to the estimate
	if x.rerank && used.Rerank == 0 {
		used.Rerank, used.Input = used.Input, 0
	}
	return used
}

// doWith makes the call; read takes its reply apart.
func (c *Client) doWith(ctx context.Context, x exchange, result *Result, read func(*http.Response) (cost.Usage, error)) error {
	known := c.begin(ctx, x.op, x.model)
	err := c.doOnce(ctx, x, known, result, read)
	if err != nil {
		failed := errorOf(err).fill(known)
		c.finish(known, result, failed)
		return failed
	}
	c.finish(known, result, nil)
	return nil
}

func (c *Client) doOnce(ctx context.Context, x exchange, known *facts, result *Result, read func(*http.Response) (cost.Usage, error)) error {
	known.once = x.once
	if err := c.admitExchange(ctx, x, known, result); err != nil {
		return err
	}
	ctx, cancel := c.withReplyTimeout(ctx)
	defer cancel()
	resp, err := c.send(ctx, known, x.method, x.path, x.contentType, x.body)
	if err != nil {
		return cause(ctx, err)
	}
	result.note(resp.Header, known)
	used, err := read(resp)
	if err != nil {
		return cause(ctx, err)
	}
	result.Model = x.model
	if x.model != "" {
		c.bill(x.model, used, result)
	}
	if x.check != nil {
		return x.check()
	}
	return nil
}

// admitExchange looks the model up, has the texts judged and asks the limits.
func (c *Client) admitExchange(ctx context.Context, x exchange, known *facts, result *Result) error {
	if x.model != "" {
		if err := c.advise(ctx, x.model, c.now(), result); err != nil {
			return err
		}
	}
	if err := c.judgeTexts(ctx, x.judged, result); err != nil || x.model == "" {
		return err
	}
	bill, _ := c.prices.At(c.now()).Bill(x.estimate) // without a price there is nothing to set aside
	return c.admit(ctx, known, x.estimate.Output, bill.Total)
}

// readAll reads a reply whole, and closes its body.
func readAll(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &Error{Kind: ErrTruncated, Status: resp.StatusCode, cause: err}
	case err != nil:
		return nil, err
	case len(body) > maxReply:
		return nil, tooLong(resp.StatusCode)
	}
	return body, nil
}
