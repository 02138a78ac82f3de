package llmaas_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

const (
	model  = "gpt-oss:120b"
	prompt = "a prompt that must appear in no error"
	key    = "sk-a-key-that-must-appear-in-no-error"
)

func newClient(t *testing.T, srv *llmaastest.Server, change func(*llmaas.Config)) *llmaas.Client {
	t.Helper()
	cfg := llmaas.Config{
		Token:     llmaas.Static(key),
		BaseURL:   srv.URL,
		Transport: srv.Client().Transport,
		Retry:     llmaas.Retry{Attempts: 1},
		Now:       func() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) },
	}
	if change != nil {
		change(&cfg)
	}
	c, err := llmaas.New(cfg)
	require.NoError(t, err)
	return c
}

func ask(text string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: model, Messages: []openai.ChatCompletionMessage{{Role: "user", Content: text}}}
}

// seen is what a caller gets of one call.
type seen struct {
	text, reasoning, finish string
	kind                    error // nil for success
	status                  int
	typ, code               string
	retryAfter              time.Duration
	billed                  [2]int64 // input and output; zero means: do not look
	estimated               bool
}

func chunk(content string) string {
	return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"` + content + `"},"finish_reason":null}]}` + "\n\n"
}

const (
	stop   = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	done   = "data: [DONE]\n\n"
	counts = `data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16,"reasoning_tokens":4}}` + "\n\n"
)

func wholeReply(content, usage string) string {
	return `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		content + `"},"finish_reason":"stop"}]` + usage + `}`
}

// wire has a row for every way in which a service answers.
var wire = []struct {
	name   string
	stream bool
	reply  llmaastest.Reply
	want   seen
}{
	// Streams that are well.
	{"stream", true, llmaastest.Reply{Frames: []string{chunk("a"), chunk("b"), stop, counts, done}},
		seen{text: "ab", finish: "stop", billed: [2]int64{7, 9}}},
	{"stream without [DONE] but with a finish reason", true, llmaastest.Reply{Frames: []string{chunk("a"), stop}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"stream without a finish reason but with [DONE]", true, llmaastest.Reply{Frames: []string{chunk("a"), done}},
		seen{text: "a", estimated: true}},
	{"several events in one write", true, llmaastest.Reply{Frames: []string{chunk("a") + chunk("b") + stop + done}},
		seen{text: "ab", finish: "stop", estimated: true}},
	{"an event cut between writes", true, llmaastest.Reply{Frames: []string{chunk("a")[:20], chunk("a")[20:], stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"keep-alive comments", true, llmaastest.Reply{Frames: []string{strings.Repeat(": ping\n\n", 500), chunk("a"), ": ping\n", stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"carriage returns", true, llmaastest.Reply{Frames: []string{strings.ReplaceAll(chunk("a")+stop+done, "\n", "\r")}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"CRLF split between writes", true, llmaastest.Reply{Frames: []string{strings.TrimSuffix(strings.ReplaceAll(chunk("a"), "\n", "\r\n"), "\n"), "\n" + stop + done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"byte order mark", true, llmaastest.Reply{Frames: []string{"\ufeff" + chunk("a") + stop + done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"data in several lines", true, llmaastest.Reply{Frames: []string{"data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a\"}}]}\n\n", stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"no space after data:", true, llmaastest.Reply{Frames: []string{strings.Replace(chunk("a"), "data: ", "data:", 1), stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"created as a float", true, llmaastest.Reply{Frames: []string{strings.Replace(chunk("a"), `"created":1`, `"created":1.5`, 1), stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"usage null, then on every chunk", true, llmaastest.Reply{Frames: []string{
		`data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":7,"completion_tokens":2}}` + "\n\n", stop, done}},
		seen{text: "ab", finish: "stop", billed: [2]int64{7, 2}}},
	{"reasoning", true, llmaastest.Reply{Frames: []string{`data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}` + "\n\n", chunk("a"), stop, done}},
		seen{text: "a", reasoning: "hm", finish: "stop", estimated: true}},
	{"reasoning by its other name", true, llmaastest.Reply{Frames: []string{`data: {"choices":[{"index":0,"delta":{"reasoning":"hm"}}]}` + "\n\n", chunk("a"), stop, done}},
		seen{text: "a", reasoning: "hm", finish: "stop", estimated: true}},
	{"inline thinking", true, llmaastest.Reply{Frames: []string{chunk("<think>hm</think>\\n\\na"), stop, done}},
		seen{text: "a", reasoning: "hm", finish: "stop", estimated: true}},
	{"inline thinking, tags cut", true, llmaastest.Reply{Frames: []string{chunk(" <th"), chunk("ink>h"), chunk("m<"), chunk("/thin"), chunk("k>"), chunk("\\n"), chunk("a"), stop, done}},
		seen{text: "a", reasoning: "hm", finish: "stop", estimated: true}},
	{"thinking that never ends", true, llmaastest.Reply{Frames: []string{chunk("<think>hm</thi"), stop, done}},
		seen{reasoning: "hm</thi", finish: "stop", estimated: true}},
	{"an answer that looks like a tag", true, llmaastest.Reply{Frames: []string{chunk("<th"), chunk("e>"), stop, done}},
		seen{text: "<the>", finish: "stop", estimated: true}},
	{"half a tag, then [DONE] alone", true, llmaastest.Reply{Frames: []string{chunk("<thi"), done}},
		seen{text: "<thi", estimated: true}},
	{"an answer about the tag", true, llmaastest.Reply{Frames: []string{chunk("a <think>b</think>"), stop, done}},
		seen{text: "a <think>b</think>", finish: "stop", estimated: true}},
	{"usage before the finish reason", true, llmaastest.Reply{Frames: []string{chunk("a"), counts, stop, done}},
		seen{text: "a", finish: "stop", billed: [2]int64{7, 9}}},
	{"a usage that contradicts itself", true, llmaastest.Reply{Frames: []string{chunk("a"), stop, `data: {"choices":[],"usage":{"prompt_tokens":-7,"completion_tokens":2}}` + "\n\n", done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"unknown fields and events", true, llmaastest.Reply{Frames: []string{"id: 7\nretry: 10\nfoo\n\n", "event: ping\n\n", chunk("a"), stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"no blank line at the end", true, llmaastest.Reply{Frames: []string{chunk("a"), stop, "data: [DONE]"}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"content null and a role", true, llmaastest.Reply{Frames: []string{`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}` + "\n\n", chunk("a"), stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"text after [DONE]", true, llmaastest.Reply{Frames: []string{chunk("a"), stop, done, chunk("b")}},
		seen{text: "a", finish: "stop", estimated: true}},

	// Streams that are not.
	{"closed without an end", true, llmaastest.Reply{Frames: []string{chunk("a")}},
		seen{text: "a", kind: llmaas.ErrTruncated, estimated: true}},
	{"connection aborted", true, llmaastest.Reply{CutAfter: 3}, seen{kind: llmaas.ErrTruncated, estimated: true}},
	{"nothing at all", true, llmaastest.Reply{Frames: []string{}}, seen{kind: llmaas.ErrTruncated, estimated: true}},
	{"broken JSON", true, llmaastest.Reply{Frames: []string{chunk("a"), "data: {\"choices\n\n"}},
		seen{text: "a", kind: llmaas.ErrProtocol, estimated: true}},
	{"error frame", true, llmaastest.Reply{Frames: []string{chunk("a"), `data: {"error":{"message":"` + prompt + `","type":"server_error"}}` + "\n\n"}},
		seen{text: "a", kind: llmaas.ErrOverloaded, status: 200, typ: "server_error", estimated: true}},
	{"error frame after a ping", true, llmaastest.Reply{Frames: []string{": ping\n\n", `data: {"error":{"message":"x","type":"server_error"}}` + "\n\n"}},
		seen{kind: llmaas.ErrOverloaded, status: 200, typ: "server_error"}},
	{"error frame with a space", true, llmaastest.Reply{Frames: []string{`data: { "error" : {"message":"x","type":"server_error"}}` + "\n\n"}},
		seen{kind: llmaas.ErrOverloaded, status: 200, typ: "server_error"}},
	{"error frame with error second", true, llmaastest.Reply{Frames: []string{`data: {"id":"c","error":{"message":"x","code":"rate_limit_exceeded","type":"rate_limit_error"}}` + "\n\n"}},
		seen{kind: llmaas.ErrRateLimited, status: 200, typ: "rate_limit_error", code: "rate_limit_exceeded"}},
	{"flat error frame", true, llmaastest.Reply{Frames: []string{`data: {"object":"error","message":"x","type":"BadRequestError","code":400}` + "\n\n"}},
		seen{kind: llmaas.ErrInvalidRequest, status: 200, typ: "BadRequestError", code: "400"}},
	{"event: error", true, llmaastest.Reply{Frames: []string{"event: error\ndata: {\"message\":\"x\",\"type\":\"server_error\"}\n\n"}},
		seen{kind: llmaas.ErrOverloaded, status: 200, typ: "server_error"}},
	{"JSON in place of a stream", true, llmaastest.Reply{Status: 200, Body: `{"error":{"message":"x","type":"server_error"}}`},
		seen{kind: llmaas.ErrOverloaded, status: 200, typ: "server_error"}},

	{"half a tag, then cut off", true, llmaastest.Reply{Frames: []string{chunk("<thi")}},
		seen{text: "<thi", kind: llmaas.ErrTruncated, estimated: true}},
	{"an event cut in its middle", true, llmaastest.Reply{Frames: []string{chunk("a"), chunk("b")[:40]}},
		seen{text: "a", kind: llmaas.ErrProtocol, estimated: true}},
	{"an error that is a string", true, llmaastest.Reply{Frames: []string{`data: {"error":"` + prompt + `"}` + "\n\n"}},
		seen{kind: llmaas.ErrProtocol, status: 200}},
	{"an error null", true, llmaastest.Reply{Frames: []string{strings.Replace(chunk("a"), `"id"`, `"error":null,"id"`, 1), stop, done}},
		seen{text: "a", finish: "stop", estimated: true}},
	{"a choice of a huge index", true, llmaastest.Reply{Frames: []string{`data: {"choices":[{"index":1000000000,"delta":{"content":"a"}}]}` + "\n\n"}},
		seen{kind: llmaas.ErrProtocol, estimated: true}},
	{"a choice of a negative index", true, llmaastest.Reply{Frames: []string{`data: {"choices":[{"index":-1,"delta":{"content":"a"}}]}` + "\n\n"}},
		seen{kind: llmaas.ErrProtocol, estimated: true}},
	{"HTML in place of a stream", true, llmaastest.Reply{Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>" + prompt},
		seen{kind: llmaas.ErrTruncated, estimated: true}},
	{"an error frame of a token refused", true, llmaastest.Reply{Frames: []string{`data: {"error":{"type":"authentication_error"}}` + "\n\n"}},
		seen{kind: llmaas.ErrUnauthorized, status: 200, typ: "authentication_error"}},

	// Whole replies.
	{"reply with inline thinking", false, llmaastest.Reply{Status: 200, Body: wholeReply("<think>hm</think>a", "")},
		seen{text: "a", reasoning: "hm", finish: "stop", estimated: true}},
	{"reply with reasoning by its other name", false, llmaastest.Reply{Status: 200, Body: strings.Replace(wholeReply("a", ""), `"role"`, `"reasoning":"hm","role"`, 1)},
		seen{text: "a", reasoning: "hm", finish: "stop", estimated: true}},
	{"reply with a choice of no message", false, llmaastest.Reply{Status: 200, Body: `{"choices":[{}]}`}, seen{estimated: true}},
	{"reply", false, llmaastest.Reply{Status: 200, Body: wholeReply("a", `,"usage":{"prompt_tokens":7,"completion_tokens":9}`)},
		seen{text: "a", finish: "stop", billed: [2]int64{7, 9}}},
	{"reply with OpenAI's place for reasoning tokens", false, llmaastest.Reply{Status: 200,
		Body: wholeReply("a", `,"usage":{"prompt_tokens":7,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":3}}`)},
		seen{text: "a", finish: "stop", billed: [2]int64{7, 9}}},
	{"reply without usage", false, llmaastest.Reply{Status: 200, Body: wholeReply("a", "")}, seen{text: "a", finish: "stop", estimated: true}},
	{"reply with usage null", false, llmaastest.Reply{Status: 200, Body: wholeReply("a", `,"usage":null`)}, seen{text: "a", finish: "stop", estimated: true}},
	{"reply with created as a float", false, llmaastest.Reply{Status: 200, Body: strings.Replace(wholeReply("a", ""), `"created":1`, `"created":1.7e9`, 1)},
		seen{text: "a", finish: "stop", estimated: true}},
	{"200 with an error", false, llmaastest.Reply{Status: 200, Body: `{"error":{"message":"x","type":"server_error","code":"boom"}}`},
		seen{kind: llmaas.ErrOverloaded, status: 200, typ: "server_error", code: "boom"}},
	{"200 without choices", false, llmaastest.Reply{Status: 200, Body: `{}`}, seen{kind: llmaas.ErrProtocol, status: 200}},
	{"200 with HTML", false, llmaastest.Reply{Status: 200, Body: `<html>` + prompt}, seen{kind: llmaas.ErrProtocol, status: 200}},

	// Errors.
	{"401", false, llmaastest.Reply{Status: 401}, seen{kind: llmaas.ErrUnauthorized, status: 401, typ: "authentication_error"}},
	{"404", true, llmaastest.Reply{Status: 404}, seen{kind: llmaas.ErrModelNotFound, status: 404, typ: "invalid_request_error", code: "model_not_found"}},
	{"429 with seconds", false, llmaastest.Reply{Status: 429, Header: http.Header{"Retry-After": {"2"}}},
		seen{kind: llmaas.ErrRateLimited, status: 429, typ: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: 2 * time.Second}},
	{"429 with a fraction, on a stream", true, llmaastest.Reply{Status: 429, Header: http.Header{"Retry-After": {"0.5"}}},
		seen{kind: llmaas.ErrRateLimited, status: 429, typ: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: 500 * time.Millisecond}},
	{"429 with milliseconds", false, llmaastest.Reply{Status: 429, Header: http.Header{"Retry-After-Ms": {"250"}, "Retry-After": {"9"}}},
		seen{kind: llmaas.ErrRateLimited, status: 429, typ: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: 250 * time.Millisecond}},
	{"429 with a date", false, llmaastest.Reply{Status: 429, Header: http.Header{"Retry-After": {"Wed, 20 May 2026 12:00:03 GMT"}}},
		seen{kind: llmaas.ErrRateLimited, status: 429, typ: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: 3 * time.Second}},
	{"400 with an error that is a string", false, llmaastest.Reply{Status: 400, Body: `{"error":"` + prompt + `"}`}, seen{kind: llmaas.ErrInvalidRequest, status: 400}},
	{"400 with a message that is an object", false, llmaastest.Reply{Status: 400, Body: `{"error":{"message":{"a":1},"type":"t","code":7}}`},
		seen{kind: llmaas.ErrInvalidRequest, status: 400, typ: "t", code: "7"}},
	{"422 of FastAPI", false, llmaastest.Reply{Status: 422, Body: `{"detail":[{"loc":["body"],"msg":"` + prompt + `"}]}`}, seen{kind: llmaas.ErrInvalidRequest, status: 422}},
	{"400 flat", false, llmaastest.Reply{Status: 400, Body: `{"object":"error","message":"x","type":"BadRequestError","code":400}`},
		seen{kind: llmaas.ErrInvalidRequest, status: 400, typ: "BadRequestError", code: "400"}},
	{"502 with HTML", false, llmaastest.Reply{Status: 502, Body: "<html>" + prompt}, seen{kind: llmaas.ErrOverloaded, status: 502}},
	{"503 empty", true, llmaastest.Reply{Status: 503, Body: " "}, seen{kind: llmaas.ErrOverloaded, status: 503}},
	{"error whose type quotes the prompt", false, llmaastest.Reply{Status: 400, Body: `{"error":{"message":"x","type":"` + prompt + `"}}`}, seen{kind: llmaas.ErrInvalidRequest, status: 400}},
	{"redirect", false, llmaastest.Reply{Status: 307, Header: http.Header{"Location": {"http://192.0.2.1/"}}, Body: "{}"}, seen{kind: llmaas.ErrProtocol, status: 307}},
}

func TestWire(t *testing.T) {
	for _, row := range wire {
		t.Run(row.name, func(t *testing.T) {
			srv := llmaastest.NewServer(t)
			srv.Script(row.reply)
			c := newClient(t, srv, nil)
			got, err := call(t, c, row.stream)
			if row.name == "connection aborted" {
				got.text, got.reasoning = "", "" // how much arrives before is the network's to say
			}
			require.Equal(t, row.want.kind == nil, err == nil, "%v", err)
			if err != nil {
				var e *llmaas.Error
				require.ErrorAs(t, err, &e)
				require.ErrorIs(t, err, row.want.kind)
				got.kind, got.status, got.typ, got.code, got.retryAfter = row.want.kind, e.Status, e.Type, e.Code, e.RetryAfter
				for _, secret := range []string{prompt, key, strings.ToUpper(key)} {
					require.NotContains(t, err.Error(), secret)
				}
			}
			if row.want.billed == [2]int64{} {
				got.billed = [2]int64{}
			}
			require.Equal(t, row.want, got)
		})
	}
}

// call makes one call and tells what the caller saw.
func call(t *testing.T, c *llmaas.Client, stream bool) (seen, error) {
	t.Helper()
	if !stream {
		resp, err := c.Chat(t.Context(), ask(prompt))
		if err != nil {
			return seen{}, err
		}
		return seen{
			text: resp.Text(), reasoning: resp.Reasoning, finish: string(resp.Choices[0].FinishReason),
			billed: [2]int64{resp.Billed.Input, resp.Billed.Output}, estimated: resp.Billed.Estimated,
		}, nil
	}
	var got seen
	s := c.Stream(t.Context(), ask(prompt))
	var failed error
	for chunk, err := range s.All() {
		if err != nil {
			failed = err
			break
		}
		got.text += chunk.Text()
		got.reasoning += chunk.Reasoning()
		if len(chunk.Choices) > 0 {
			got.finish += string(chunk.Choices[0].FinishReason)
		}
	}
	if failed == nil {
		require.NoError(t, s.Err())
	} else {
		require.Equal(t, failed, s.Err())
	}
	require.NoError(t, s.Close())
	r := s.Result()
	got.billed, got.estimated = [2]int64{r.Billed.Input, r.Billed.Output}, r.Billed.Estimated
	return got, failed
}
