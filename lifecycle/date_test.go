package lifecycle

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
)

// Every day of 10,000 years agrees with package time, both ways, and follows
// the day before.
func TestDateAgreesWithTime(t *testing.T) {
	d, tm := date("0001-01-02"), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	days := 0
	for ; tm.Year() <= 9999; tm = tm.AddDate(0, 0, 1) {
		if y, m, day := d.Date(); y != tm.Year() || m != tm.Month() || day != tm.Day() || DateOf(tm) != d {
			t.Fatalf("day %d: got %s, want %s", days, d, tm.Format(time.DateOnly))
		}
		days++
		d = Date{d.n + 1}
	}
	require.Equal(t, maxDays, days)
}

func TestParseDate(t *testing.T) {
	for _, s := range []string{"2025-11-22", "2024-02-29", "2000-02-29", "0001-01-02", "9999-12-31"} {
		d, err := ParseDate(s)
		require.NoError(t, err, s)
		require.Equal(t, s, d.String())
	}
	for _, s := range []string{"", "2025-02-29", "1900-02-29", "2025-13-01", "2025-00-01", "2025-01-00", "2025-01-32", "2025-04-31", "0000-01-01",
		"2025-1-01", "22/11/2025", "2025-11-22 ", "2025-11-22T00:00:00Z", "2025_11_22", "2025_11-22", "2025-11_22", "202x-11-22", "2025-1x-22", "2025-11-2x", "+025-11-22", "２０２５-11-22", "-2025-11-22"} {
		_, err := ParseDate(s)
		require.ErrorIs(t, err, errDate, s)
	}
	_, err := NewDate(1<<62, 1<<62, 1<<62)
	require.ErrorIs(t, err, errDate)
}

func TestAddMonths(t *testing.T) {
	for _, tc := range []struct {
		day    string
		months int
		want   string
	}{
		{"2025-12-31", -3, "2025-09-30"},
		{"2026-05-31", -3, "2026-02-28"},
		{"2024-05-31", -3, "2024-02-29"},
		{"2026-01-31", -3, "2025-10-31"},
		{"2026-03-30", -3, "2025-12-30"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2024-02-29", 48, "2028-02-29"},
		{"2025-12-31", 2, "2026-02-28"},
		{"0001-02-01", -3, ""},
		{"9999-12-01", 3, "9999-12-31"},
	} {
		require.Equal(t, tc.want, date(tc.day).AddMonths(tc.months).String(), "%s %+d", tc.day, tc.months)
	}
	require.Zero(t, Date{}.AddMonths(5))
	require.Zero(t, Date{}.AddDays(5))
	require.Equal(t, "2024-02-29", date("2024-02-28").AddDays(1).String())
	require.Equal(t, "9999-12-31", date("2024-02-28").AddDays(1<<62).String())
}

// The status of a day is the same at every moment of the day in every place,
// and changes at that place's midnight, around leap days, year ends and the
// switches of summer time.
func TestNoTimeZoneSlip(t *testing.T) {
	c := Default()
	zones := []*time.Location{time.UTC, time.FixedZone("east", 14*3600), time.FixedZone("west", -12*3600), time.FixedZone("odd", 20700)}
	for _, name := range []string{"Europe/Paris", "Asia/Tokyo", "America/St_Johns", "Pacific/Apia", "America/Sao_Paulo"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		zones = append(zones, zone)
	}
	days := []Date{date("2025-12-31"), date("2026-01-01"), date("2024-02-29"), date("2028-02-29"), date("2026-03-01"), date("2026-03-29"), date("2026-10-25"), date("2018-11-04")}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		days = append(days, date("2025-01-01").AddDays(rng.IntN(1500)))
	}
	asked := 0
	for m := range c.Models() {
		for _, day := range days {
			want, err := c.StatusOn(m.ID, day)
			require.NoError(t, err)
			zone := zones[rng.IntN(len(zones))]
			y, mon, d := day.Date()
			for _, at := range []time.Time{
				time.Date(y, mon, d, 0, 0, 0, 0, zone),
				time.Date(y, mon, d, 12, 0, 0, 0, zone),
				time.Date(y, mon, d, 23, 59, 59, 999999999, zone),
			} {
				if at.Day() != d { // a midnight that summer time skipped
					continue
				}
				got, err := c.StatusAt(m.ID, at)
				require.NoError(t, err)
				if got != want {
					t.Fatalf("%s at %s: got %+v, want %+v", m.ID, at, got, want)
				}
				asked++
			}
		}
	}
	require.Greater(t, asked, 50_000)
}

// The first moment of a day belongs to it, also where summer time skipped its
// midnight.
func TestDateTimeIsOnItsDay(t *testing.T) {
	for _, row := range []struct{ zone, day, want string }{
		{"UTC", "2026-05-17", "2026-05-17T00:00:00Z"},
		{"Europe/Paris", "2026-03-29", "2026-03-29T00:00:00+01:00"},
		{"America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00"},
		{"America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"},
		{"Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"},
	} {
		zone, err := time.LoadLocation(row.zone)
		require.NoError(t, err)
		got := date(row.day).Time(zone)
		require.Equal(t, row.want, got.Format(time.RFC3339), row.zone)
		require.Equal(t, date(row.day), DateOf(got), row.zone)
	}
}

func TestDateText(t *testing.T) {
	var d Date
	require.NoError(t, d.UnmarshalText([]byte("2026-02-28")))
	b, err := d.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "2026-02-28", string(b))
	require.Error(t, d.UnmarshalText([]byte("2026-02-30")))
	require.Equal(t, "2026-02-28", d.String(), "a bad text changes nothing")
	require.NoError(t, d.UnmarshalText(nil))
	require.True(t, d.IsZero())
	require.Equal(t, "", d.String())
	require.True(t, d.Time(time.UTC).IsZero())
}
