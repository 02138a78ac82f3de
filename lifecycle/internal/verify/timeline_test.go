package verify

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmaas/llmaas-go/lifecycle"
)

// theme is a color scheme of the browser and the colors that the drawing must
// then show.
type theme struct {
	name                      string
	setting                   int // Blink's PreferredColorScheme
	back, live, notice, today color.RGBA
}

var themes = []theme{
	{"light", 1, hex(0xffffff), hex(0x2f81f7), hex(0xe8a317), hex(0xcf222e)},
	{"dark", 0, hex(0x0d1117), hex(0x4493f8), hex(0xd29922), hex(0xf85149)},
}

func hex(c uint32) color.RGBA {
	return color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255}
}

// The drawing, as a browser 1,200 px wide shows it: the right colors in either
// scheme, a readable label in every row, and nothing cut off at an edge.
func TestTimelineInABrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	require.NoError(t, err, "apt-get install chromium")
	day := time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)
	var svg bytes.Buffer
	require.NoError(t, lifecycle.Default().WriteTimeline(&svg, day))
	dir := t.TempDir()
	file := filepath.Join(dir, "timeline.svg")
	require.NoError(t, os.WriteFile(file, svg.Bytes(), 0o600))
	rows := lifecycle.Default().Len()
	height := 96 + 20*rows + 24

	for _, theme := range themes {
		t.Run(theme.name, func(t *testing.T) {
			shot := filepath.Join(dir, theme.name+".png")
			cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
				"--user-data-dir="+t.TempDir(), "--blink-settings=preferredColorScheme="+strconv.Itoa(theme.setting),
				"--window-size=1200,"+strconv.Itoa(height), "--screenshot="+shot, "file://"+file)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			img := readPNG(t, shot)
			require.Equal(t, image.Pt(1200, height), img.Bounds().Size())

			require.Equal(t, theme.back, at(img, 5, 5))
			require.Greater(t, count(img, theme.live), 50_000, "production")
			require.Greater(t, count(img, theme.notice), 20_000, "notice")
			require.Greater(t, count(img, theme.today), height, "the line of the day")
			for row := range rows {
				y := 96 + 20*row
				require.Greater(t, ink(img, theme.back, image.Rect(20, y, 275, y+20)), 40, "label of row %d", row)
				require.Greater(t, ink(img, theme.back, image.Rect(280, y, 1190, y+20)), 200, "bar of row %d", row)
			}
			for _, edge := range []image.Rectangle{image.Rect(0, 0, 20, height), image.Rect(1195, 0, 1200, height), image.Rect(0, height-15, 1200, height), image.Rect(0, 0, 1200, 15)} {
				require.Zero(t, ink(img, theme.back, edge), "cut off at %v", edge)
			}
		})
	}
}

func readPNG(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}

func at(img image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}

func count(img image.Image, c color.RGBA) (n int) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if at(img, x, y) == c {
				n++
			}
		}
	}
	return n
}

// ink counts the pixels of r that are not background.
func ink(img image.Image, back color.RGBA, r image.Rectangle) (n int) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if at(img, x, y) != back {
				n++
			}
		}
	}
	return n
}
