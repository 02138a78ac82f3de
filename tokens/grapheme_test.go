package tokens

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestBoundaries marks the boundaries of each text with a bar (UAX #29).
func TestBoundaries(t *testing.T) {
	for _, want := range []string{
		"a|b|c", "\r\n|a", "\n|\r|a", "e\u0301\u0302|x", "\n|\u0301|x", "a|\u200b|b",
		"각|\u1100\u1161\u11a8|\u1112\u1161|x", "\uac00\u11a8|\uac01\u11a8|\u1100",
		"👍🏽|👍", "👩\u200d👩\u200d👧|x", "a\u200d|👩", "❤\ufe0f\u200d🔥|!", "🇫🇷|🇩🇪|🇯🇵", "a|🇫🇷|🇩",
		"न|म|स्ते", "क\u094dष|क", "ก|ก\u0e33", "\u0600\u0661|1", "🏴\U000e0067\U000e0062\U000e007f|x", "漢|字",
		"\xff|\xfe|a",
	} {
		text := strings.ReplaceAll(want, "|", "")
		var parts []string
		for end := len(text); end > 0; {
			start := boundaryBefore(text, end-1)
			if start == end {
				start--
			}
			parts = append([]string{text[start:end]}, parts...)
			end = start
		}
		require.Equal(t, want, strings.Join(parts, "|"), "%+q", text)
	}
}

func TestBoundaryOfEndlessCluster(t *testing.T) {
	text := "a" + strings.Repeat("\u0301", 1<<20)
	end := boundaryBefore(text, len(text)-1)
	require.Greater(t, end, len(text)-8)
	require.True(t, utf8.ValidString(text[:end]))
}

func FuzzTruncate(f *testing.F) {
	for _, s := range []string{"", "Hello, world", "e\u0301\u0301 👩\u200d👩 🇫🇷🇩🇪", "नमस्ते", strings.Repeat("a", 300), "\xff\xfe\x80", strings.Repeat("\u0301", 500)} {
		f.Add(s, 3)
	}
	e := For("qwen3:8b")
	f.Fuzz(func(t *testing.T, s string, n int) {
		got := e.Truncate(s, n)
		if !strings.HasPrefix(s, got) {
			t.Fatal("not a prefix")
		}
		if len(got) < len(s) && e.Estimate(got).High > max(n, 0) {
			t.Fatalf("High %d, want at most %d", e.Estimate(got).High, n)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatal("a rune was cut")
		}
	})
}

func TestTruncate(t *testing.T) {
	e := For("gpt-oss:20b")
	text := strings.Repeat("Seventeen geese crossed the frozen lake before noon. ", 200)
	for _, n := range []int{0, -1, 1, 10, 100, 500} {
		got := e.Truncate(text, n)
		require.LessOrEqual(t, e.Estimate(got).High, max(n, 0))
		if n >= 100 {
			require.Greater(t, e.Estimate(got).High, n-n/10-3, "%d", n)
		}
	}
	require.Equal(t, text, e.Truncate(text, len(text)))
	require.Empty(t, e.Truncate("👩\u200d👩\u200d👧\u200d👦", 2))
}
