// Package bpetest checks package bpe against the real vocabularies of cl100k and
// o200k, which it takes from the npm package tiktoken when its tests run: they
// need npm, node and, the first time, the network. It is a module of its own so
// that the tests of the library run anywhere.
//
//	cd tokens/bpe/bpetest && go test ./...
//
// Texts with exact counts that somebody else made are checked too where they are
// at hand, in tokens/dev.jsonl.gz of the directory that LLMAAS_EVAL names; with
// the tag and without the variable the test fails:
//
//	LLMAAS_EVAL=/path/to/eval go test -tags eval ./...
package bpetest
