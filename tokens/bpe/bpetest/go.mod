module github.com/llmaas/llmaas-go/tokens/bpe/bpetest

go 1.26.0

require github.com/llmaas/llmaas-go v0.0.0

require github.com/dlclark/regexp2/v2 v2.13.0 // indirect

replace github.com/llmaas/llmaas-go => ../../..
