package llmaas

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// plainEvents reads a whole stream at once, in the plainest way.
func plainEvents(stream []byte) []string {
	text := strings.TrimPrefix(string(stream), "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var events, data []string
	name, has := "", false
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			if has {
				events = append(events, name+"|"+strings.Join(data, "\n"))
			}
			name, data, has = "", nil, false
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			data, has = append(data, value), true
		case "event":
			name = value
		}
	}
	if has {
		events = append(events, name+"|"+strings.Join(data, "\n"))
	}
	return events
}

func readEvents(t *testing.T, r io.Reader) []string {
	var all []string
	for e := newEvents(r); ; {
		name, data, err := e.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, string(name)+"|"+string(data))
	}
}

// FuzzSSE compares the reader with one that sees the whole stream at once, and
// cuts the stream in different places.
func FuzzSSE(f *testing.F) {
	for _, seed := range []string{
		"data: a\n\n", "\ufeffdata: a\r\rdata: b\r\n\r\n", ": ping\n\nevent: error\ndata: {}\n\n", "data: a\ndata: b\n\ndata", "data:\n\n",
		"data: a\r", "\xef\xbb", "event: x\n\ndata: y", "\n\n\r\n:\ndata", strings.Repeat("data: x\n", 100),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		want := plainEvents(stream)
		require.Equal(t, want, readEvents(t, bytes.NewReader(stream)))
		require.Equal(t, want, readEvents(t, iotest.OneByteReader(bytes.NewReader(stream))))
		require.Equal(t, want, readEvents(t, iotest.HalfReader(bytes.NewReader(stream))))
	})
}

func TestEventsAreBounded(t *testing.T) {
	for name, stream := range map[string]io.Reader{
		"a line": io.MultiReader(strings.NewReader("data: "), endless('x')),
		"lines":  io.MultiReader(endless('d', 'a', 't', 'a', ':', 'x', '\n')),
	} {
		_, _, err := newEvents(stream).next()
		require.ErrorIs(t, err, errEventTooLong, name)
	}
}

type endlessReader []byte

func endless(pattern ...byte) io.Reader { return endlessReader(pattern) }

func (e endlessReader) Read(p []byte) (int, error) {
	n := len(p) / len(e) * len(e)
	for i := range n {
		p[i] = e[i%len(e)]
	}
	if n == 0 {
		return copy(p, e), nil
	}
	return n, nil
}

// FuzzThinking cuts an answer anywhere: what comes out does not depend on it.
func FuzzThinking(f *testing.F) {
	for _, seed := range []string{"<think>a</think>b", " \n<think>", "<thin", "a<think>b</think>", "<think></think></think>", "<think><</think>"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		split := func(size int) (thought, answer string) {
			var think thinking
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				a, b := think.write(rest[:n])
				thought, answer, rest = thought+a, answer+b, rest[n:]
			}
			a, b := think.flush()
			return thought + a, answer + b
		}
		thought, answer := split(max(len(text), 1))
		for _, n := range []int{1, 2, 3, max(size%16, 1)} {
			a, b := split(n)
			require.Equal(t, thought, a)
			require.Equal(t, answer, b)
		}
		require.LessOrEqual(t, len(thought)+len(answer), len(text))
		if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), thinkStart) {
			require.Equal(t, text, answer, "an answer without thinking must stay as it is")
		}
	})
}
