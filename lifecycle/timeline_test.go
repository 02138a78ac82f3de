package lifecycle

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The drawing is well-formed, holds every model once and nothing outside its edges.
func TestTimeline(t *testing.T) {
	for _, day := range []time.Time{at("2025-11-22"), at("2026-05-17"), at("2026-11-23"), at("1950-01-01"), at("9999-12-31"), at("0001-01-02"),
		{}, time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		var b bytes.Buffer
		require.NoError(t, Default().WriteTimeline(&b, day))
		texts, bars := 0, 0
		d := xml.NewDecoder(&b)
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
			}
			if strings.HasPrefix(attr["class"], "id") {
				texts++
			}
			if e.Name.Local == "rect" && attr["x"] != "" {
				bars++
				var x, w float64
				_, err := fmt.Sscan(attr["x"]+" "+attr["width"], &x, &w)
				require.NoError(t, err)
				require.GreaterOrEqual(t, x, float64(svgLeft))
				require.LessOrEqual(t, x+w, float64(svgWidth))
			}
		}
		require.Equal(t, 105, texts, day)
		require.Greater(t, bars, 4, day)
	}
	var b bytes.Buffer
	require.NoError(t, Default().WriteTimeline(&b, at("2026-05-17"), "qwq:32b", "gpt-oss:120b"))
	golden(t, "timeline.svg", b.Bytes())
	require.ErrorIs(t, Default().WriteTimeline(&b, at("2026-05-17"), "none"), ErrUnknownModel)
	require.Error(t, Default().WriteTimeline(failing{}, at("2026-05-17")))
}

// A hostile table cannot put markup into the drawing.
func TestTimelineEscapes(t *testing.T) {
	c, err := Load(strings.NewReader(tableOf(strings.ReplaceAll(goodRow, "a:1b", "<script>&'"))))
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, c.WriteTimeline(&b, at("2026-01-01")))
	require.NotContains(t, b.String(), "<script")
	require.Contains(t, b.String(), "&lt;script&gt;&amp;")
}
