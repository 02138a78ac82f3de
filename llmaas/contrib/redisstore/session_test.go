package redisstore

import (
	"testing"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
	"github.com/stretchr/testify/require"
)

// FuzzTell reads values as a server may hold them that others write to.
func FuzzTell(f *testing.F) {
	f.Add([]byte(nil), int64(0))
	header := make([]byte, headerSize)
	header[0] = version
	header[headerSize-3] = 3 // pieces that are not there
	f.Add(header, int64(1))
	f.Add(append(header, packPiece(&behavior.Entry{Time: time.Unix(1, 0), Piece: []byte("hello"), Whole: true})...), int64(1_000_000))
	f.Fuzz(func(t *testing.T, value []byte, at int64) {
		var past behavior.Past
		tell(value, &behavior.Entry{Time: time.UnixMicro(at)}, time.Minute, time.Second, &past)
		require.GreaterOrEqual(t, past.Same, 1)
		size := 0
		for _, p := range past.Pieces {
			size += len(p.Text)
		}
		require.LessOrEqual(t, size, len(value))
	})
}
