package bpetest

import (
	"strings"
	"testing"
	"unicode"

	"github.com/llmaas/llmaas-go/tokens"
)

// hostile are texts made to cost more than they look: nothing of the kind was
// in the data that the estimates were fitted to.
func hostile() (texts []string) {
	for c := rune(0); c < 0x80; c++ {
		for _, n := range []int{1, 10, 17, 33, 100, 1000} {
			texts = append(texts, strings.Repeat(string(c), n), "say "+strings.Repeat(string(c), n)+"!")
		}
	}
	for _, table := range unicode.Scripts {
		var b strings.Builder
		n := 0
		for _, r := range table.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi) && n < 3000; c += rune(r.Stride) {
				b.WriteRune(c)
				n++
			}
		}
		for _, r := range table.R32 {
			for c := rune(r.Lo); c <= rune(r.Hi) && n < 3000; c += rune(r.Stride) {
				b.WriteRune(c)
				n++
			}
		}
		texts = append(texts, b.String())
	}
	for _, unit := range []string{"\u0301", "\u0489\u035c\u0361", "\U000e0041", "\ufe0f", "\u200b", "\u202e", "é", "字", "ཀ", "𒀀", "🙂", "ﷺ", "\u0b95", "Ж"} {
		for _, n := range []int{1, 5, 17, 40, 500} {
			texts = append(texts, strings.Repeat(unit, n), "a"+strings.Repeat(unit, n), strings.Repeat("a"+unit, n))
		}
	}
	// Gibberish that once cost more than High; TestHighHoldsOnRandomTexts has more.
	for _, unit := range []string{"字b지k", "”s…q‘z", "“’–•…", "~}{^%&|`", " @` )?\n", "\n\t\t  \r", "fjbo txzy ", "ZpasFzpv",
		"jjvvglgVzwvz ", "V|k^Q~y/", "M]h-K{R\\", "Q z B ", "ИДВШЩЙ ", "ТоЫщЮт ", "ؽْصّتْ ", "حىةظآؽ ", "मशहगळस ", "ऊङञपबथ",
		"ㆵㆢㄮ ㆷㄡ ", "KCA4CTIJ", "cu00zjh3r", "𐓈Й 𐓰Ф ",
		// What TestSearchForTextsAboveHigh once found.
		"wXyqqkqQ", "k l=VQWvxj+N}TQFjx", "Ù08dZtÙWÙdZbTjÙWj", "?вбкмпвдфьл у", "&\r\r\r", "\r\r\r\r\r\r\t(", "\n\n\n\t*\r\r\r\n\n\n\r\r",
		"⛷⛄⛷*", "ю)ю&ю#ю<ю}", " w xqkq", "ahjwlnnUcDwzjz", "y~*?-{-^*<]~:--", "`&&&'&&&+&&&((&&&", " Steakhaus"} {
		for _, n := range []int{1, 5, 40, 200} {
			texts = append(texts, strings.Repeat(unit, n))
		}
	}
	return texts
}

func TestHighHoldsOnHostileTexts(t *testing.T) {
	for family, name := range map[string]string{"o200k": "o200k_base", "granite4": "cl100k_base"} {
		enc := encoding(t, name)
		e, err := tokens.ForFamily(family)
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, text := range hostile() {
			want, err := enc.Count(text)
			if err != nil {
				t.Fatal(err)
			}
			got := e.Estimate(text)
			if got.High < want || got.High > len(text) {
				t.Errorf("%s: High is %d, the truth %d of %d bytes: %.60q", family, got.High, want, len(text), text)
			}
			checked++
		}
		if checked == 0 {
			t.Fatal("nothing was checked")
		}
	}
}
