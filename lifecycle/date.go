package lifecycle

import (
	"errors"
	"fmt"
	"time"
)

// Date is a calendar day without a time of day and without a time zone: the
// provider prints days, and a day is the same day everywhere. The zero Date
// means "no date". Dates compare with == and order with [Date.Before] and
// [Date.Compare]. Days run from 0001-01-02 to 9999-12-31.
type Date struct {
	n int32 // days since 0001-01-01, so that 0 is free to mean none
}

// day0 is 0001-01-01, counted by the formula in civil from 0000-03-01.
const day0 = 306

const maxDays = 3652058 // 9999-12-31

var errDate = errors.New("want a day that exists, as YYYY-MM-DD")

// DateOf returns the calendar day of t in t's own location. Whoever wants the
// day of another place converts first: DateOf(t.In(paris)).
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return civil(y, int(m), d)
}

// NewDate returns the given day, or an error if the calendar does not have it.
func NewDate(year int, month time.Month, day int) (Date, error) {
	d := civil(year, int(month), day)
	if y, m, dd := d.Date(); d.n <= 0 || y != year || m != month || dd != day {
		return Date{}, fmt.Errorf("lifecycle: date %d-%d-%d: %w", year, month, day, errDate)
	}
	return d, nil
}

// ParseDate reads YYYY-MM-DD (RFC 3339 full-date), nothing shorter or longer.
func ParseDate(s string) (Date, error) {
	y, okY := digits(s, 0, 4)
	m, okM := digits(s, 5, 7)
	d, okD := digits(s, 8, 10)
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || !okY || !okM || !okD {
		return Date{}, fmt.Errorf("lifecycle: date: got %s, %w", clip(s), errDate)
	}
	return NewDate(y, time.Month(m), d)
}

func digits(s string, from, to int) (n int, ok bool) {
	if len(s) < to {
		return 0, false
	}
	for _, c := range []byte(s[from:to]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// IsZero reports whether d is no date at all.
func (d Date) IsZero() bool { return d.n == 0 }

// Before reports whether d is an earlier day than e. No date is before every date.
func (d Date) Before(e Date) bool { return d.n < e.n }

// Compare is -1, 0 or +1 as d is before, the same as, or after e.
func (d Date) Compare(e Date) int {
	switch {
	case d.n < e.n:
		return -1
	case d.n > e.n:
		return 1
	}
	return 0
}

// Sub returns the number of days from e to d; negative if d is earlier.
func (d Date) Sub(e Date) int { return int(d.n) - int(e.n) }

// AddDays returns the day n days later, held inside the years 1 to 9999.
// No date stays no date.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	return clamp(int64(d.n) + int64(n))
}

// AddMonths returns the same day of the month n months later. A month that is
// too short gives its last day: three months before 2026-05-31 is 2026-02-28.
// No date stays no date.
func (d Date) AddMonths(n int) Date {
	if d.IsZero() {
		return d
	}
	y, m, day := d.Date()
	months := int64(y)*12 + int64(m) - 1 + int64(n)
	if months < 12 {
		return clamp(0)
	}
	if months >= 10000*12 {
		return clamp(maxDays)
	}
	y, m = int(months/12), time.Month(months%12+1)
	return civil(y, int(m), min(day, daysIn(y, m)))
}

// Date returns the parts of the day; all zero for no date.
func (d Date) Date() (year int, month time.Month, day int) {
	if d.IsZero() {
		return 0, 0, 0
	}
	// The inverse of civil: eras of 400 years that start on 1 March.
	z := int(d.n) + day0
	era := z / 146097
	doe := z % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, day = yoe+era*400, doy-(153*mp+2)/5+1
	if mp < 10 {
		return year, time.Month(mp + 3), day
	}
	return year + 1, time.Month(mp - 9), day
}

// Time returns the first moment of the day in loc. Where clocks that were set
// forward skipped its midnight, that is the moment of the change.
func (d Date) Time(loc *time.Location) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	y, m, day := d.Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, loc)
	if t.Day() != day { // time.Date gave an instant of the day before
		_, t = t.ZoneBounds()
	}
	return t
}

// String returns YYYY-MM-DD, or "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return string(d.AppendTo(make([]byte, 0, 10)))
}

// AppendTo appends the text of [Date.String] to b.
func (d Date) AppendTo(b []byte) []byte {
	if d.IsZero() {
		return b
	}
	y, m, day := d.Date()
	return append(b, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+day/10), byte('0'+day%10))
}

// MarshalText writes the text of [Date.String].
func (d Date) MarshalText() ([]byte, error) { return d.AppendTo(nil), nil }

// UnmarshalText reads what [ParseDate] reads, or nothing for no date.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	e, err := ParseDate(string(b))
	if err == nil {
		*d = e
	}
	return err
}

// civil counts days in the proleptic Gregorian calendar, the one that package
// time uses, and holds the result inside the range of Date. Overlong days run
// into the next month; NewDate refuses them.
func civil(y, m, d int) Date {
	switch {
	case y < 1:
		return Date{}
	case y > 9999:
		return Date{n: maxDays}
	}
	if m <= 2 {
		y, m = y-1, m+12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return clamp(int64(era*146097 + doe - day0))
}

func clamp(n int64) Date { return Date{n: int32(max(0, min(n, maxDays)))} }

func daysIn(y int, m time.Month) int {
	switch m {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
