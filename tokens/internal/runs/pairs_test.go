package runs

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// plainMost tries every way to cut s into tokens in which no two characters stand
// alone that are sure to merge; alone says that the last one does.
func plainMost(s string, sure func(a, b byte) bool, at int, alone bool) int {
	if at == len(s) {
		return 0
	}
	most := -len(s) // no such way
	if at == 0 || !alone || !sure(s[at-1], s[at]) {
		most = 1 + plainMost(s, sure, at+1, true)
	}
	for end := at + 2; end <= len(s); end++ {
		most = max(most, 1+plainMost(s, sure, end, false))
	}
	return most
}

func TestMostOf(t *testing.T) {
	require.True(t, Sure('t', 'h') && Sure('T', 'H') && Sure('T', 'h'))
	require.False(t, Sure('t', 'H') || Sure('q', 'z') || Sure('Q', 'Z') || Sure('Q', 'z'))
	withJoin := func(a, b byte) bool { return a == ' ' || a != '.' && Sure(a, b) }
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		s := make([]byte, 1+r.IntN(9))
		unsure := 0
		for i := range s {
			s[i] = "aeqzjkQZJKAE"[r.IntN(12)]
			if i > 0 && !Sure(s[i-1], s[i]) {
				unsure++
			}
		}
		for join, mark := range map[int]string{joinNone: "", joinCamel: "", joinSpace: " ", joinPunct: "."} {
			require.Equal(t, plainMost(mark+string(s), withJoin, 0, false), mostOf(string(s), unsure, join), "%s%s", mark, s)
		}
	}
}
