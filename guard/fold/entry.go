package fold

import "unicode/utf8"

//go:generate go run ./internal/gen -confusables confusables.txt -out tables.go

// entry is what the generated table says of one rune; zero: the rune stays as it is.
// internal/gen writes it in this layout.
type entry uint32

const (
	offsetBits = 18
	lenBits    = 5

	replaced entry = 1 << 23 // pool[offset:][:len] stands in for the rune
	joins    entry = 1 << 24 // may combine with what came before; if not replaced, the lowest bits are its class
	mark     entry = 1 << 25 // a combining mark
	stripped entry = 1 << 26 // marks on it are dropped: Latin, Greek, Cyrillic, ASCII

	reasonAt  = 27
	blockSize = 128
)

// reason says why a rune is replaced, in the order of internal/gen.
type reason uint8

const (
	plainly reason = iota
	isInvisible
	isTag
	isVariation
	isBidi
	isConfusable
	isCompatible
	isBroken
)

// lookup finds the entry of r, which must be a Unicode scalar value.
func lookup(r rune) entry {
	return entries[index[uint32(r)/blockSize]][uint32(r)%blockSize]
}

func (e entry) text() string {
	at := e & (1<<offsetBits - 1)
	return pool[at : at+e>>offsetBits&(1<<lenBits-1)]
}

// class is the canonical combining class of a rune that is not replaced (Unicode §3.11).
func (e entry) class() uint8 {
	if e&joins == 0 {
		return 0
	}
	return uint8(e)
}

func (e entry) reason() reason { return reason(e >> reasonAt) }

// takesMarks says whether a combining mark after text is kept: its last rune is a base, or a mark
// on a base, of a script that needs its marks.
func takesMarks(text []byte) bool {
	r, size := utf8.DecodeLastRune(text)
	return size > 0 && r >= utf8.RuneSelf && lookup(r)&stripped == 0
}

// ascii says what becomes of the ASCII bytes; 0: the byte is dropped.
var ascii = func() (t [utf8.RuneSelf]byte) {
	for i := range t {
		switch c := byte(i); {
		case 'A' <= c && c <= 'Z':
			t[i] = c + 'a' - 'A'
		case '\n' <= c && c <= '\r':
			t[i] = '\n'
		case c == '\t':
			t[i] = ' '
		case ' ' <= c && c < 0x7F:
			t[i] = c
		}
	}
	return t
}()
