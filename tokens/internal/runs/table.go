package runs

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Units: a cost is counted in 1/256 token.
const (
	One        = 256
	glyphShift = 3 // glyphs are kept in 1/32 token
	gramShift  = 2 // grams in 1/64 token
)

// A piece is stored in a byte: up to three tokens in steps of 1/32, from there
// in steps of 1/4, for the words of scripts that a family spells in bytes.
const (
	fine    = One / 32
	coarse  = One / 4
	fineMax = 96
)

// Shrink rounds the cost of a piece to a byte that expand reads.
func Shrink(cost float64) int8 {
	v := math.RoundToEven(cost * One / fine)
	switch {
	case v > fineMax:
		return int8(min(fineMax+math.RoundToEven((cost*One-fineMax*fine)/coarse), math.MaxInt8))
	case v < math.MinInt8:
		return math.MinInt8
	}
	return int8(v)
}

func expand(v int8) int16 {
	if v > fineMax {
		return fineMax*fine + (int16(v)-fineMax)*coarse
	}
	return int16(v) * fine
}

// Index is what all families share: which pieces and glyphs have a cost of
// their own. It keeps sixteen bits of a hash, never the text of a piece.
type Index struct {
	Tags [NumPieces]uint16
	Seen [(NumGlyphs + 63) / 64]uint64
	// How many sources taught each piece, as Support sorts them: two bits each.
	Support [NumPieces * supportBits / 8]uint8
}

// SetSupport notes how many sources use the piece in a slot.
func (x *Index) SetSupport(slot, sources int) {
	x.Support[slot/4] = x.Support[slot/4]&^(3<<(slot%4*2)) | Support(sources)<<(slot%4*2)
}

func (x *Index) support(slot int) uint32 { return uint32(x.Support[slot/4] >> (slot % 4 * 2) & 3) }

// Find returns the slot of the piece with hash h, or -1.
func (x *Index) Find(h uint64) int {
	slot, tag := Place(h)
	if x.Tags[slot] == tag {
		return slot
	}
	if x.Tags[slot^1] == tag {
		return slot ^ 1
	}
	return -1
}

func (x *Index) seen(g int) bool { return x.Seen[g>>6]>>(g&63)&1 != 0 }

// Table is the costs of one family. It is read-only once Prepare was called.
type Table struct {
	*Index
	High  Margins
	Low   Margins
	Base  [NumBase]int16
	Piece [NumPieces]int16 // filled by SetPiece
	Grams [NumGrams]int8
	Glyph [NumGlyphs]int8

	// What Scan reads instead, so that it looks once.
	pieces [NumPieces]entry
	glyphs [NumGlyphs]int16 // with the price of the block; unseen says: none
	lone   [0x80]int16      // a punctuation mark before a space, noLone if rare
}

const (
	unseen = math.MinInt16
	noLone = math.MinInt16
)

// Prepare derives what Scan reads. UnmarshalBinary calls it.
func (t *Table) Prepare() {
	for i, tag := range t.Tags {
		t.pieces[i] = entry(uint32(tag)<<16 | t.support(i)<<costBits | uint32(t.Piece[i])&(1<<costBits-1))
	}
	for _, b := range glyphBlocks {
		for r := b.from; r < b.to; r++ {
			g := glyphIndex(r)
			t.glyphs[g] = unseen
			if t.seen(g) {
				t.glyphs[g] = int16(t.Glyph[g])<<glyphShift + t.Base[baseGlyph+blockOf(r)]
			}
		}
	}
	for c := range t.lone {
		t.lone[c] = noLone
		if byteClass[c] == cPunct {
			if e := t.find(mix(seedPunct, uint64(c))); e != 0 {
				t.lone[c] = int16(e.cost())
			}
		}
	}
}

// entry is a piece as Scan reads it: tag, support and cost. Zero is none.
type entry uint32

const costBits = 16 - supportBits

func (e entry) cost() int64  { return int64(int32(e<<(32-costBits))) >> (32 - costBits) }
func (e entry) support() int { return int(e >> costBits & (numSupport - 1)) }

// find returns the piece with hash h, if the index names it. A slot and its
// neighbor share a cache line.
func (t *Table) find(h uint64) entry {
	slot, tag := Place(h)
	if e := t.pieces[slot]; uint16(e>>16) == tag {
		return e
	}
	if e := t.pieces[slot^1]; uint16(e>>16) == tag {
		return e
	}
	return 0
}

// SetPiece stores the cost of a piece in tokens, rounded as the file keeps it.
func (t *Table) SetPiece(slot int, cost float64) { t.Piece[slot] = expand(Shrink(cost)) }

// AppendBinary writes the index.
func (x *Index) AppendBinary(b []byte) ([]byte, error) {
	return binary.Append(b, binary.LittleEndian, x)
}

// UnmarshalBinary reads what AppendBinary wrote.
func (x *Index) UnmarshalBinary(b []byte) error {
	n, err := binary.Decode(b, binary.LittleEndian, x)
	if err != nil || n != len(b) {
		return fmt.Errorf("runs: index of %d bytes, want %d", len(b), binary.Size(x))
	}
	return nil
}

// AppendBinary writes the costs; those of pieces and glyphs that the index does
// not name are left out.
func (t *Table) AppendBinary(b []byte) ([]byte, error) {
	b, err := binary.Append(b, binary.LittleEndian, t.head())
	if err != nil {
		return nil, err
	}
	for _, v := range t.Grams {
		b = append(b, byte(v))
	}
	for i, v := range t.Piece {
		if t.Tags[i] != 0 {
			b = append(b, byte(Shrink(float64(v)/One)))
		}
	}
	for i, v := range t.Glyph {
		if t.seen(i) {
			b = append(b, byte(v))
		}
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary wrote with the same Index.
func (t *Table) UnmarshalBinary(b []byte) error {
	var head tableHead
	n, err := binary.Decode(b, binary.LittleEndian, &head)
	t.High, t.Low, t.Base = head.High, head.Low, head.Base
	if err != nil {
		return fmt.Errorf("runs: table of %d bytes is too short", len(b))
	}
	r := reader{b: b[n:]}
	for i := range t.Grams {
		t.Grams[i] = r.next()
	}
	for i := range t.Piece {
		if t.Tags[i] != 0 {
			t.Piece[i] = expand(r.next())
		}
	}
	for i := range t.Glyph {
		if t.seen(i) {
			t.Glyph[i] = r.next()
		}
	}
	if r.short || len(r.b) != 0 {
		return fmt.Errorf("runs: table of %d bytes does not fit its index", len(b))
	}
	t.Prepare()
	return nil
}

type reader struct {
	b     []byte
	short bool
}

func (r *reader) next() int8 {
	if len(r.b) == 0 {
		r.short = true
		return 0
	}
	v := int8(r.b[0])
	r.b = r.b[1:]
	return v
}

// Margins turn the sums of a scan into a bound: a share of the cost of each
// kind, one of the square root of the whole, and a constant, in 1/256.
type Margins struct {
	Kind [NumKinds]uint16
	Root uint16
	Once uint16
}

type tableHead struct {
	High, Low Margins
	Base      [NumBase]int16
}

func (t *Table) head() *tableHead { return &tableHead{t.High, t.Low, t.Base} }

// Beside what a strange text may cost, this part of the margin remains.
const (
	strangePart  = 5
	StrangeShare = 1.0 / strangePart
)

// Bounds turns what a scan of n bytes found into whole tokens. No family can
// spend more than one token a byte.
func (t *Table) Bounds(sum *Sums, n int) (low, likely, high int) {
	total, over, under := int64(0), int64(0), int64(0)
	for k, c := range sum.Cost {
		total += c
		c = max(c, 0)
		over += c * int64(t.High.Kind[k])
		under += c * int64(t.Low.Kind[k])
	}
	charge := sum.Charge - sum.Cost[Bytes] - sum.Cost[Repeat]
	root := int64(math.Sqrt(float64(max(total, 0)) / One))
	over = over/One + root*int64(t.High.Root) + int64(t.High.Once)
	over = max(over, over/strangePart+sum.Strange()) + max(charge, 0)
	under = under/One + root*int64(t.Low.Root) + int64(t.Low.Once)
	if n == 0 {
		return 0, 0, 0
	}
	whole := func(v int64) int { return min(max(int((v+One/2)/One), 1), n) }
	return whole(total - under), whole(total), whole(total + over)
}
