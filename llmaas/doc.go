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
// [Stream.Response] is the whole of it afterwards, with tool calls joined.
//
// Thinking is apart from the answer, in Reasoning, whether the service sends it
// as reasoning_content, as reasoning, or as <think>…</think> at the beginning.
//
// # Other endpoints
//
// [Client.Embeddings], [Client.Rerank], [Client.Complete], [Client.Transcribe],
// [Client.Speak], [Client.Images] and [Client.Models] work alike; what has a
// price is billed. [Call], put into the context by [WithCall], adds headers and
// body fields that go-openai's types lack.
//
// # Other clients
//
// [Transport] gives a go-openai client that you keep the same powers, as the
// transport of its HTTP client.
//
// # When it does not go well
//
// [Retry] and [Timeouts] bound what is tried again and waited for.
// [Config.Fallbacks] are models and services to ask next, [Config.FallbackText] is
// what to say when none answers; [Result.Fallbacks] has the reasons. [FileToken]
// follows a token that rotates: one that is refused gets one more try with the
// newer one, or with the one that was accepted last. [Limits] and a [Budget] stop
// calls before the service does.
//
// [Config.Hedge], which is off by default, sends a request a second time when the
// first byte of its answer is later than, say, 95 of 100 are, for 5 of 100 requests
// at most. The first answer counts, and alone is billed here; the other request is
// canceled, though the service may bill what it had used by then.
//
// # Looking on
//
// A [Guard] judges prompts, an [Output] scans answers, an [Observer] sees what
// happens to each call ([LogEvents] writes it to a log/slog logger), and
// [Config.Log] hears once a day of models whose end is near.
//
// # Many prompts
//
// [Client.Batch] makes many calls at once, as fast as the service lets it, and
// goes on from its journal after a crash. [Client.SubmitBatch] hands them to the
// service's Batch API, at half the price. A [Conversation] keeps what was said
// within the model's window.
//
// # Errors
//
// What a call returns is an [*Error]; [errors.Is] tells the kind. Errors of options,
// files and journals are plain ones. No error, log line or
// printed value of this package holds a token, a prompt or an answer.
//
// # What is not covered
//
// Nothing is stored here but a batch's journal. Images and audio in messages are
// not judged. Thinking that a model ends with </think> without having begun it with
// <think> stays in the answer: in a stream, it cannot be told in time.
package llmaas
