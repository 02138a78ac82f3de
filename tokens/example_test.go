package tokens_test

import (
	"fmt"
	"strings"

	"github.com/llmaas/llmaas-go/tokens"
)

func ExampleFor() {
	for _, model := range []string{"gpt-oss:120b", "deepseek-r1:70b", "some-new-model:7b"} {
		est := tokens.For(model)
		e := est.Estimate("Good morning! Could you explain photosynthesis in two sentences?")
		fmt.Println(est.Family(), e.Low <= e.Likely && e.Likely <= e.High, e.Likely)
	}
	// Output:
	// o200k true 13
	// llama3 true 13
	// unknown true 16
}

func ExampleEstimator_EstimateMessages() {
	est := tokens.For("qwen3:8b")
	m := est.EstimateMessages([]tokens.Message{
		{Role: "system", Content: "You are a patient assistant."},
		{Role: "user", Content: "What is in this picture?", Images: 1},
	})
	fmt.Println("template:", m.Template, "unmeasured:", m.Unmeasured, "images not counted:", m.Images)
	// Output: template: 13 unmeasured: false images not counted: 1
}

func ExampleEstimator_Fit() {
	est := tokens.For("llama3.3:70b")
	story := strings.Repeat("And then the ferryman told another story. ", 40)
	talk := []tokens.Message{
		{Role: "system", Content: "You are a patient assistant."},
		{Role: "user", Content: "Tell me a story."},
		{Role: "assistant", Content: story},
		{Role: "user", Content: "And another one."},
	}
	fitted, err := est.Fit(talk, tokens.FitOptions{Context: 400, Reserve: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(fitted.Messages), fitted.Dropped, fitted.MaxTokens >= 100)
	// Output: 2 [1 2] true
}

func ExampleCalibrator() {
	var c tokens.Calibrator
	for n := 100; n <= 2000; n += 100 { // a server with 140 tokens of template
		c.Observe("some-new-model:7b", tokens.Estimate{Low: n - 9, Likely: n, High: n + 9}, n+140)
	}
	fmt.Println(c.Adjust("some-new-model:7b", tokens.Estimate{Low: 990, Likely: 1000, High: 1010}))
	// Output: {1130 1140 1150}
}
