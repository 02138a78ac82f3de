package fold

// turnedHan holds pairs of characters that Chinese and Japanese orders contain (指示, 忽略, 無視, …),
// the second one first; read forwards these hardly occur.
var turnedHan = map[string]bool{
	"示指": true, "略忽": true, "視無": true, "视无": true, "示提": true, "词示": true, "詞示": true, "则规": true,
	"則規": true, "记忘": true, "記忘": true, "れ忘": true, "出输": true, "出輸": true, "示表": true, "统系": true,
	"統系": true, "露泄": true, "密秘": true,
}

// hanFilter has a bit for the lowest twelve bits of each character that a pair starts with.
var hanFilter = func() (f [64]uint64) {
	for pair := range turnedHan {
		for _, r := range pair {
			f[r>>6&63] |= 1 << (r & 63)
			break
		}
	}
	return f
}()

// backwardsHan takes note of where the text holds one of the pairs.
func (s *scan) backwardsHan() {
	text := s.text
	for i := 0; i+6 <= len(text); {
		if text[i] < 0xE0 {
			i++
			continue
		}
		if hanFilter[text[i+1]&63]>>(text[i+2]&63)&1 != 0 && turnedHan[string(text[i:i+6])] {
			s.disguised[backwards]++
			s.clues.add(backwards, i, i+6)
		}
		i += 3
	}
}
