package gateway

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// reply is what must be known of an answer, or of one chunk of it, besides its
// words.
type reply struct {
	usage    []byte // none if it is null
	chose    bool   // there are choices
	finished bool
	failed   bool // it is an error

	pieces int    // of words
	quoted []byte // the last one, as it is written
	of     source // and whose it is
}

// source names one text of an answer.
type source struct {
	choice int
	name   string // of the member of a message that has it, or text
	call   int    // of several, which
}

// calls reports whether the text is of calls: then it is JSON itself.
func (s source) calls() bool { return s.name == "tool_calls" || s.name == "function_call" }

// usual are names that are not made anew for each chunk.
var usual = map[string]string{
	"content": "content", "refusal": "refusal", "reasoning_content": "reasoning_content", "reasoning": "reasoning", "tool_calls": "tool_calls",
}

// unsaidNames are members of a message in which a model has no words: the
// machine's own, and data.
var unsaidNames = map[string]bool{"role": true, "id": true, "type": true, "format": true, "data": true, "signature": true}

// replyReader reads one answer after the other.
type replyReader struct {
	reply
	say   func(of source, words []byte)
	words []byte // scratch
}

// read reads JSON, and calls say with every piece of words in it, in the order
// in which they stand; words are valid until it returns. What is not as an answer
// has it says nothing, and hides nothing that stands beside it.
func (r *replyReader) read(raw []byte) reply {
	r.reply = reply{}
	if !json.Valid(raw) {
		return r.reply
	}
	_ = each(raw, func(name, value []byte, _ span) error { // no object: nothing is said
		switch string(name) {
		case `"usage"`:
			if string(value) != "null" {
				r.usage = value
			}
		case `"error"`:
			r.failed = value[0] == '{' || value[0] == '"'
		case `"choices"`:
			place := 0
			_ = elements(value, func(choice []byte) error { // null, or something else: no choices
				r.choice(choice, index(choice, place))
				place++
				return nil
			})
		}
		return nil
	})
	return r.reply
}

func (r *replyReader) choice(raw []byte, index int) {
	r.chose = true
	_ = each(raw, func(name, value []byte, _ span) error {
		switch string(name) {
		case `"delta"`, `"message"`:
			r.message(value, index)
		case `"text"`:
			r.speak(source{index, "text", 0}, value)
		case `"finish_reason"`:
			r.finished = r.finished || string(value) != "null"
		}
		return nil
	})
}

// message reads all strings of a message but those of unsaidNames. Each member
// has a text of its own: some machines say the same in two.
func (r *replyReader) message(raw []byte, choice int) {
	_ = each(raw, func(quoted, value []byte, _ span) error {
		inside := quoted[1 : len(quoted)-1]
		if unsaidNames[string(inside)] {
			return nil
		}
		name, is := usual[string(inside)]
		if !is {
			name = string(inside)
		}
		place := 0
		if name != "tool_calls" || elements(value, func(call []byte) error {
			r.speak(source{choice, name, index(call, place)}, call)
			place++
			return nil
		}) != nil {
			r.speak(source{choice, name, 0}, value)
		}
		return nil
	})
}

// speak reads all strings of a value.
func (r *replyReader) speak(of source, value []byte) {
	_ = eachText(value, unsaidNames, func(quoted []byte) error {
		if len(quoted) > len(`""`) {
			r.pieces++
			r.quoted, r.of = quoted, of
			r.say(of, r.plain(quoted))
		}
		return nil
	})
}

// plain is what a JSON string says, as well as it can be read.
func (r *replyReader) plain(quoted []byte) []byte {
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	words, rest, _ := unescape(r.words[:0], inside)
	if len(rest) > 0 { // half of a surrogate pair
		words = utf8.AppendRune(words, half)
	}
	r.words = words
	return words
}

// index reads the member of that name, which may stand anywhere in an object.
func index(raw []byte, otherwise int) int {
	_ = each(raw, func(name, value []byte, _ span) error {
		if string(name) == `"index"` {
			if n, err := strconv.Atoi(string(value)); err == nil {
				otherwise = n
			}
		}
		return nil
	})
	return otherwise
}
