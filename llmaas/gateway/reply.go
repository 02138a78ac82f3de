package gateway

import (
	"bytes"
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
	kind   kind
	call   int // of several, which
}

type kind uint8

const (
	said     kind = iota // content, or the text of a plain completion
	declined             // refusal
	thought              // reasoning
	called               // name and arguments of a call
	other                // whatever else is said in a message
)

// kinds are the members of a message that have a text of their own.
var kinds = map[string]kind{
	`"content"`: said, `"refusal"`: declined, `"reasoning_content"`: thought, `"reasoning"`: thought, `"function_call"`: called, `"tool_calls"`: called,
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
	if !valid(raw) {
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
			r.speak(source{choice: index}, value)
		case `"finish_reason"`:
			r.finished = r.finished || string(value) != "null"
		}
		return nil
	})
}

// message reads all strings of a message but those of unsaidNames.
func (r *replyReader) message(raw []byte, choice int) {
	_ = each(raw, func(name, value []byte, _ span) error {
		kind, known := kinds[string(name)]
		switch {
		case unsaidNames[string(name[1:len(name)-1])]:
			return nil
		case !known:
			kind = other
		}
		place := 0
		if string(name) != `"tool_calls"` || elements(value, func(call []byte) error {
			r.speak(source{choice, called, index(call, place)}, call)
			place++
			return nil
		}) != nil {
			r.speak(source{choice, kind, 0}, value)
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
