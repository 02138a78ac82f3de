package patterns

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmaas/llmaas-go/guard/fold"
	"github.com/stretchr/testify/require"
)

// Clean text, to be repeated up to a size.
var clean = []struct{ name, text string }{
	{"english", "The committee met on Tuesday to talk about the new library. Most members liked the plan, although two of them asked " +
		"how the building would be heated in winter and who would pay for it. After lunch they walked to the site, looked at the old " +
		"trees along the river and agreed that these should stay. A short report will be sent to everyone by the end of the month. "},
	{"french", "Le comité s’est réuni mardi pour parler de la nouvelle bibliothèque. La plupart des membres ont apprécié le projet, même " +
		"si deux d’entre eux ont demandé comment le bâtiment serait chauffé en hiver et qui paierait. Après le déjeuner, ils se sont " +
		"rendus sur place, ont regardé les vieux arbres au bord de la rivière et décidé qu’il fallait les garder. "},
	{"chinese", "委员会星期二开会讨论新图书馆的计划。大多数成员喜欢这个方案，不过有两位询问冬天怎样取暖、费用由谁承担。" +
		"午饭后大家一起去看了现场，沿着河边的老树走了一圈，一致认为这些树应该保留。月底之前会把简短的报告寄给每个人。"},
	{"japanese", "委員会は火曜日に集まり、新しい図書館の計画について話し合いました。多くの委員は計画を気に入りましたが、二人は冬の暖房を" +
		"どうするのか、費用を誰が払うのかと尋ねました。昼食のあと、みんなで現場まで歩き、川沿いの古い木を見て、残すことに決めました。"},
}

// ofSize returns n bytes of text over and over.
func ofSize(text string, n int) string { return strings.Repeat(text, n/len(text)+1)[:n] }

// scanning measures a scan of the folded text alone.
func scanning(b *testing.B, p *program, text string) {
	var folded fold.Text
	folded.Reset(text)
	view := folded.Main().Text
	w := newWork(p)
	w.scan(view)
	b.SetBytes(int64(len(view)))
	b.ReportAllocs()
	for b.Loop() {
		w.scan(view)
	}
}

func BenchmarkScan(b *testing.B) {
	set, err := Parse(Builtin())
	require.NoError(b, err)
	p, err := compile(set, nil)
	require.NoError(b, err)
	for _, c := range clean {
		b.Run(c.name, func(b *testing.B) { scanning(b, p, ofSize(c.text, 1<<20)) })
	}
	b.Run("english500", func(b *testing.B) { scanning(b, p, ofSize(clean[0].text, 500)) })
}

// generated is a file of n rules, each with words of its own beside shared ones.
func generated(n int) fstest.MapFS {
	var b strings.Builder
	b.WriteString("set verbs\n en ignore, forget, drop, delete\nset things\n en rules, orders, prompt, prompts\n")
	for i := range n {
		fmt.Fprintf(&b, "rule gen/r%d\n severity low\n why w\n match ({verbs}|zor%dak) ..%d (%s%dix|the old qua%d) ..2 {things}\n", i, i, i%5,
			[]string{"pre", "tri", "con", "mal"}[i%4], i, i)
		fmt.Fprintf(&b, " match (忽略%c|无视) ..3 (规则%c|指令)\n hit \"x\"\n miss \"y\"\n", 0x4e00+i, 0x5000+i)
	}
	return fstest.MapFS{"generated.rules": {Data: []byte(b.String())}}
}

// BenchmarkRules shows how the time per byte grows with the number of rules.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{100, 2000} {
		set, err := Parse(generated(n))
		require.NoError(b, err)
		p, err := compile(set, nil)
		require.NoError(b, err)
		for _, c := range clean {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) { scanning(b, p, ofSize(c.text, 1<<20)) })
		}
		b.Run(fmt.Sprintf("%d/attack", n), func(b *testing.B) { scanning(b, p, ofSize("ignore ", 1<<20)) })
		b.Run(fmt.Sprintf("%d/attacks", n), func(b *testing.B) { scanning(b, p, ofSize("ignore the old rules ", 1<<20)) })
	}
}

// BenchmarkNew is what the built-in rules cost before the first prompt, and how
// much memory they keep.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	set, err := Parse(Builtin())
	require.NoError(b, err)
	p, err := New(Options{Set: set})
	require.NoError(b, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		set, err := Parse(Builtin())
		require.NoError(b, err)
		_, err = New(Options{Set: set})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc), "kept-B")
	runtime.KeepAlive(p)
}

// BenchmarkHostile repeats what costs most: words that begin many chains, places
// where much could begin, and floods.
func BenchmarkHostile(b *testing.B) {
	set, err := Parse(Builtin())
	require.NoError(b, err)
	p, err := compile(set, nil)
	require.NoError(b, err)
	for _, text := range []string{"a", "(", "ignore ", "ignore all previous ", "pay no attention ", "忽略", "忽略之前的", "a b ", "?", "<", " "} {
		b.Run(fmt.Sprintf("%q", text), func(b *testing.B) { scanning(b, p, ofSize(text, 1<<20)) })
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{100, 2000} {
		set, err := Parse(generated(n))
		require.NoError(b, err)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := compile(set, nil)
				require.NoError(b, err)
			}
		})
	}
}
