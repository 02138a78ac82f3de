// Package output scans the other direction: what a model answers, while it
// streams.
//
//	rules, err := output.New(output.Options{
//		Canaries:     []string{canary}, // stands in the system prompt
//		SystemPrompt: systemPrompt,
//		AllowHosts:   []string{"intranet.example"},
//	})
//	scanner := rules.Scanner() // one for each answer
//	for chunk := range answer {
//		release, found := scanner.Write(chunk)
//		if len(found) > 0 {
//			return // stop the stream before what was found
//		}
//		w.Write(release)
//	}
//	release, found := scanner.Close()
//
// # What it finds
//
// output/canary (critical): a token that stands in the system prompt and nowhere
// else, minted with [MintCanary]. It is found in any case, spelled with spaces or
// punctuation between its letters, in look-alike, fullwidth or mathematical
// letters, backwards, in ROT13, in hexadecimal (percent signs included) and in
// base64.
//
// output/system-prompt (high): 12 words in a row, or as many as the host says,
// that the system prompt holds in that order. Case, punctuation and line breaks
// make no difference.
//
// output/image-data (high), output/link-data (medium): the address of an image
// or a link, in Markdown or HTML, that carries data to a host not on the allow-list.
// An image is loaded without a click, so any query or a run of 24 letters and
// digits counts; for a link it takes 64 bytes of query or a run of 48.
//
// output/link-scheme (high): a link to javascript:, vbscript: or data:, however
// it is written; pictures in data: are let pass as images.
//
// output/hidden-html (medium), output/active-html (high): tags and attributes
// that hide text (hidden, styles, comments), and those that run code or load a
// document (script, iframe, on…).
//
// output/secret (high): a private key or an access token, by its shape. Shapes
// that documentation shows as samples are left out. There is no hunt for names,
// e-mail addresses or telephone numbers.
//
// Inside a fenced code block, links and HTML count as low: answers about HTML
// are full of them, but renderers do not agree on where a block ends.
//
// # Streaming
//
// A [Scanner] holds back only what a rule could still complete, at most [MaxHold]
// bytes. On clean text that is a few bytes at the end of a chunk: the rest of a
// character, a line break, the first letters of a word. A match longer than
// MaxHold (a canary strewn over pages) is still found, when its last letter
// comes; what came before its last MaxHold bytes has been released then.
//
// # What is not covered
//
// Leaks in other words, translated, or encoded in ways not named above. A finding
// says where and why, never what. Bare addresses outside of links. Code in the
// middle of a line: an answer that names `<script>` is found. Tags are
// judged by their first kilobyte, addresses by half of that; longer ones are
// reported for their length.
package output
