package bpe

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

const (
	maxCached  = 32      // bytes of a piece worth remembering
	cacheSlots = 1 << 13 // bounds the cache: 8,192 pieces, about 700 KB
)

// cache remembers how many tokens rare words merge to. A slot holds the last
// piece that fell on it; a reader sees a whole entry or none.
type cache struct {
	slots [cacheSlots]atomic.Pointer[entry]
}

type entry struct {
	piece string
	n     int
}

var cacheSeed = maphash.MakeSeed()

func (c *cache) slot(piece string) *atomic.Pointer[entry] {
	return &c.slots[maphash.String(cacheSeed, piece)%cacheSlots]
}

// get returns 0 for what is not remembered.
func (c *cache) get(piece string) int {
	if e := c.slot(piece).Load(); e != nil && e.piece == piece {
		return e.n
	}
	return 0
}

func (c *cache) put(piece string, n int) {
	c.slot(piece).Store(&entry{strings.Clone(piece), n})
}
