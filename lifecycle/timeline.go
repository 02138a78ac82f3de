package lifecycle

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The geometry of the timeline in pixels: it is made to be read at a width of
// 1,200 without scrolling sideways.
const (
	svgWidth  = 1200
	svgLeft   = 280 // where the bars begin; the ids stand to the left
	svgRight  = 1085
	svgTop    = 96
	svgRow    = 20
	svgBar    = 12
	svgBottom = 24
)

// WriteTimeline draws the catalogue on the day of t as an SVG of 1,200 px: one
// bar for each model from launch to end, sorted by end, with the notice shaded,
// the months without maintenance hatched, a line for the day, and colors that
// follow prefers-color-scheme. The names limit it to the models of a program;
// none means all.
func (c *Catalogue) WriteTimeline(w io.Writer, t time.Time, names ...string) error {
	entries, err := c.entries(names)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e *entry) bool { return e.End().IsZero() })
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return cmp.Or(a.End().Compare(b.End()), strings.Compare(a.ID, b.ID))
	})
	d := drawing{day: later(DateOf(t), Date{1})}
	d.scale(entries)
	d.frame(c, len(entries))
	for i, e := range entries {
		d.bar(i, e)
	}
	d.today(len(entries))
	d.b.WriteString("</svg>\n")
	_, err = io.WriteString(w, d.b.String())
	return err
}

type drawing struct {
	b        strings.Builder
	day      Date
	from, to Date // whole months
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

// scale finds the months that hold every bar and the day, of at most 40 years:
// a table with an absurd date must not draw an absurd number of months.
func (d *drawing) scale(entries []*entry) {
	from, to := d.day, d.day
	for _, e := range entries {
		start := e.Launched
		if start.IsZero() {
			start = e.noticeFrom
		}
		from, to = earlier(from, start), later(to, later(e.End(), e.removedFrom))
	}
	d.from = monthOf(later(from, d.day.AddMonths(-240)))
	d.to = monthOf(earlier(to, d.day.AddMonths(240))).AddMonths(1)
}

// monthOf is the first of the month; the calendar itself begins on the second.
func monthOf(d Date) Date {
	_, _, day := d.Date()
	return later(d.AddDays(1-day), Date{1})
}

func (d *drawing) x(day Date) float64 {
	share := float64(day.Sub(d.from)) / float64(max(1, d.to.Sub(d.from)))
	return svgLeft + max(0, min(1, share))*(svgRight-svgLeft)
}

const svgStyle = `<style>
rect, line { shape-rendering: crispEdges; } svg { --bg: #ffffff; --ink: #1f2328; --soft: #59636e; --grid: #d8dee4; --live: #2f81f7; --notice: #e8a317; --over: #cf222e; --gone: #afb8c1; background: var(--bg); font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --bg: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #2a313c; --live: #4493f8; --notice: #d29922; --over: #f85149; --gone: #59636e; } }
.bg { fill: var(--bg); } text { fill: var(--ink); } .soft { fill: var(--soft); } .id { text-anchor: end; } .past { fill: var(--soft); } .end { fill: var(--soft); stroke: var(--bg); stroke-width: 3px; paint-order: stroke; }
.title { font-size: 18px; font-weight: 600; } .grid { stroke: var(--grid); } .year { stroke: var(--soft); }
.live { fill: var(--live); } .notice { fill: var(--notice); } .gone { fill: var(--gone); }
.over { fill: url(#hatch); stroke: var(--over); stroke-width: .75; } .hatch { shape-rendering: auto; stroke: var(--over); stroke-width: 2; } .today { stroke: var(--over); stroke-width: 2; } .now { fill: var(--over); font-weight: 600; text-anchor: middle; }
</style>
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="5"/></pattern></defs>
`

func (d *drawing) frame(c *Catalogue, rows int) {
	height := svgTop + rows*svgRow + svgBottom
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`+"\n", svgWidth, height, svgWidth, height)
	d.printf("<title id=\"title\">Model lifecycle on %s</title>\n<desc id=\"desc\">%d models, one bar each from launch to end, sorted by end</desc>\n%s", d.day, rows, svgStyle)
	d.printf(`<rect class="bg" width="%d" height="%d"/>`+"\n", svgWidth, height)
	d.printf(`<text class="title" x="24" y="34">Model lifecycle on %s</text><text class="soft" x="24" y="54">%d models, tables of %s</text>`+"\n", d.day, rows, c.AsOf())
	x := 560
	for _, key := range []struct{ class, name string }{{"live", "production"}, {"notice", "notice"}, {"over", "support over"}, {"gone", "deprecated or removed"}} {
		d.printf(`<rect class="%s" x="%d" y="24" width="22" height="%d" rx="2"/><text x="%d" y="34">%s</text>`+"\n", key.class, x, svgBar, x+30, key.name)
		x += 52 + 7*len(key.name) + 12
	}
	d.months(rows)
}

// months draws a line for each month, the years stronger, and names as many of
// them as have room.
func (d *drawing) months(rows int) {
	bottom := svgTop + rows*svgRow
	step := 1
	for float64(svgRight-svgLeft)/float64(d.to.Sub(d.from))*30*float64(step) < 34 {
		step *= 2
	}
	if step > 2 {
		step = (step + 2) / 3 * 3
	}
	for m := d.from; ; m = m.AddMonths(1) {
		y, month, _ := m.Date()
		class := "grid"
		if month == time.January {
			class = "year"
		}
		if class == "year" || step < 6 {
			d.printf(`<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n", class, d.x(m), svgTop-6, d.x(m), bottom)
		}
		if !m.Before(d.to) {
			return
		}
		if (step <= 12 && (int(month)-1)%step != 0) || (step > 12 && (month != time.January || y%(step/12) != 0)) {
			continue
		}
		name := month.String()[:3]
		if month == time.January {
			name = fmt.Sprint(y)
		}
		d.printf(`<text class="soft" x="%.1f" y="%d">%s</text>`+"\n", d.x(m)+2, svgTop-10, name)
	}
}

func (d *drawing) bar(row int, e *entry) {
	y := svgTop + row*svgRow + (svgRow-svgBar)/2
	status := e.status(d.day)
	class := "id"
	if !status.Phase.Available() {
		class += " past"
	}
	start := e.Launched
	if start.IsZero() {
		start = d.from
	}
	d.printf(`<g><title>%s: %s</title><text class="%s" x="%d" y="%d">%s</text>`, escape(e.ID), escape(status.sentence()), class, svgLeft-10, y+10, escape(ellipsis(e.ID)))
	live, notice := "live", "notice"
	if status.Phase > EndOfSupport {
		live, notice = "gone", "gone"
	}
	last := e.End()
	d.rect(live, y, start, earlier(later(e.noticeFrom, start), last))
	d.rect(notice, y, later(e.noticeFrom, start), last)
	over := e.removedFrom
	if !e.Retired.IsZero() {
		over = e.Retired
	}
	if status.Phase <= EndOfSupport && last.Before(over) {
		d.rect("over", y, last, over)
		last = over
	}
	word := "ends"
	if status.DaysLeft < 0 {
		word = "ended"
	}
	d.printf(`<text class="end" x="%.1f" y="%d">%s %s</text></g>`+"\n", d.x(last)+6, y+10, word, e.End())
}

func (d *drawing) rect(class string, y int, from, to Date) {
	if x := d.x(from); from.Before(to) {
		d.printf(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/>`, class, x, y, max(1, d.x(to)-x), svgBar)
	}
}

func (d *drawing) today(rows int) {
	x := d.x(d.day)
	d.printf(`<line class="today" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/><text class="now" x="%.1f" y="%d">%s</text>`+"\n",
		x, svgTop-24, x, svgTop+rows*svgRow+4, x, svgTop-28, d.day)
}

// ellipsis keeps a long id inside its column.
func ellipsis(id string) string {
	if len(id) > 38 {
		return id[:37] + "…"
	}
	return id
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
