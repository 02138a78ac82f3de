package behavior

import "hash/crc32"

// digest tells prompts apart that nobody tries to make alike: whoever finds two
// texts with one digest only counts against himself. It is the same in every
// process, for a History that many share, and runs at the speed of memory.
func digest(text []byte) uint64 {
	return uint64(crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))<<32 | uint64(crc32.ChecksumIEEE(text))
}

// nearEdge is how many bytes of either end of a prompt near-copies share.
const nearEdge = 48

// near is the digest of the letters at both ends of a prompt: the same for
// prompts that differ in a counter, in punctuation, in spaces or in the middle.
//
// The letters are gathered in the caller's memory: on the stack they would not
// stay, as the digests of the standard library let what they read escape.
func near(text []byte, letters *nearLetters) uint64 {
	n := 0
	head, tail := text, []byte(nil)
	if len(text) > 2*nearEdge {
		head, tail = text[:nearEdge], text[len(text)-nearEdge:]
	}
	for _, part := range [...][]byte{head, tail} {
		for _, b := range part {
			letters[n] = b
			n += letter(b)
		}
	}
	if n < minLetters {
		return digest(text)
	}
	return digest(letters[:n])
}

type nearLetters [2*nearEdge + 1]byte // one more for what is written and not kept

// minLetters is how many letters make two prompts alike: "2+3" and "7*8" are not.
const minLetters = 8

// letter is 1 for a letter and any byte beyond ASCII, else 0: arithmetic in
// place of branches that no processor could guess.
func letter(b byte) int {
	low := b | 0x20
	return int((low-'a')>>7^1)&int(('z'-low)>>7^1) | int(b>>7)
}
