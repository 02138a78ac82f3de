package behavior

// NewTurn returns the messages that are new in this turn of a conversation: the
// user and tool messages after the last answer of the model. Chat clients send
// the whole conversation each turn; only these have not been judged yet.
//
// It takes any message list by its shape. With go-openai:
//
//	role := func(m openai.ChatCompletionMessage) string { return m.Role }
//	for _, m := range behavior.NewTurn(request.Messages, role) {
//		report := g.Inspect(ctx, guard.Input{Tenant: tenant, Session: session, Text: m.Content})
//		…
//	}
//
// Roles are those of the Chat Completions API: "user", "tool" and "function"
// (its older name) count as input, "assistant" as an answer. Answers at the very
// end are a beginning that the client puts into the model's mouth: the turn
// stands before them. "system", "developer" and unknown roles are the host's
// own words and are left out.
func NewTurn[M any](messages []M, role func(M) string) []M {
	end := len(messages)
	for end > 0 && role(messages[end-1]) == "assistant" {
		end--
	}
	start := end
	for start > 0 && role(messages[start-1]) != "assistant" {
		start--
	}
	var turn []M
	for _, m := range messages[start:end] {
		switch role(m) {
		case "user", "tool", "function":
			turn = append(turn, m)
		}
	}
	return turn
}
