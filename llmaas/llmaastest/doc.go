// Package llmaastest is a fake of the service for tests and examples, in the
// shape of net/http/httptest: it listens on loopback, answers as the service
// does, and closes itself.
//
//	func TestGreeting(t *testing.T) {
//		srv := llmaastest.NewServer(t)
//		c, err := llmaas.New(llmaas.Config{BaseURL: srv.URL, Token: llmaas.Static("any key")})
//		…
//		require.Len(t, srv.Requests(), 1)
//	}
//
// # What it answers
//
// The zero [Backend] accepts any bearer token, lists the models that the
// catalogue has in production, and echoes: the same request always gets the
// same answer, word by word when streamed, from one of twelve named machines in
// turn. Usage is exact by the fake's own rules: a prompt has as many tokens as
// package tokens thinks likely, and an answer as many as it is streamed in (a
// word with the space before it, cut every six letters; every Chinese, Japanese
// or Korean character; every sign). Models that reason think first and say how many
// tokens it took. The tool that tool_choice names, or the first, is called with
// arguments that fit its schema, until the conversation has a result; a JSON schema
// gets an answer that fits it; n, stop and max_tokens count. Embeddings are stable
// unit vectors; reranking goes by the words that query and document share. A batch
// moves on by one state each time it is asked for, and its results stand in the
// reverse order.
//
// # Scripts
//
// [Backend.Script] puts replies in front of that: a status, a text, a stream
// that is cut, delayed or broken. Each is used once, by the first request that
// it matches; a script that no request used fails the test when it ends.
//
//	srv.Script(
//		llmaastest.Reply{Status: 429, Header: http.Header{"Retry-After": {"1"}}},
//		llmaastest.Reply{Text: "at last"},
//	)
//
// # What is not covered
//
// It checks no quota, calls one tool at a time, is certain of every token (logprobs
// are 0), and forgets everything when it closes. Temperature, seed and the like
// change nothing. It is a fake: its token counts are not those of any real tokenizer.
package llmaastest
