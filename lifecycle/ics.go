package lifecycle

import (
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteICS writes events as an iCalendar (RFC 5545) that a team can subscribe
// to. Each is an all-day event. The UID follows from kind and model, so an end
// that a review moves moves in every subscriber's calendar instead of standing
// there twice. stamp becomes DTSTAMP; the date of the catalogue,
// c.AsOf().Time(time.UTC), makes the file the same on every run.
func WriteICS(w io.Writer, name string, events []Event, stamp time.Time) error {
	var b strings.Builder
	for _, line := range []string{
		"BEGIN:VCALENDAR",
		"VERSION:2.0",
		"PRODID:-//llmaas//lifecycle//EN",
		"CALSCALE:GREGORIAN",
		"METHOD:PUBLISH",
		"NAME:" + icsText(name), // RFC 7986 §5.1
		"X-WR-CALNAME:" + icsText(name),
		"REFRESH-INTERVAL;VALUE=DURATION:P1D", // RFC 7986 §5.7
	} {
		fold(&b, line)
	}
	dtstamp := stamp.UTC().Format("20060102T150405Z")
	for _, e := range events {
		for _, line := range []string{
			"BEGIN:VEVENT",
			"UID:" + icsText(e.uid()),
			"DTSTAMP:" + dtstamp,
			"DTSTART;VALUE=DATE:" + strings.ReplaceAll(e.Day.String(), "-", ""),
			"DTEND;VALUE=DATE:" + strings.ReplaceAll(e.Day.AddDays(1).String(), "-", ""),
			"SUMMARY:" + icsText(e.Text),
			"CATEGORIES:" + icsText(string(e.Kind)),
			"TRANSP:TRANSPARENT", // nobody is busy because a model ends
			"END:VEVENT",
		} {
			fold(&b, line)
		}
	}
	fold(&b, "END:VCALENDAR")
	_, err := io.WriteString(w, b.String())
	return err
}

// uid is unique in a calendar: a model has each kind of day once, and a review
// is named by its day.
func (e Event) uid() string {
	what := e.Model
	if what == "" {
		what = e.Day.String()
	}
	return strings.ReplaceAll(string(e.Kind), " ", "-") + "/" + what + "@lifecycle.llmaas"
}

// icsText escapes a TEXT value (RFC 5545 §3.3.11) and drops control
// characters, which the grammar has no place for.
func icsText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r == 0x7f || (r < ' ' && r != '\n') {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// fold writes one content line in pieces of at most 75 octets that never split
// a character (RFC 5545 §3.1).
func fold(b *strings.Builder, line string) {
	for limit := 75; len(line) > limit; limit = 74 { // the space counts
		cut := limit
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line = line[cut:]
	}
	b.WriteString(line + "\r\n")
}
