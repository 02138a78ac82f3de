package verify

import (
	"bytes"
	"testing"
	"time"

	arran "github.com/arran4/golang-ical"
	emersion "github.com/emersion/go-ical"
	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/lifecycle"
)

// parsed is an event as a parser understood it.
type parsed struct {
	uid, summary, category string
	start, end             time.Time
}

// Two parsers read from a calendar what was written into it: the one of the
// catalogue, and one whose texts need escaping and folding.
func TestCalendarInOtherHands(t *testing.T) {
	stamp := time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)
	real, err := lifecycle.Default().Calendar(stamp, 1000)
	require.NoError(t, err)
	require.Greater(t, len(real), 100)
	day := lifecycle.DateOf(stamp)
	nasty := []lifecycle.Event{
		{Day: day, Kind: lifecycle.EventEnd, Model: "a,b;c:1b", Text: `commas, semicolons; back\slashes: "quotes"` + "\nand a second line"},
		{Day: day.AddDays(288), Kind: lifecycle.EventNotice, Model: "long", Text: "模型的支持即将结束，请及时迁移到后继模型，以免服务中断。моделью больше не поддерживается — modèle bientôt retiré, à remplacer dès que possible"},
		{Day: day.AddDays(228), Kind: lifecycle.EventReview, Text: "the last day of the year"},
	}
	for name, events := range map[string][]lifecycle.Event{"catalogue": real, "nasty": nasty} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, lifecycle.WriteICS(&b, "Modèles; tous, vraiment", events, stamp))
			for parser, read := range map[string]func(*testing.T, []byte) []parsed{"emersion": readEmersion, "arran4": readArran} {
				got := read(t, b.Bytes())
				require.Len(t, got, len(events), parser)
				uids := map[string]bool{}
				for i, e := range events {
					require.Equal(t, e.Text, got[i].summary, parser)
					require.Equal(t, string(e.Kind), got[i].category, parser)
					require.Equal(t, e.Day, lifecycle.DateOf(got[i].start), parser)
					require.Equal(t, e.Day.AddDays(1), lifecycle.DateOf(got[i].end), parser)
					require.False(t, uids[got[i].uid], "%s: %s twice", parser, got[i].uid)
					uids[got[i].uid] = true
				}
			}
		})
	}
}

func readEmersion(t *testing.T, data []byte) (out []parsed) {
	calendar, err := emersion.NewDecoder(bytes.NewReader(data)).Decode()
	require.NoError(t, err)
	name, err := calendar.Props.Text("NAME")
	require.NoError(t, err)
	require.Equal(t, "Modèles; tous, vraiment", name)
	// Its encoder refuses what lacks a required property or has one twice.
	require.NoError(t, emersion.NewEncoder(&bytes.Buffer{}).Encode(calendar))
	for _, e := range calendar.Events() {
		var p parsed
		p.uid, err = e.Props.Text(emersion.PropUID)
		require.NoError(t, err)
		p.summary, err = e.Props.Text(emersion.PropSummary)
		require.NoError(t, err)
		p.category, err = e.Props.Text(emersion.PropCategories)
		require.NoError(t, err)
		p.start, err = e.DateTimeStart(time.UTC)
		require.NoError(t, err)
		p.end, err = e.DateTimeEnd(time.UTC)
		require.NoError(t, err)
		require.Equal(t, emersion.ValueDate, e.Props.Get(emersion.PropDateTimeStart).ValueType(), "an all-day event")
		out = append(out, p)
	}
	return out
}

func readArran(t *testing.T, data []byte) (out []parsed) {
	calendar, err := arran.ParseCalendar(bytes.NewReader(data))
	require.NoError(t, err)
	for _, e := range calendar.Events() {
		p := parsed{uid: e.Id(), summary: e.GetProperty(arran.ComponentPropertySummary).Value, category: e.GetProperty(arran.ComponentPropertyCategories).Value}
		p.start, err = e.GetAllDayStartAt()
		require.NoError(t, err)
		p.end, err = e.GetAllDayEndAt()
		require.NoError(t, err)
		out = append(out, p)
	}
	return out
}
