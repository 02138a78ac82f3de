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
		text, size := message(s[i:])
		i += size
		if text != "" {
			w.replace(text, start, i)
		}
	}
	w.rest()
}

// message reads the Morse code that s starts with; "" if it is too little.
func message(s string) (string, int) {
	var text strings.Builder
	letters, strokes, dots := 0, 0, 0
	i, end := 0, 0
	for i < len(s) {
		token := i
		for i < len(s) && s[i] > ' ' && i-token < 12 {
			i++
		}
		switch code := s[token:i]; {
		case code == "/" || code == "|":
			text.WriteByte(' ')
		case morse[code] != "":
			text.WriteString(morse[code])
			letters++
			strokes += strings.Count(code, "-")
			dots += strings.Count(code, ".")
			end = i
		case len(code) <= 2 && code != "": // a letter that had no code
			text.WriteString(code)
		default:
			i = token
			return ended(text.String(), letters, strokes, dots, max(end, 1))
		}
		blanks := i
		for i < len(s) && s[i] <= ' ' {
			i++
		}
		if i-blanks > 1 || i > blanks && s[blanks] == '\n' {
			text.WriteByte(' ')
		}
	}
	return ended(text.String(), letters, strokes, dots, max(end, 1))
}

func ended(text string, letters, strokes, dots, size int) (string, int) {
	if letters < leastMorse || strokes == 0 || dots == 0 {
		text = ""
	}
	return text, size
}
