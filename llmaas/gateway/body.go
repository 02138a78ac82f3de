package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/llmaas/llmaas-go/tokens"
)

// endpoints are the paths below /v1 that are served, and how.
var endpoints = map[string]struct {
	methods string
	kind    bodyKind
}{
	"/models":               {"GET HEAD", noBody},
	"/chat/completions":     {"POST", chatBody},
	"/completions":          {"POST", chatBody},
	"/embeddings":           {"POST", embedBody},
	"/rerank":               {"POST", jsonBody},
	"/v2/rerank":            {"POST", jsonBody},
	"/audio/transcriptions": {"POST", formBody},
	"/audio/speech":         {"POST", jsonBody},
	"/images/generations":   {"POST", jsonBody},
	"/files":                {"GET POST DELETE", anyBody},
	"/batches":              {"GET POST", anyBody},
}

type bodyKind uint8

const (
	noBody    bodyKind = iota
	chatBody           // JSON with messages or a prompt
	jsonBody           // JSON with a model
	embedBody          // JSON with a model and an input
	formBody           // multipart with a model
	anyBody            // of files and batches
)

// endpoint is a request's path below /v1. Only plain letters, and no part that is
// empty or of dots: a machine might read anything else in another way.
func endpoint(path string) string {
	if path == "/v2/rerank" {
		return path // where Cohere's clients ask for it
	}
	rest, ok := strings.CutPrefix(path, "/v1/")
	if !ok {
		return ""
	}
	for part := range strings.SplitSeq(rest, "/") {
		if strings.Trim(part, ".") == "" || strings.Trim(part, plain) != "" {
			return ""
		}
	}
	return "/" + rest
}

// plain are the characters of ids (RFC 3986 §2.3, and the colon).
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:"

// kindOf is the endpoint that grants, limits and metrics know: ids of files,
// batches and models are cut off.
func kindOf(path string) string {
	for _, tree := range [...]string{"/files/", "/batches/", "/models/"} {
		if strings.HasPrefix(path, tree) {
			return tree[:len(tree)-1]
		}
	}
	return path
}

// ask is what a request asks for, as far as the gateway must know.
type ask struct {
	raw       []byte
	model     string
	stream    bool
	metered   bool // counts against limits
	maxTokens int64
	choices   int64
	texts     int64 // of prompt, each of which has its choices
	user      string
	prompts   []string // new in this turn
	others    []string // further texts that a machine might read
	messages  []tokens.Message
	tools     []string

	inputs []string // of an embedding
	models []string // of a batch
	work   work     // of a batch

	modelAt   span // of the model's JSON string in raw
	hidden    bool // the usage of the stream was asked for by the gateway, not the caller
	streamAt  span // of stream_options in raw
	usageSaid bool // the caller asked for the usage
}

type span struct{ start, end int }

// read takes the body in, as far as it may be long. One that says that it is
// longer is refused before a byte of it is read.
func (g *Gateway) read(x *exchange) ([]byte, error) {
	if coding := x.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, errEncoding
	}
	if x.r.ContentLength > g.MaxBody {
		return nil, errTooLarge
	}
	body, err := readAll(http.MaxBytesReader(x.w, x.r.Body, g.MaxBody), x.r.ContentLength)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case err != nil:
		return nil, badBody("it ended before it was whole")
	}
	return body, nil
}

// readAll is io.ReadAll with room for a length that was announced, or for none.
func readAll(r io.Reader, length int64) ([]byte, error) {
	b := make([]byte, 0, min(max(length+1, bytes.MinRead), maxTrusted))
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return b, err
		case len(b) == cap(b):
			b = slices.Grow(b, len(b))
		}
	}
}

// maxTrusted is how much memory a Content-Length is given before the bytes come.
const maxTrusted = 1 << 20

// bodyError says what is wrong with a body, without quoting it.
type bodyError struct{ what string }

func (e *bodyError) Error() string { return "gateway: body: " + e.what }
func (e *bodyError) Unwrap() error { return errBody }

var errNoMessages = badBody("messages is missing or empty")

func badBody(format string, args ...any) error { return &bodyError{fmt.Sprintf(format, args...)} }

// in says of an error in which member it is, unless it does so itself.
func in(name string, err error) error {
	var bad *bodyError
	if errors.As(err, &bad) && !strings.HasPrefix(bad.what, name) {
		return badBody("%s: %s", name, bad.what)
	}
	return err
}

// defaultMaxTokens is the service's own (API page, 2025 and 2026).
const defaultMaxTokens = 1024

// body reads the request's body whole and learns from it what must be known. A
// body that is streamed to the machine cuts answers short (golang/go#40747).
func (g *Gateway) body(x *exchange) error {
	spec := endpoints[kindOf(x.path)]
	if err := x.method(spec.methods); err != nil {
		return err
	}
	x.ask.choices = 1
	if spec.kind == noBody {
		return nil
	}
	if spec.kind == anyBody {
		return g.file(x)
	}
	raw, err := g.read(x)
	if err != nil {
		return err
	}
	x.ask.raw = raw
	switch spec.kind {
	case chatBody:
		err = x.ask.chat()
	case jsonBody:
		err = x.ask.json(x.ask.common)
	case embedBody:
		err = x.ask.json(x.ask.embedField)
	case formBody:
		err = x.ask.form(x.r.Header.Get("Content-Type"))
	}
	switch {
	case err != nil:
		return err
	case len(x.ask.messages) > 0:
		x.estimate = tokens.For(x.ask.model).EstimateMessages(x.ask.messages, x.ask.tools...)
	case spec.kind == embedBody:
		x.estimate.Total = x.ask.estimateInputs()
	}
	return nil
}

// method refuses methods that are not among those that the endpoint takes.
func (x *exchange) method(allowed string) error {
	for m := range strings.SplitSeq(allowed, " ") {
		if m == x.r.Method {
			return nil
		}
	}
	x.w.Header().Set("Allow", strings.ReplaceAll(allowed, " ", ", "))
	return errMethod
}

func (a *ask) json(field func(name string, value []byte, at span) error) error {
	a.metered = true
	err := a.fields(field)
	if err == nil && a.model == "" {
		err = badBody("model is missing")
	}
	return err
}

// fields calls f with the members of the body.
func (a *ask) fields(f func(name string, value []byte, at span) error) error {
	if err := validJSON(a.raw); err != nil {
		return err
	}
	return members(a.raw, bodyNames, func(name string, value []byte, at span) error {
		err := f(name, value, at)
		if err != nil && slices.Contains(bodyNames, name) { // others are the caller's words
			err = in(name, err)
		}
		return err
	})
}

// common reads the fields that all JSON endpoints share.
func (a *ask) common(name string, value []byte, at span) (err error) {
	switch name {
	case "model":
		if a.model, err = unquote(value); err != nil || len(a.model) > 256 {
			return badBody("model: want a string of at most 256 bytes")
		}
		a.modelAt = at
	case "user":
		if a.user, err = optional(value); err != nil || len(a.user) > 512 {
			return badBody("user: want a string of at most 512 bytes")
		}
	case "prompt":
		return a.prompt(value)
	}
	return nil
}

// maxPrompts is how many prompts one request may bring, as elsewhere in the API.
const maxPrompts = 2048

// prompt is the text of /completions and of an image: a string, or several.
// Token ids are refused: nobody could judge them.
func (a *ask) prompt(value []byte) error {
	add := func(value []byte) error {
		if a.texts++; a.texts > maxPrompts {
			return badBody("prompt: want at most %d strings", maxPrompts)
		}
		s, err := unquote(value)
		if err != nil {
			return badBody("prompt: want a string or an array of strings")
		}
		a.prompts = append(a.prompts, s)
		a.messages = append(a.messages, tokens.Message{Role: "user", Content: s})
		return nil
	}
	if value[0] == '[' {
		return elements(value, add)
	}
	return add(value)
}

// bodyNames are the members that the gateway or the guard reads.
var bodyNames = []string{
	"model", "user", "prompt", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "best_of", "tools",
	"documents", "chat_template", "suffix", "prompt_embeds", "input",
}

// hostNames are members of a chat body in which no caller of the host speaks:
// its tools and formats, as trusted as its system prompt.
var hostNames = map[string]bool{
	"tools": true, "tool_choice": true, "functions": true, "function_call": true, "response_format": true, "stop": true,
	"metadata": true, "guided_json": true, "guided_regex": true, "guided_choice": true, "guided_grammar": true, "structured_outputs": true,
	"modalities": true, "reasoning_effort": true, "service_tier": true, "prompt_cache_key": true, "safety_identifier": true, "verbosity": true,
	"user": true, "model": true,
}

func (a *ask) chat() error {
	a.metered = true
	if err := a.fields(a.chatField); err != nil {
		return err
	}
	a.choices *= max(a.texts, 1)
	if a.maxTokens == 0 {
		a.maxTokens = defaultMaxTokens
	}
	switch {
	case a.model == "":
		return badBody("model is missing")
	case len(a.messages) == 0:
		return errNoMessages
	}
	return nil
}

func (a *ask) chatField(name string, value []byte, at span) error {
	switch name {
	case "stream":
		if json.Unmarshal(value, &a.stream) != nil {
			return badBody("stream: want true or false")
		}
	case "max_tokens", "max_completion_tokens":
		return count(name, value, &a.maxTokens, 1<<31)
	case "n", "best_of":
		return count(name, value, &a.choices, 128)
	case "messages":
		return a.chatMessages(value)
	case "prompt_embeds":
		return badBody("prompt_embeds: want text")
	case "tools":
		if string(value) == "null" {
			return nil
		}
		return elements(value, func(tool []byte) error {
			if tool[0] != '{' {
				return badBody("tools: want objects")
			}
			a.tools = append(a.tools, string(tool))
			return nil
		})
	case "stream_options":
		a.streamAt = at
		if string(value) == "null" {
			return nil
		}
		return members(value, nil, func(name string, value []byte, _ span) error {
			if name == "include_usage" {
				a.usageSaid = string(value) == "true"
			}
			return nil
		})
	case "model", "user", "prompt":
		return a.common(name, value, at)
	default:
		if hostNames[name] {
			return nil
		}
		// Documents, templates and whatever else a machine may put into the prompt.
		return texts(value, unreadNames, func(s string) { a.others = appendText(a.others, s) })
	}
	return nil
}

// count reads a positive number; null says nothing. Of two that bound the answer
// the greater counts: what is set aside must be the most.
func count(name string, value []byte, n *int64, most int64) error {
	if string(value) == "null" {
		return nil
	}
	var v int64
	if json.Unmarshal(value, &v) != nil || v < 1 || v > most {
		return badBody("%s: want a whole number from 1 to %d", name, most)
	}
	*n = max(*n, v)
	return nil
}

// outgoing is the body for the machine: as it came, but for a model of another
// name and for the usage of a stream.
func (a *ask) outgoing(model string) []byte {
	raw := a.raw
	edit := func(at span, with string) {
		raw = append(append(append(make([]byte, 0, len(raw)+len(with)), raw[:at.start]...), with...), raw[at.end:]...)
	}
	// The later place first, so that the earlier one stays where it is.
	renamed := model != a.model && a.modelAt.end > 0
	if renamed && a.modelAt.start > a.streamAt.start {
		edit(a.modelAt, quote(model))
		renamed = false
	}
	if a.stream && !a.usageSaid {
		a.hidden = true
		if a.streamAt.end > 0 {
			edit(a.streamAt, withUsage(raw[a.streamAt.start:a.streamAt.end]))
		} else {
			open := bytes.IndexByte(raw, '{') + 1
			edit(span{open, open}, `"stream_options":{"include_usage":true},`)
			if renamed {
				shift := len(`"stream_options":{"include_usage":true},`)
				a.modelAt = span{a.modelAt.start + shift, a.modelAt.end + shift}
			}
		}
	}
	if renamed {
		edit(a.modelAt, quote(model))
	}
	return raw
}

func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		return `""` // strings always marshal
	}
	return string(data)
}

// withUsage adds include_usage to stream options that the caller gave.
func withUsage(options []byte) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(options, &o) != nil || o == nil {
		o = make(map[string]json.RawMessage)
	}
	o["include_usage"] = json.RawMessage("true")
	data, err := json.Marshal(o)
	if err != nil {
		return string(options)
	}
	return string(data)
}
