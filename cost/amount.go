package cost

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Amount is money in nano-euro: 1 is 0.000000001 €. One token at 0.9 € per
// million costs 900, so every price of the service and every sum of them is
// exact. It reaches from -9223372036.854775808 € to +9223372036.854775807 €.
//
// In JSON it is a decimal string ("0.0008063"), so that no reader turns it into
// a binary fraction; a JSON number is refused.
type Amount int64

// Euro is one euro.
const Euro Amount = 1_000_000_000

// decimals is how many digits of a euro an Amount keeps.
const decimals = 9

// ErrOverflow says that a sum or product does not fit an [Amount] or a count.
// Nothing ever wraps around.
var ErrOverflow = errors.New("cost: overflow")

// Add returns a+b, or [ErrOverflow].
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a + b
	if (sum > a) != (b > 0) && b != 0 {
		return 0, fmt.Errorf("%w: %v + %v", ErrOverflow, a, b)
	}
	return sum, nil
}

// Sub returns a-b, or [ErrOverflow].
func (a Amount) Sub(b Amount) (Amount, error) {
	diff := a - b
	if (diff < a) != (b > 0) && b != 0 {
		return 0, fmt.Errorf("%w: %v - %v", ErrOverflow, a, b)
	}
	return diff, nil
}

// Mul returns a × n, or [ErrOverflow].
func (a Amount) Mul(n int64) (Amount, error) {
	hi, lo := bits.Mul64(magnitude(int64(a)), magnitude(n))
	negative := (a < 0) != (n < 0)
	switch {
	case hi == 0 && lo <= math.MaxInt64 && negative:
		return -Amount(lo), nil
	case hi == 0 && lo <= math.MaxInt64:
		return Amount(lo), nil
	case hi == 0 && lo == 1<<63 && negative:
		return math.MinInt64, nil
	}
	return 0, fmt.Errorf("%w: %v × %d", ErrOverflow, a, n)
}

// magnitude is |n|, which for the least int64 only a uint64 can hold.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// ParseAmount reads euros as [Amount.String] writes them: an optional minus,
// digits, and optionally a point and one to nine digits. Anything else is an
// error: no plus sign, exponent, comma, grouping, currency or space.
func ParseAmount(s string) (Amount, error) {
	rest, negative := s, false
	if rest != "" && rest[0] == '-' {
		rest, negative = rest[1:], true
	}
	var n uint64
	point := -1
	for i := range len(rest) {
		c := rest[i]
		if c == '.' && point < 0 && i > 0 && i < len(rest)-1 {
			point = i
			continue
		}
		if c < '0' || c > '9' || point >= 0 && i-point > decimals {
			return 0, errAmount(s)
		}
		if n > (1<<63)/10 {
			return 0, fmt.Errorf("%w: %s € is beyond what an amount holds", ErrOverflow, quote(s))
		}
		n = n*10 + uint64(c-'0')
	}
	if rest == "" {
		return 0, errAmount(s)
	}
	places := 0
	if point >= 0 {
		places = len(rest) - 1 - point
	}
	hi, n := bits.Mul64(n, pow10[decimals-places])
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if hi != 0 || n > limit {
		return 0, fmt.Errorf("%w: %s € is beyond what an amount holds", ErrOverflow, quote(s))
	}
	if negative {
		return Amount(-n), nil
	}
	return Amount(n), nil
}

func errAmount(s string) error {
	return fmt.Errorf("cost: amount: got %s, want euros like 12.34, with at most nine decimals", quote(s))
}

// quote shows a piece of input in an error: quoted, and never long.
func quote(s string) string {
	if len(s) > 40 {
		return strconv.QuoteToASCII(s[:40]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

var pow10 = [decimals + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// String is the exact amount in euros in its shortest plain form: "12",
// "-0.5", "0.0008063". It has a point in every locale, and no exponent,
// grouping or currency. [ParseAmount] reads it back.
func (a Amount) String() string {
	var buf [24]byte
	b, _ := a.AppendText(buf[:0])
	return string(b)
}

// AppendText appends what [Amount.String] returns. It never fails.
func (a Amount) AppendText(b []byte) ([]byte, error) {
	whole, fraction := magnitude(int64(a))/uint64(Euro), magnitude(int64(a))%uint64(Euro)
	places := decimals
	for places > 0 && fraction%10 == 0 {
		fraction /= 10
		places--
	}
	return appendDecimal(b, a < 0, whole, fraction, places), nil
}

// Fixed is the amount in euros with exactly places decimals, from 0 to 9, for
// tables and invoices: Fixed(2) of 0.005 € is "0.01". What is cut off is rounded
// half away from zero, so a sum of rounded amounts may differ from the rounded
// sum: keep the Amount, and round what a person reads.
func (a Amount) Fixed(places int) string {
	places = min(max(places, 0), decimals)
	unit := pow10[decimals-places]
	n := (magnitude(int64(a)) + unit/2) / unit
	var buf [32]byte
	return string(appendDecimal(buf[:0], a < 0 && n != 0, n/pow10[places], n%pow10[places], places))
}

func appendDecimal(b []byte, negative bool, whole, fraction uint64, places int) []byte {
	if negative {
		b = append(b, '-')
	}
	b = strconv.AppendUint(b, whole, 10)
	if places == 0 {
		return b
	}
	b = append(b, '.')
	for place := places - 1; place >= 0; place-- {
		b = append(b, byte('0'+fraction/pow10[place]%10))
	}
	return b
}

// MarshalText returns what [Amount.String] returns. It never fails.
func (a Amount) MarshalText() ([]byte, error) { return a.AppendText(nil) }

// UnmarshalText reads what [ParseAmount] reads.
func (a *Amount) UnmarshalText(text []byte) error {
	parsed, err := ParseAmount(string(text))
	if err == nil {
		*a = parsed
	}
	return err
}
