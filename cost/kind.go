package cost

// Kind is what a price is for.
type Kind uint8

// The kinds of the service. All but Audio count tokens.
const (
	Input       Kind = iota // prompt and context; embeddings too
	Output                  // answer, without the reasoning in it
	Reasoning               // the reasoning part of the output
	Rerank                  // query and documents of a rerank call
	BatchInput              // input through the Batch API
	BatchOutput             // output through the Batch API, reasoning included
	Audio                   // minutes of transcribed audio, each started one whole
	kindCount
)

var kindNames = [kindCount]string{
	"input", "output", "reasoning_output", "rerank", "batch_input", "batch_output", "audio_minutes",
}

// String is the name of the kind as data files and exports have it: "input",
// "reasoning_output", "audio_minutes".
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return "unknown"
}

// MarshalText returns what [Kind.String] returns. It never fails.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
