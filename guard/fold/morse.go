package fold

import "strings"

// morse is the International Morse Code (ITU-R M.1677-1), and the accented letters of Europe.
var morse = map[string]string{
	".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f", "--.": "g", "....": "h", "..": "i",
	".---": "j", "-.-": "k", ".-..": "l", "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q", ".-.": "r",
	"...": "s", "-": "t", "..-": "u", "...-": "v", ".--": "w", "-..-": "x", "-.--": "y", "--..": "z",
	"-----": "0", ".----": "1", "..---": "2", "...--": "3", "....-": "4", ".....": "5", "-....": "6", "--...": "7",
	"---..": "8", "----.": "9", ".-.-.-": ".", "--..--": ",", "..--..": "?", ".----.": "'", "-.-.--": "!",
	"-..-.": "/", "-.--.": "(", "-.--.-": ")", ".-...": "&", "---...": ":", "-.-.-.": ";", "-...-": "=",
	".-.-.": "+", "-....-": "-", "..--.-": "_", ".-..-.": `"`, "...-..-": "$", ".--.-.": "@",
	"..-..": "e", ".-..-": "e", ".--.-": "a", "---.": "o", "..--": "u", "----": "ch", "--.--": "n", "-.-..": "c",
}

// leastMorse is how many letters make a message.
const leastMorse = 5

// decodeMorse finds runs of Morse code.
func decodeMorse(s string, d *draft) {
	w := weaver{s: s, d: d}
	for i := 0; i < len(s) && !d.full(); {
		if s[i] != '.' && s[i] != '-' || i > 0 && s[i-1] > ' ' {
			i++
			continue
		}
		start := i
		size, ok := d.message(s[i:])
		i += size
		if ok {
			w.replace(d.scratch, start, i)
		}
	}
	w.rest()
}

// message reads the Morse code that s starts with into d.scratch, and says whether it is enough.
func (d *draft) message(s string) (size int, ok bool) {
	text, letters, strokes, dots := d.scratch[:0], 0, 0, 0
	for i := 0; i < len(s); {
		token := i
		for i < len(s) && s[i] > ' ' && i-token < 12 {
			i++
		}
		code := s[token:i]
		if code == "/" || code == "|" {
			text = append(text, ' ')
		} else if letter := morse[code]; letter != "" {
			text = append(text, letter...)
			letters++
			strokes += strings.Count(code, "-")
			dots += strings.Count(code, ".")
			size = i
		} else if len(code) <= 2 && code != "" { // a letter that has no code
			text = append(text, code...)
		} else {
			break
		}
		blanks := i
		i = gapEnd(s, i)
		if i-blanks > 1 || i > blanks && s[blanks] == '\n' {
			text = append(text, ' ')
		}
	}
	d.scratch = text
	return max(size, 1), letters >= leastMorse && strokes > 0 && dots > 0
}
