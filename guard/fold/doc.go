// Package fold reads text as an attacker meant it.
//
// A rule that looks for "ignore" should also see "ＩＧＮＯＲＥ", "іgnоrе" with Cyrillic letters,
// "i\u200bgnore", "1gn0r3", "i g n o r e" and "aWdub3Jl…". Package fold makes these one: it reads a
// prompt once into a folded view, and, where a cheap test says that something is hidden, into further
// decoded views. Each view maps its bytes back to the bytes of the prompt.
//
//	var text fold.Text // keep it, or pool it: Reset reuses its memory
//	text.Reset(prompt)
//	main := text.Main()
//	if i := bytes.Index(main.Text, []byte("ignore")); i >= 0 {
//		span := main.Span(i, i+len("ignore")) // of prompt
//	}
//	for view := range text.Decoded() {
//		… // the same, in view.Text
//	}
//
// Folding is for matching, not for showing: fold the words to look for as well, and compare.
//
// # The folded view
//
// One pass by tables made beforehand (internal/gen):
//
//   - letters are made small (full case folding: "ß" is "ss") and normalized (NFKC): fullwidth,
//     mathematical, circled letters and ligatures become ASCII, halfwidth kana full;
//   - accents and other combining marks go from Latin, Greek and Cyrillic letters and from ASCII:
//     "système" is "systeme", "œ" is "oe", "ł" is "l". In every other script they stay, composed: kana
//     keep their voice marks, Hindi its vowels;
//   - characters that draw nothing go: zero-width ones, soft hyphens, bidi controls, variation
//     selectors, control characters, and bytes that are no UTF-8;
//   - Unicode tag characters become the ASCII that they hide;
//   - look-alikes become the one ASCII letter or digit that UTS #39 says they look like
//     ([UnicodeVersion]), small capitals and turned letters too. Whole skeletons are not taken ("m" stays
//     "m", not "rn"), and ideographs, kana and hangul never change into letters. Honest Russian and Greek
//     is folded as any text, word by word or not: "система" reads "cиctema", always, so that rules
//     which are folded the same way still match;
//   - Braille becomes letters; typographic quotes, dashes and dots become ' " - .; spaces of every kind become ' ', line ends of every
//     kind '\n'. A carriage return is a line end of its own.
//
// The view is valid UTF-8, folding it again changes nothing, and it never has more than twice the
// bytes of the source: a character whose replacement is longer is cut to that ("ﷺ"). At most eight
// combining characters stay on one base.
//
// What the pass met on its way is counted: see [Text.Met].
//
// # The decoded views
//
// [Text.Decoded] undoes, by name: [Tags], [Variation], [Escapes], [Entities], [Percent], [Base64],
// [Hex], [Decimal], [Binary], [Morse], [Spaced], [Splat], [Leet], [Scrambled], [Rot13], [Caesar],
// [Atbash], [Reversed], [Mirrored]. A decoded run counts only if it reads like text. What is decoded is folded, and decoded once more:
// base64 inside of percent-encoding is found. Around a decoded run a view repeats up to 64 bytes of
// what stands there, so that phrases stay whole; [View.Changed] tells the two apart.
//
// Whether a decoder runs at all is decided by bit masks over 64 bytes at a time and by looking up the
// longer words in a list of disguised ones (words.txt); clean text pays for that look only. Whole
// words in disguise, backwards or under another alphabet, and strewn asterisks are read with 4 KiB
// around them, so that one odd word does not double a long text. All
// decoded views together hold at most twice the bytes of the source, and 4 KiB more; there are at most
// 64 of them, two decoders deep. A text that would need more is itself a sign: [Text.Truncated].
//
// # What is not covered
//
// Traditional and simplified Chinese, hiragana and katakana are not merged; that is for the rules.
// Encoded runs are read in the bytes of the source: base64 with zero-width characters strewn in, or in
// fullwidth letters, is not found. Words without any space between their letters ("i g n o r e a l l") come out as one. The letters
// that a cipher with a key, compression or an image hides are not found. Sources are folded up to
// 2 GiB ([MaxSource]).
package fold
