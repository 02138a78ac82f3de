// Package bpe counts tokens exactly, with a byte-pair vocabulary that the host
// supplies: a ranks file in tiktoken's format or a Hugging Face tokenizer.json.
//
//	f, err := os.Open("o200k_base.tiktoken")
//	enc, err := bpe.New(f, bpe.Options{Pattern: bpe.O200K})
//	n, err := enc.Count(text)
//
//	f, err := os.Open("tokenizer.json")
//	enc, err := bpe.New(f, bpe.Options{})
//
// A text is cut into pieces by the encoding's pattern and each piece is merged
// pair by pair. The patterns need look-ahead. [CL100K], [O200K] and [Qwen] (and
// Llama 3, whose pattern is CL100K) are cut by hand-written code that a fuzz
// test holds equal to the expression; any other pattern runs on regexp2 with a
// MatchTimeout. A long piece is merged in queues, one for each rank, so that a
// megabyte of one letter takes time in proportion, some 40 ms.
//
// # What is not covered
//
//   - Special tokens: a text that spells "<|endoftext|>" is counted as text.
//   - Unicode normalization: a tokenizer.json that asks for it needs
//     [Options].Normalize.
//   - SentencePiece and Unigram models: they are refused with an error. Package
//     tokens estimates those families.
//   - Letters younger than the Unicode version of the Go release.
//   - Text that is not UTF-8: each stray byte counts as a symbol of its own.
package bpe
