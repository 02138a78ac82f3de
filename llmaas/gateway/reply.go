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

// readReply reads valid JSON. What is no answer of a model says nothing.
func readReply(raw []byte) (r reply) {
	_ = each(raw, func(name, value []byte, _ span) error {
		switch string(name) {
		case `"usage"`:
			if string(value) != "null" {
				r.usage = value
			}
		case `"choices"`:
			return elements(value, func(choice []byte) error {
				r.chose = true
				return each(choice, r.choice)
			})
		}
		return nil
	})
	return r
}

func (r *reply) choice(name, value []byte, _ span) error {
	switch string(name) {
	case `"delta"`, `"message"`:
		return each(value, r.words)
	case `"text"`:
		r.said += spoken(value)
	case `"finish_reason"`:
		r.finished = r.finished || string(value) != "null"
	}
	return nil
}

func (r *reply) words(name, value []byte, _ span) error {
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
	s, err := unquote(value)
	if err != nil {
		_ = json.Unmarshal(value, &s) // half a surrogate pair, null, or no string
	}
	return s
}
