// Package llmaas is a client for Cloud Temple's LLMaaS and other services with
// the OpenAI API: a thin wrapper over github.com/sashabaranov/go-openai that
// takes and gives its types, and does what a program needs around each call.
//
//	c, err := llmaas.New(llmaas.Config{
//		Token: llmaas.Static(os.Getenv("LLMAAS_API_KEY")),
//		Guard: g, // a *guard.Guard, or nothing
//	})
//	reply, err := c.Chat(ctx, openai.ChatCompletionRequest{
//		Model:    "gpt-oss:120b",
//		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Bonjour"}},
//	})
//	fmt.Println(reply.Text(), reply.Bill.Total, reply.Backend.Machine)
//
// # What happens to a call
//
// The model is looked up in the catalogue: one that is gone is refused with the
// name of its successor, before anything is sent. The guard judges what is new
// in this turn, the messages after the assistant's last; a prompt that it blocks
// is an error with its report, and never leaves the process. Tokens are
// estimated. The request is sent, and again when it failed in a way that may
// pass, but never once the first byte of an answer was passed on. What the
// answer used is billed to the nano-euro under the tariff of the day.
//
// # Streams
//
//	s := c.Stream(ctx, req)
//	defer s.Close()
//	for chunk, err := range s.All() {
//		if err != nil {
//			return err
//		}
//		fmt.Print(chunk.Text())
//	}
//	fmt.Println(s.Result().Bill.Total)
//
// A stream that ends without a finish reason or [DONE] was cut off: it ends in
// [ErrTruncated], and never looks whole. What was received is billed all the
// same, by an estimate that says so when the service's own count is missing.
// Leaving the loop closes the connection, which stops the machine's work.
//
// # Errors
//
// Every error is an [*Error]; [errors.Is] tells the kind. No error, log line or
// printed value of this package holds a token, a prompt or an answer.
//
// # What is not covered
//
// No conversation is stored here: the caller sends the whole of it each turn, as
// the API wants it.
package llmaas
