package llmaas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	openai "github.com/sashabaranov/go-openai"
)

// maxRequest is the largest request body that [Transport] takes, in bytes.
const maxRequest = 256 << 20

// Transport gives a client of somebody else's the powers of a [Client]: guard,
// limits, token, retries, fallbacks and an honest wire, as the transport of its
// HTTP client.
//
//	rt, err := llmaas.Transport(cfg)
//	conf := openai.DefaultConfig("unused") // the token is cfg's
//	conf.BaseURL, conf.HTTPClient = cfg.BaseURL, &http.Client{Transport: rt}
//	client := openai.NewClientWithConfig(conf)
//
// Every failure is an [*Error], also a reply with an error status, and an error
// in a reply of success; [errors.As] finds an *openai.APIError in it too. Streams
// come out in the one shape that go-openai reads without loss; one that was cut
// off ends in [ErrTruncated]. Costs go to [Config.Observer].
//
// The guard judges chats, completions and pictures; what stands in uploaded files
// is not judged. Limits and [Config.Budget] count calls that name a model in JSON;
// streams that are no chats are not billed. A client that itself retries what fails
// on the way, as openai-go does, should be told not to. Fields of messages that go-openai does not know are left out:
// what was judged is what is sent.
//
// Requests may go to the host of [Config.BaseURL] alone: others would get the token.
func Transport(cfg Config) (http.RoundTripper, error) {
	c, err := New(cfg)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(c.base)
	if err != nil {
		return nil, err
	}
	return &roundTripper{c: c, host: base.Host, scheme: base.Scheme}, nil
}

type roundTripper struct {
	c            *Client
	scheme, host string
}

// RoundTrip makes one call.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := takeBody(req)
	if err != nil {
		return nil, &Error{Op: "round trip", Kind: ErrInvalidRequest, cause: err}
	}
	if req.URL.Scheme != t.scheme || req.URL.Host != t.host {
		return nil, &Error{Op: "round trip", Kind: ErrInvalidRequest, cause: errors.New("it goes to another host than Config.BaseURL")}
	}
	if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/chat/completions") {
		return t.chat(req, body)
	}
	return t.other(req, body)
}

// takeBody reads the body, which RoundTrip must close in any case.
func takeBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
	if len(body) > maxRequest {
		return nil, fmt.Errorf("a body longer than %d bytes", maxRequest)
	}
	return body, err
}

// withHeader passes the caller's headers on, but for those that are the client's.
func withHeader(req *http.Request, call Call) context.Context {
	header := req.Header.Clone()
	for _, name := range []string{"Authorization", "Content-Type", "Accept-Encoding", "Connection"} {
		header.Del(name)
	}
	for name, values := range call.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	call.Header = header
	return WithCall(req.Context(), call)
}

func (t *roundTripper) chat(req *http.Request, body []byte) (*http.Response, error) {
	var asked openai.ChatCompletionRequest
	fields := make(map[string]any)
	var raw map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(body, &asked), json.Unmarshal(body, &raw)); err != nil {
		return nil, &Error{Op: "chat", Kind: ErrInvalidRequest, cause: errors.New("the body is no chat request")}
	}
	for name, value := range raw {
		switch strings.ToLower(name) {
		case "model", "stream", "stream_options", "messages": // what was judged is what is sent
		default:
			fields[name] = value
		}
	}
	call := callFrom(req.Context())
	for name, value := range call.Extra {
		fields[name] = value
	}
	call.Extra = fields
	ctx := withHeader(req, call)
	if !asked.Stream {
		resp, err := t.c.Chat(ctx, asked)
		if err != nil {
			return nil, err
		}
		return t.whole(req, resp)
	}
	s := t.c.Stream(ctx, asked)
	if err := s.Err(); err != nil {
		return nil, err
	}
	return reply(req, s.header, "text/event-stream", &frames{s: s}), nil
}

func (t *roundTripper) whole(req *http.Request, resp *Response) (*http.Response, error) {
	data, err := json.Marshal(struct {
		openai.ChatCompletionResponse
		Backend Backend `json:"backend"`
	}{resp.ChatCompletionResponse, resp.Result.Backend})
	if err != nil {
		return nil, &Error{Op: "chat", Kind: ErrProtocol, cause: errors.New("the reply cannot be encoded again")}
	}
	out := reply(req, resp.Header(), "application/json", io.NopCloser(bytes.NewReader(data)))
	out.ContentLength = int64(len(data))
	out.Header.Set("Content-Length", strconv.Itoa(len(data)))
	return out, nil
}

// reply is a reply with the headers of the one that it is made of.
func reply(req *http.Request, header http.Header, contentType string, body io.ReadCloser) *http.Response {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Del("Content-Length")
	header.Set("Content-Type", contentType)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: body, ContentLength: -1, Request: req,
	}
}

// frames is a stream in the shape that every reader of server-sent events takes.
type frames struct {
	s    *Stream
	buf  bytes.Buffer
	done bool
}

// Read returns the next bytes. A stream that ended badly ends in its error.
func (f *frames) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for f.buf.Len() == 0 {
		if f.done {
			return 0, io.EOF
		}
		chunk := f.s.step()
		if chunk == nil && f.s.err != nil {
			return 0, f.s.err
		}
		f.buf.WriteString("data: ")
		if chunk == nil {
			f.buf.WriteString("[DONE]")
			f.done = true
		} else if err := json.NewEncoder(&f.buf).Encode(struct {
			openai.ChatCompletionStreamResponse
			Backend Backend `json:"backend"`
		}{chunk.ChatCompletionStreamResponse, chunk.Backend}); err != nil {
			return 0, &Error{Op: "stream", Kind: ErrProtocol, cause: errors.New("a chunk cannot be encoded again")}
		}
		f.buf.WriteString("\n\n")
	}
	return f.buf.Read(p)
}

// Close ends the stream.
func (f *frames) Close() error { return f.s.Close() }
