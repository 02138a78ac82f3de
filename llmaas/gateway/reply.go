package gateway

import "encoding/json"

// reply is what must be known of an answer, or of one chunk of it. Its texts are
// taken from all choices.
type reply struct {
	usage    []byte // none if it is null
	chose    bool   // there are choices
	said     string
	thought  string // reasoning
	finished bool
}

// replyReader reads one answer after the other: the chunks of a stream are many
// and small, so it makes its funcs once.
type replyReader struct {
	reply
	onField, onChoice, onWords func(name, value []byte, at span) error
	onElement                  func(choice []byte) error
}

func newReplyReader() *replyReader {
	r := &replyReader{}
	r.onField, r.onChoice, r.onWords, r.onElement = r.field, r.choice, r.words, r.element
	return r
}

// read reads JSON. What is not as an answer has it says nothing, and hides nothing
// that stands beside it.
func (r *replyReader) read(raw []byte) reply {
	r.reply = reply{}
	if json.Valid(raw) {
		_ = each(raw, r.onField) // no object: nothing is said
	}
	return r.reply
}

func (r *replyReader) field(name, value []byte, _ span) error {
	switch string(name) {
	case `"usage"`:
		if string(value) != "null" {
			r.usage = value
		}
	case `"choices"`:
		_ = elements(value, r.onElement) // null, or something else: no choices
	}
	return nil
}

func (r *replyReader) element(choice []byte) error {
	r.chose = true
	_ = each(choice, r.onChoice)
	return nil
}

func (r *replyReader) choice(name, value []byte, _ span) error {
	switch string(name) {
	case `"delta"`, `"message"`:
		_ = each(value, r.onWords)
	case `"text"`:
		r.said += spoken(value)
	case `"finish_reason"`:
		r.finished = r.finished || string(value) != "null"
	}
	return nil
}

func (r *replyReader) words(name, value []byte, _ span) error {
	switch string(name) {
	case `"content"`, `"refusal"`:
		r.said += spoken(value)
	case `"reasoning_content"`, `"reasoning"`:
		r.thought += spoken(value)
	}
	return nil
}

// spoken is a string as well as it can be read.
func spoken(value []byte) string {
	if string(value) == "null" {
		return ""
	}
	s, err := unquote(value)
	if err != nil {
		_ = json.Unmarshal(value, &s) // half a surrogate pair, or no string
	}
	return s
}
