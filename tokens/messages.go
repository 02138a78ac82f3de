package tokens

// Message is one chat message, in the parts that cost tokens.
type Message struct {
	Role       string // system, developer, user, assistant or tool
	Content    string // the text parts, joined
	Name       string
	ToolCalls  []ToolCall // of an assistant
	ToolCallID string     // of a tool's result
	Images     int        // image parts; see MessagesEstimate.Images
}

// ToolCall is a call that an assistant message asks for.
type ToolCall struct {
	ID        string
	Name      string
	Arguments string // JSON, as on the wire
}

// MessagesEstimate is what a chat request costs before it is answered.
//
// The service names three kinds of tokens: input (prompt and context), system
// (instructions and metadata) and output. Input and System here split what
// usage.prompt_tokens reports as one number, Total.
type MessagesEstimate struct {
	Input    Estimate // user, assistant and tool messages
	System   Estimate // system messages, tool definitions and the template
	Total    Estimate // both
	Template int      // the part of System.Likely that the chat template adds
	// Images counts image parts. Their tokens depend on the model's image
	// encoder and are in none of the figures: with Images > 0 the bounds hold
	// for the text alone.
	Images int
	// Unmeasured says that no chat template was measured for this model, or
	// none with tools: Template is then a guess and its bounds are wide.
	Unmeasured bool
}

// EstimateMessages estimates a chat request: its messages, its tool definitions
// (each as JSON, the way the request carries it) and what the family's chat
// template writes around them.
func (e *Estimator) EstimateMessages(messages []Message, tools ...string) MessagesEstimate {
	c := chat{tools: len(tools)}
	if !e.printsNoTools() {
		for _, t := range tools {
			c.system.add(e, t)
		}
	}
	for i := range messages {
		c.add(e, &messages[i])
	}
	return c.estimate(e)
}

// chat sums up a request message by message.
type chat struct {
	input, system                         meter
	systems, others, calls, images, tools int
}

// remove takes back what add added for an input message.
func (c *chat) remove(e *Estimator, m *Message) {
	var one chat
	one.add(e, m)
	c.input.subtract(&one.input)
	c.others -= one.others
	c.calls -= one.calls
	c.images -= one.images
}

func (c *chat) add(e *Estimator, m *Message) {
	part := &c.input
	if isSystem(m.Role) {
		part = &c.system
		c.systems++
	} else {
		c.others++
	}
	part.add(e, m.Content)
	part.add(e, m.Name)
	for _, call := range m.ToolCalls {
		part.add(e, call.Name)
		part.add(e, call.Arguments)
	}
	c.calls += len(m.ToolCalls)
	c.images += m.Images
}

func (c *chat) estimate(e *Estimator) MessagesEstimate {
	frame, measured := e.frame(c)
	if c.tools > 0 && !e.printsNoTools() {
		extra, ok := e.toolFrame(c.tools)
		frame, measured = frame.Plus(extra), measured && ok
	}
	all := c.input
	all.merge(&c.system)
	return MessagesEstimate{
		Input:      c.input.estimate(e),
		System:     c.system.estimate(e).Plus(frame),
		Total:      all.estimate(e).Plus(frame),
		Template:   frame.Likely,
		Images:     c.images,
		Unmeasured: !measured,
	}
}

func isSystem(role string) bool { return role == "system" || role == "developer" }

// Guesses for what was not measured, from the templates that were: 3 to 67
// tokens around one message, 3 to 10 for a further pair.
const (
	guessLow, guessFirst, guessHigh = 3, 9, 67
	guessPair                       = 10
	callTokens                      = 12 // names, braces and ids around one tool call
)

// frame is what the template adds around the messages, without tools.
func (e *Estimator) frame(c *chat) (est Estimate, measured bool) {
	if c.systems+c.others == 0 {
		return Estimate{}, true
	}
	further, calls := max(c.others-1, 0), c.calls*callTokens
	if t := e.template; t != nil {
		n := t.OneUser + (further*t.FurtherPair+1)/2 + c.systems*t.System + calls
		// A server may set another date, preamble or version of the template.
		return Estimate{Low: n - n/4, Likely: n, High: n + max(n/4, 12)}, calls == 0
	}
	n := (further+c.systems)*guessPair/2 + calls
	return Estimate{Low: guessLow + n/2, Likely: guessFirst + n, High: guessHigh + 2*n}, false
}

func (e *Estimator) printsNoTools() bool {
	return e.template != nil && e.template.FirstTool != nil && *e.template.FirstTool == 0
}

// toolFrame is what the template adds around n tool definitions beyond their
// own JSON.
func (e *Estimator) toolFrame(n int) (Estimate, bool) {
	own := loadFacts().MeasuredTool
	if t := e.template; t != nil && t.FirstTool != nil {
		first, next := *t.FirstTool-own, *t.FirstTool-own
		if t.NextTool != nil {
			next = *t.NextTool - own
		}
		likely := first + (n-1)*next
		return Estimate{Low: likely / 2, Likely: likely, High: 2 * likely}, t.NextTool != nil || n == 1
	}
	return Estimate{Low: 0, Likely: 100 + 16*(n-1), High: 200 + 60*n}, false
}
