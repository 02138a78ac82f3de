package redisstore

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/llmaas/llmaas-go/guard/behavior"
)

// session is the value of a key, as append.lua writes it, less the version
// before it and the pieces after it.
type session struct {
	Last, Points       float64
	Near               [8]byte
	Digests            [4][8]byte
	Known              uint8
	Same, Nears, Cycle uint32
	Pieces             uint8
	Bytes              uint16 // of the pieces
}

const (
	version    = 1
	headerSize = 73
	pieceSize  = 11 // of time, size and whole, before the text of a piece
)

// arguments packs the first argument of append.lua.
func arguments(e *behavior.Entry, window, halfLife time.Duration) []byte {
	b := make([]byte, 0, 52)
	for _, n := range [...]float64{micros(e.Time), float64(window.Microseconds()), float64(halfLife.Microseconds()), float64(e.Points)} {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(n))
	}
	b = binary.BigEndian.AppendUint16(b, behavior.MaxPieces)
	b = binary.BigEndian.AppendUint16(b, behavior.MaxBytes)
	b = binary.BigEndian.AppendUint64(b, e.Digest)
	return binary.BigEndian.AppendUint64(b, e.Near)
}

// micros is t as the script counts: exact up to the year 2255.
func micros(t time.Time) float64 { return float64(t.UnixMicro()) }

// packPiece packs the second.
func packPiece(e *behavior.Entry) []byte {
	text, whole := e.Piece, e.Whole
	if len(text) == 0 {
		return nil
	}
	if len(text) > behavior.MaxPiece {
		text, whole = text[len(text)-behavior.MaxPiece:], false
	}
	b := make([]byte, 0, pieceSize+len(text))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(micros(e.Time)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	if whole {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return append(b, text...)
}

// tell says what is known of a session once e has been appended to it, from the
// value before. A value that is no session is an empty one.
func tell(value []byte, e *behavior.Entry, window, halfLife time.Duration, past *behavior.Past) {
	past.Reset()
	past.Same, past.Near, past.Cycle = 1, 1, 1
	var s session
	if len(value) < headerSize || value[0] != version || binary.Read(bytes.NewReader(value[1:headerSize]), binary.BigEndian, &s) != nil {
		return
	}
	now, span := micros(e.Time), float64(window.Microseconds())
	if now-s.Last > span {
		return
	}
	past.Points = s.Points * math.Exp2(-max(now-s.Last, 0)/float64(halfLife.Microseconds()))
	digest := [8]byte(binary.BigEndian.AppendUint64(nil, e.Digest))
	for i, d := range s.Digests[:min(s.Known, 4)] {
		if d == digest {
			past.Cycle = int(s.Cycle) + 1
			if i == 0 {
				past.Same = int(s.Same) + 1
			}
			break
		}
	}
	if s.Known > 0 && s.Near == [8]byte(binary.BigEndian.AppendUint64(nil, e.Near)) {
		past.Near = int(s.Nears) + 1
	}
	rest, fresh := value[headerSize:], false
	for range s.Pieces {
		if len(rest) < pieceSize {
			return
		}
		at := math.Float64frombits(binary.BigEndian.Uint64(rest))
		size := int(binary.BigEndian.Uint16(rest[8:]))
		if len(rest) < pieceSize+size {
			return
		}
		// The script drops from the oldest on, up to the first fresh one.
		if fresh = fresh || at >= now-span; fresh {
			past.AddPiece(rest[pieceSize:pieceSize+size], rest[10] == 1)
		}
		rest = rest[pieceSize+size:]
	}
}
