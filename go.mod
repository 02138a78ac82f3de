module github.com/llmaas/llmaas-go

go 1.26

require (
	github.com/dlclark/regexp2/v2 v2.13.0 // indirect
	github.com/sashabaranov/go-openai v1.43.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/text v0.43.0 // indirect
)
