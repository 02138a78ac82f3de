package runs

import "math"

// An estimate errs on every run, up on one and down on the next, and over many
// different runs the errors cancel. Over one run said again and again they add
// up. So a scan notes, by the hash of each run, how much more the run may cost
// than was estimated; what holds a large share of the text is charged for it.

const echoBits = 6

// echoes gathers what runs may cost beyond their estimates, in 1/4 token: enough
// for a gigabyte of text.
type echoes struct {
	said  [1 << echoBits]uint32 // per bucket of hashes
	all   uint64
	pairs uint64 // of each two runs that share a bucket, the product
}

func echo(excess int64) uint64 { return min(uint64(max(excess, 0))>>6, 0xff) }

func (e *echoes) note(h, v uint64) {
	said := &e.said[h>>(64-echoBits)]
	e.pairs += v * uint64(*said)
	e.all += v
	*said += uint32(v)
}

func (e *echoes) add(o *echoes) {
	e.pairs += o.pairs
	e.all += o.all
	for i, v := range o.said {
		e.pairs += uint64(v) * uint64(e.said[i])
		e.said[i] += v
	}
}

func (e *echoes) subtract(o *echoes) {
	e.pairs -= o.pairs
	e.all -= o.all
	for i, v := range o.said {
		e.said[i] -= v
		e.pairs -= uint64(v) * uint64(e.said[i])
	}
}

// again returns the root of the sum over all pairs of runs that are the same,
// allowing for those that share a bucket by chance.
func (e *echoes) again() float64 {
	all := float64(e.all)
	return math.Sqrt(max(2*float64(e.pairs)-all*all/float64(len(e.said)), 0)) / 4 * One
}

// How often the data of a piece's cost was seen: in so many sources.
const (
	supportBits = 2
	numSupport  = 1 << supportBits
)

// Support sorts a piece by the number of sources that use it.
func Support(sources int) uint8 {
	switch {
	case sources >= 512:
		return 3
	case sources >= 64:
		return 2
	case sources >= 16:
		return 1
	}
	return 0
}

// doubt is how much more a piece of n bytes may cost than its parameter says, the
// less the more sources taught it. A long one that is rare may be another one
// that happens to have the same hash.
func doubt(support, n int) int64 {
	d, bytes := int64(0), int64(n)*One
	switch support {
	case 0:
		d = max(3*One, bytes/2)
	case 1:
		d = 2 * One
	case 2:
		d = One * 3 / 4
	default:
		d = One / 3
	}
	return min(d, bytes-One)
}

// A piece of a few letters that is found by chance in gibberish tells nothing.
const familiarLetters = 3

// heard is what the pieces found add, by support and bytes: to the echoes, and
// to the counts of familiar pieces (upper half) and of all (lower).
var heard = func() (t [numSupport << 4]struct{ echo, count uint64 }) {
	for s := range numSupport {
		for n := range 16 {
			h := &t[s<<4|n]
			h.echo = echo(doubt(s, n))
			h.count = 1
			if n > familiarLetters {
				h.count |= 1 << 32
			}
		}
	}
	return t
}()

// How much of its estimate a text may stand in doubt for what it repeats before
// it is charged for it, and how often then.
const (
	againShare = 0.2
	againTimes = 2.5
)

// charge returns what is added for repetition to a text of the given estimate.
func (e *echoes) charge(total int64) int64 {
	return int64(againTimes * max(e.again()-againShare*float64(max(total, 0)), 0))
}
