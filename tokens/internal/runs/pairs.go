package runs

import "strings"

// Byte-pair merging leaves no two neighbors that could merge. So two letters
// stand alone next to each other only if the two are no token: a word of n
// letters costs at most two tokens in three letters, and one more here and there
// for the pairs below.

// unsure names, for each first letter, the second letters that cl100k or o200k
// has no token for; upper and title stand for a capital before capitals and
// before lower case. No lower-case letter is sure of a capital behind it.
var unsure = [26]struct{ lower, upper, title string }{
	{"", "", "aeq"},                                          // a
	{"q", "qz", "bcdfhjkmnpqtvwxz"},                          // b
	{"", "jqz", "fgjkmnpqtvwz"},                              // c
	{"", "qz", "cdfghjklmnpqvwxyz"},                          // d
	{"", "jy", "aeghijowz"},                                  // e
	{"jz", "jqvz", "bfghjkmpqtvwyz"},                         // f
	{"jkq", "jkqz", "cdfghjkmnpqtvwxyz"},                     // g
	{"j", "j", "bcdfghjklmnqrstvwx"},                         // h
	{"", "y", "abceghijquvwyz"},                              // i
	{"gvwxyz", "fghlnquwxyz", "bcdfghijklmnpqrtvwxyz"},       // j
	{"qxz", "jquxz", "bcdfgjklmopqstuvwxz"},                  // k
	{"q", "hjqwxz", "bcdghjklmpqrswxz"},                      // l
	{"z", "z", "fghjklmnqvwxz"},                              // m
	{"q", "q", "cfjklnpqtvwz"},                               // n
	{"q", "jqyz", "acegjoquvwxyz"},                           // o
	{"", "qz", "bcdfjmnpqvwz"},                               // p
	{"fgjkovyz", "dfghijkovwxyz", "abcdefghjklmnopqrsvwxyz"}, // q
	{"j", "jqz", "bcdfgijklmnqrtvwyz"},                       // r
	{"", "", "bdfgjsvx"},                                     // s
	{"jq", "jq", "bcfgjlmnqtz"},                              // t
	{"q", "hjoqwz", "acdefgjkoquvwxyz"},                      // u
	{"qz", "hjquwxyz", "bcdfghjlnpqrtvwxz"},                  // v
	{"qvz", "jquvyz", "bcdfgjklmnpqtuvwxz"},                  // w
	{"ghjkquvw", "ghjknoquvwz", "abcefghjklmnopqrstuvwxyz"},  // x
	{"fjqv", "bdfhijkqruvx", "bcdfghijklmnpqrstvwxyz"},       // y
	{"gjqrv", "bcdgijklmpqstuv", "abcdfgijklmnopqrstuvwxyz"}, // z
}

// unsureWith has a bit for each letter, at its last six bits, that a letter is
// unsure to be a token with.
var unsureWith = func() (t [64]uint64) {
	set := func(seconds string) (v uint64) {
		for _, c := range seconds {
			v |= 1 << (c & 63)
		}
		return v
	}
	for i, u := range unsure {
		t[('a'+i)&63] = set(u.lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		t[('A'+i)&63] = set(strings.ToUpper(u.upper) + u.title)
	}
	return t
}()

// Sure reports whether the ASCII letters a and b are one token together in cl100k
// and o200k; other vocabularies of their size are taken to know them too.
func Sure(a, b byte) bool { return unsureWith[a&63]>>(b&63)&1 == 0 }

// mostOf returns the most tokens that the ASCII letters of s, with that many
// unsure pairs among them, can merge to with the space or the mark before them.
func mostOf(s string, unsure, join int) int {
	if unsure == 0 && join != joinPunct {
		n := len(s)
		if join == joinSpace {
			n++
		}
		return (2*n + 1) / 3
	}
	const never = -1 << 20
	// The most tokens so far if the last one is a letter alone, if it is longer,
	// and the most without the last letter.
	alone, longer, before, mates := never, 0, never, uint64(0)
	switch join {
	case joinSpace:
		alone, longer, before = 1, never, 0
	case joinPunct:
		alone, longer, before, mates = 1, never, 0, 1<<64-1
	}
	for i := range len(s) {
		next := longer
		if mates>>(s[i]&63)&1 != 0 {
			next = max(next, alone)
		}
		alone, longer, before = next+1, before+1, max(alone, longer)
		mates = unsureWith[s[i]&63]
	}
	return max(alone, longer)
}
