// Package bpetest checks package bpe against the real vocabularies of cl100k and
// o200k, which it takes from the npm package tiktoken when its tests run: they
// need npm, node and, the first time, the network. It is a module of its own so
// that the tests of the library run anywhere.
//
//	cd tokens/bpe/bpetest && go test ./...
//
// LLMAAS_EVAL names a directory with tokens/dev.jsonl.gz, texts with exact
// counts; they are checked too when it is set.
package bpetest
