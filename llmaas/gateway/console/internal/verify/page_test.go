package verify

import (
	"bytes"
	"context"
	"image"
	_ "image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// tab is a page in a browser, and what the browser complained about.
type tab struct {
	ctx context.Context

	mu         sync.Mutex // guards complaints
	complaints []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	require.NoError(t, err, "apt-get install chromium")
	profile, err := os.MkdirTemp("", "chromium-")
	require.NoError(t, err)
	t.Cleanup(func() { // processes of the browser write on for a moment after it has ended
		require.Eventually(t, func() bool { return os.RemoveAll(profile) == nil }, 10*time.Second, 50*time.Millisecond)
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.UserDataDir(profile), chromedp.WindowSize(1280, 1600))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(cancel)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits until it has ended
	p := &tab{ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			p.complaints = append(p.complaints, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventExceptionThrown:
			p.complaints = append(p.complaints, e.ExceptionDetails.Error())
		}
	})
	p.run(t, log.Enable(), runtime.Enable())
	return p
}

func (p *tab) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	require.NoError(t, chromedp.Run(p.ctx, actions...))
}

func (p *tab) text(t *testing.T, selector string) string {
	t.Helper()
	var s string
	p.run(t, chromedp.Text(selector, &s, chromedp.ByQuery))
	return s
}

func (p *tab) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
}

func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// The console by keyboard alone: a wrong key is told so, the right one shows
// live figures, and the history is searched. The browser has nothing to complain
// about, the policy included, and the key is in no address.
func TestConsoleInABrowser(t *testing.T) {
	vars, _ := start(t)
	traffic(t, vars)
	p := newTab(t)
	p.run(t, chromedp.Navigate(vars["CONSOLE_URL"]), chromedp.WaitVisible("#key", chromedp.ByQuery))
	var focused string
	p.run(t, chromedp.Evaluate("document.activeElement.id", &focused))
	require.Equal(t, "key", focused)

	p.run(t, chromedp.KeyEvent(vars["API_KEY"]+kb.Enter), chromedp.WaitVisible("#denied:not(:empty)", chromedp.ByQuery))
	require.Contains(t, p.text(t, "#denied"), "may not see the console")
	denied := p.said()
	require.Len(t, denied, 1, "the browser notes the 401 itself")
	require.Contains(t, denied[0], "401")

	p.run(t, chromedp.KeyEvent(vars["ADMIN_KEY"]+kb.Enter),
		chromedp.WaitVisible("#data", chromedp.ByQuery), chromedp.WaitVisible("#latency path.one", chromedp.ByQuery), chromedp.WaitVisible("#requests-rows td", chromedp.ByQuery))
	require.Equal(t, "Live", p.text(t, "#state"))
	require.Contains(t, p.text(t, "#requests-rows"), "<b>bold</b>", "a name is text, never markup")
	require.Contains(t, p.text(t, "#usage-rows"), "llama3.3:70b")
	require.Contains(t, p.text(t, "#backends-rows"), "gpu-12")
	require.Equal(t, "12 of 12", p.text(t, "#now-machines"))
	require.Contains(t, p.text(t, "#latency-at"), "99th percentile")
	require.Contains(t, p.text(t, "#models-rows"), "gpt-oss:120b")

	before := p.text(t, "#usage-rows")
	p.run(t, chromedp.Evaluate("document.kept = document.querySelector('#usage-rows tr'); true", nil))
	traffic(t, vars)
	require.Eventually(t, func() bool { return p.text(t, "#usage-rows") != before }, 10*time.Second, 100*time.Millisecond, "figures are live")
	var kept bool
	p.run(t, chromedp.Evaluate("document.kept.isConnected", &kept))
	require.True(t, kept, "rows are changed where they are, so that a selection lasts")

	// Tab walks to the search: nothing on the way traps it.
	for range 40 {
		p.run(t, chromedp.KeyEvent(kb.Tab), chromedp.Evaluate("document.activeElement.name || ''", &focused))
		if focused == "status" {
			break
		}
	}
	require.Equal(t, "status", focused)
	p.run(t, chromedp.KeyEvent("410"+kb.Enter), chromedp.WaitVisible("#found:not(:empty)", chromedp.ByQuery))
	require.Equal(t, "10 requests, the newest first", p.text(t, "#found"))
	require.Contains(t, p.text(t, "#requests-rows"), "deepseek-r1:70b")
	require.NotContains(t, p.text(t, "#requests-rows"), "llama3.3:70b")

	readable(t, p)
	pictures(t, p)

	var addresses string
	p.run(t, chromedp.Evaluate("location.href+performance.getEntriesByType('resource').map(e=>e.name).join()", &addresses))
	require.NotContains(t, addresses, vars["ADMIN_KEY"])
	require.Len(t, p.said(), 1, "%v", p.said())
}

// The console says that a machine is down and why, and that the gateway is gone
// and has come back: nobody has to sign in again, or to load the page.
func TestConsoleSaysWhatIsWrong(t *testing.T) {
	machine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"a word"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}`)
	}))
	defer machine.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())
	args := []string{"-addr", addr, "-keys", filepath.Join(t.TempDir(), "keys.json"), "-upstream", machine.URL + "/v1", "-upstream", "http://127.0.0.1:1/v1"}
	vars, stop := start(t, args...)
	for range 20 {
		got, answer := fetch(t, vars["API_KEY"], "POST", vars["BASE_URL"]+"/chat/completions", `{"model":"llama3.3:70b","messages":[{"role":"user","content":"Bonjour"}]}`)
		require.Equal(t, 200, got, answer)
	}
	var mute atomic.Bool
	between := proxy(t, addr, &mute)
	p := newTab(t)
	p.run(t, chromedp.Navigate(strings.Replace(vars["CONSOLE_URL"], addr, between, 1)), chromedp.WaitVisible("#key", chromedp.ByQuery),
		chromedp.KeyEvent(vars["ADMIN_KEY"]+kb.Enter), chromedp.WaitVisible("#backends-rows .bad", chromedp.ByQuery))
	require.Contains(t, p.text(t, "#backends-rows .bad"), "out until")
	require.Contains(t, p.text(t, "#backends-rows"), "connection refused")
	require.Equal(t, "1 of 2", p.text(t, "#now-machines"))
	var said string
	p.run(t, chromedp.TextContent("#news", &said, chromedp.ByQuery))
	require.Contains(t, said, "Machine upstream-02 is out", "those who listen are told")

	mute.Store(true) // the connection is there, and nothing comes
	p.run(t, chromedp.WaitVisible("#state.bad", chromedp.ByQuery))
	require.Contains(t, p.text(t, "#state"), "nothing was heard")
	mute.Store(false)
	p.run(t, chromedp.WaitVisible("#state.good", chromedp.ByQuery))

	stop()
	p.run(t, chromedp.WaitVisible("#state.bad", chromedp.ByQuery))
	require.Contains(t, p.text(t, "#state"), "Not connected since")
	require.Contains(t, p.text(t, "#backends-rows"), "connection refused", "what was known stays")
	start(t, args...)
	p.run(t, chromedp.WaitVisible("#state.good", chromedp.ByQuery))
	require.Equal(t, "Live", p.text(t, "#state"))
	require.Eventually(t, func() bool { return p.text(t, "#usage-rows") == "No request has named a model yet" }, 10*time.Second, 50*time.Millisecond, "the figures are those of the new process")
}

// proxy stands before addr and passes everything on, except answers while it is mute.
func proxy(t *testing.T, addr string, mute *atomic.Bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			back, err := net.Dial("tcp", addr)
			if err != nil {
				_ = front.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(back, front)
				_ = back.Close()
			}()
			go func() {
				defer func() { _ = front.Close() }()
				buf := make([]byte, 32<<10)
				for {
					n, err := back.Read(buf)
					if !mute.Load() {
						if _, err := front.Write(buf[:n]); err != nil {
							return
						}
					}
					if err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// readable asks the browser what a screen reader is told.
func readable(t *testing.T, p *tab) {
	t.Helper()
	roles := make(map[string]int)
	type value struct {
		Value any `json:"value"`
	}
	var tree struct {
		Nodes []struct {
			Ignored bool  `json:"ignored"`
			Role    value `json:"role"`
			Name    value `json:"name"`
		} `json:"nodes"`
	}
	p.run(t, chromedp.ActionFunc(func(ctx context.Context) error {
		return chromedp.FromContext(ctx).Target.Execute(ctx, "Accessibility.getFullAXTree", nil, &tree)
	}))
	for _, n := range tree.Nodes {
		role, _ := n.Role.Value.(string)
		if n.Ignored {
			continue
		}
		roles[role]++
		switch role {
		case "textbox", "button", "link", "image", "region", "navigation", "search", "columnheader":
			require.NotEmpty(t, n.Name.Value, "a %s without a name", role)
		}
	}
	for role, least := range map[string]int{"banner": 1, "navigation": 1, "main": 1, "region": 5, "search": 1, "table": 4, "columnheader": 20, "rowheader": 30, "heading": 7, "image": 3, "status": 2, "list": 1} {
		require.GreaterOrEqual(t, roles[role], least, "%s: %v", role, roles)
	}
}

// pictures looks at the page in both schemes: its background is that of the
// scheme, the curves are drawn, and nothing is wider than the window.
func pictures(t *testing.T, p *tab) {
	t.Helper()
	for name, want := range map[string]struct{ back, curve uint32 }{"light": {0xffffff, 0x0550ae}, "dark": {0x0d1117, 0x79c0ff}} {
		var shot []byte
		var wide bool
		p.run(t, scheme(name), chromedp.Evaluate("document.documentElement.scrollWidth > innerWidth", &wide), chromedp.FullScreenshot(&shot, 100))
		require.False(t, wide, "%s: the page is wider than the window", name)
		if dir := os.Getenv("SCREENSHOTS"); dir != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "console-"+name+".png"), shot, 0o600))
		}
		img, _, err := image.Decode(bytes.NewReader(shot))
		require.NoError(t, err)
		colors := make(map[uint32]int)
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				r, g, b, _ := img.At(x, y).RGBA()
				colors[r>>8<<16|g>>8<<8|b>>8]++
			}
		}
		require.Greater(t, colors[want.back], 300_000, name)
		require.Greater(t, colors[want.curve], 20, name)
	}
}
