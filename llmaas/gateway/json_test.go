package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzWalker compares the walker with encoding/json: the same members with the
// same values in the same places, the same elements, and all strings.
func FuzzWalker(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":[true,null,{"c":"d"}],"e":"\u00e9\ud83d\ude00"}`, ` { } `, `[]`, `[ 1 , "a" , [ ] , { } ]`, `"\\\""`, `{"a":{"a":"b"},"\u0061":"c"}`,
		`{"":-1.5e+3}`, `[[[["x"]]]]`, `{"a":"\ud800"}`, `7`, `{"a" : "b"  ,"c":  {}}`, "{\"a\":\"\xff\"}", `{"type":"x","y":{"id":["z",{"q":"r"}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if validJSON(raw) != nil {
			return
		}
		var plain map[string]json.RawMessage
		object := json.Unmarshal(raw, &plain) == nil && plain != nil
		found := make(map[string]json.RawMessage)
		err := members(raw, nil, func(name string, value []byte, at span) error {
			require.Equal(t, string(raw[at.start:at.end]), string(value))
			found[name] = value
			return nil
		})
		if err == nil {
			require.True(t, object)
			require.Equal(t, plain, found)
		} else {
			require.True(t, !object || refused(err), err)
		}
		var list []json.RawMessage
		array := json.Unmarshal(raw, &list) == nil && list != nil
		i := 0
		err = elements(raw, func(value []byte) error {
			require.Equal(t, string(list[i]), string(value))
			i++
			return nil
		})
		require.Equal(t, array, err == nil)
		require.Len(t, list, i)

		var any any
		require.NoError(t, json.Unmarshal(raw, &any))
		var got []string
		if texts(raw, nil, func(s string) { got = append(got, s) }) == nil {
			for _, s := range leaves(any, nil) { // members that stand twice are read both times
				require.Contains(t, got, s)
			}
		}
		_ = texts(raw, unreadNames, func(string) {})
		(&replyReader{say: func(source, []byte) {}}).read(raw)
	})
}

// TestReply has answers that are odd in one place: the rest is read all the same.
// Words stand behind the choice, the kind and the call whose they are.
func TestReply(t *testing.T) {
	for raw, want := range map[string]string{
		`{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b","reasoning":"t"},"finish_reason":"stop"}],"usage":null}`: `0/content/0"a" 1/content/0"b" 1/reasoning/0"t" chose finished`,
		`{"choices":[{"delta":null,"finish_reason":null}],"usage":{"a":1}}`:                                                     `chose {"a":1}`,
		`{"choices":null,"usage":{}}`:                                              `{}`,
		`{"choices":[7,{"text":"x"}]}`:                                             `1/text/0"x" chose`,
		`{"choices":[{"delta":{"content":"x"},"index":3}]}`:                        `3/content/0"x" chose`,
		`{"choices":[{"index":"3","message":{"content":null,"refusal":"no"}}]}`:    `0/refusal/0"no" chose`,
		`{"choices":[{"message":{"content":[{"type":"text","text":"a"},"b",7]}}]}`: `0/content/0"a" 0/content/0"b" chose`,
		`{"choices":[{"message":{"content":"a","role":"b","\u0063ontent":"c","new":{"x":["d"]},"audio":{"data":"AA","transcript":"e"}}}]}`: `0/content/0"a" 0/\u0063ontent/0"c" 0/new/0"d" 0/audio/0"e" chose`,
		`{"choices":[{"delta":{"content":"a"},"message":{"content":"b"},"text":"c"}]}`:                                                     `0/content/0"a" 0/content/0"b" 0/text/0"c" chose`,
		`{"choices":[{"delta":{"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"index":2}]}}]}`:         `0/tool_calls/2"f" 0/tool_calls/2"{}" chose`,
		`{"choices":[{"message":{"tool_calls":[{"function":{"name":"f"}},{"custom":{"input":"i"}}],"function_call":{"arguments":"a"}}}]}`:  `0/tool_calls/0"f" 0/tool_calls/1"i" 0/function_call/0"a" chose`,
		`{"choices":[{"message":{"tool_calls":{"function":{"name":"f"}}}}]}`:                                                               `0/tool_calls/0"f" chose`,
		`{"choices":{},"usage":{"b":2}}`: `{"b":2}`,
		`{"error":null}`:                 ``, `{"error":{"message":"x"}}`: `failed`,
		`[]`: ``, `{"choices":[`: ``, ``: ``,
		`{"choices":[{"text":"a\ud800b\ud83d\ude00\n\ud83d"}]}`: `0/text/0"a�b😀\n�" chose`,
	} {
		got := []string{}
		r := replyReader{say: func(of source, words []byte) {
			got = append(got, fmt.Sprintf("%d/%s/%d%q", of.choice, of.name, of.call, words))
		}}
		said := r.read([]byte(raw))
		for _, is := range []struct {
			so   bool
			name string
		}{{said.chose, "chose"}, {said.finished, "finished"}, {said.failed, "failed"}, {len(said.usage) > 0, string(said.usage)}} {
			if is.so {
				got = append(got, is.name)
			}
		}
		require.Equal(t, want, strings.Join(got, " "), raw)
	}
}

// refused reports whether the walker is stricter than encoding/json on purpose.
func refused(err error) bool {
	return slices.Contains([]string{"gateway: body: a name of an object stands twice", "gateway: body: a string holds half of a surrogate pair"}, err.Error())
}

// leaves are all strings of a value.
func leaves(v any, all []string) []string {
	switch v := v.(type) {
	case string:
		return append(all, v)
	case []any:
		for _, e := range v {
			all = leaves(e, all)
		}
	case map[string]any:
		for _, e := range v {
			all = leaves(e, all)
		}
	}
	return all
}

// FuzzAsk reads any body as every kind of request. Whatever it holds, it is taken
// or refused, and the body for the machine is JSON again.
func FuzzAsk(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"stream":true,"stream_options":{"x":1},"n":2}`,
		`{"model":"m","input":["a",[1,2],3]}`, `{"stream_options":null,"stream":true,"prompt":["a","b"],"model":"m","max_tokens":3}`,
		` {"messages":[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":null}],"model":"m","stream":true}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, read := range []func(*ask) error{
			(*ask).chat, func(a *ask) error { return a.json(a.common) }, func(a *ask) error { return a.json(a.embedField) },
		} {
			a := &ask{raw: slices.Clone(raw), choices: 1}
			if read(a) != nil {
				continue
			}
			require.NotEmpty(t, a.model)
			out := a.outgoing("another")
			require.Equal(t, string(raw), string(a.raw), "the body is left as it was")
			b := &ask{raw: out, choices: 1}
			require.NoError(t, read(b), string(out))
			require.Equal(t, "another", b.model)
			require.Equal(t, a.messages, b.messages)
			require.Equal(t, a.inputs, b.inputs)
			require.True(t, !b.stream || b.usageSaid)
		}
	})
}
