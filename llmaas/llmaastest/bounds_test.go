package llmaastest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLargestFile uploads as much as the service takes, and a byte more.
func TestLargestFile(t *testing.T) {
	const head = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
	for size, want := range map[int]int{maxFile: 200, maxFile + 1: 413} {
		req := httptest.NewRequest("POST", "/v1/files", strings.NewReader(head+strings.Repeat("x", size)+"\r\n--b--\r\n"))
		req.Header = http.Header{"Authorization": {"Bearer any"}, "Content-Type": {"multipart/form-data; boundary=b"}}
		w := httptest.NewRecorder()
		new(Backend).ServeHTTP(w, req)
		require.Equal(t, want, w.Code)
	}
}

// TestJournalIsBounded notes more requests, and longer ones, than are kept.
func TestJournalIsBounded(t *testing.T) {
	b, long := new(Backend), make([]byte, maxJournalBytes/3)
	for i := range 20 {
		b.note(&Request{Body: long})
		require.Len(t, b.Requests(), min(i+1, 3))
	}
	for i := range 3 * maxJournal {
		b.note(&Request{Model: "m", Body: long[:i%7]})
		require.LessOrEqual(t, len(b.journal), maxJournal)
	}
	require.GreaterOrEqual(t, len(b.Requests()), maxJournal*9/10)
	sum := 0
	for _, r := range b.Requests() {
		sum += len(r.Body)
	}
	require.Equal(t, sum, b.journalBytes)
}
