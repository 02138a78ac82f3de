package balance

import (
	"math"
	"slices"
	"time"
)

// pick takes a machine for a request and counts it in flight. tried are the
// machines that have failed the request. It returns nil when none is left.
func (b *Balancer) pick(now time.Time, hint *Hint, tried []*machine) *machine {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.candidates = b.candidates[:0]
	for _, m := range b.machines {
		if m.takes(hint) && !m.draining && !m.out(now) && !slices.Contains(tried, m) {
			b.candidates = append(b.candidates, m)
		}
	}
	if len(b.candidates) == 0 {
		return nil
	}
	var m *machine
	if hint.Affinity != "" {
		m = b.byAffinity(now, hint.Affinity)
	} else {
		m = b.byLoad(now)
	}
	m.inflight++
	return m
}

// takes reports whether the machine is one for the request.
func (m *machine) takes(hint *Hint) bool {
	if hint.Machine != "" {
		return m.Name == hint.Machine
	}
	return m.serves(hint.Model)
}

func (m *machine) serves(model string) bool {
	return len(m.Models) == 0 || model == "" || slices.Contains(m.Models, model)
}

// byLoad is the power of two choices: the better of two drawn by weight.
// Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001).
func (b *Balancer) byLoad(now time.Time) *machine {
	first := b.draw(now, nil)
	second := b.draw(now, first)
	if second != nil && second.cost(now, b.usual) < first.cost(now, b.usual) {
		return second
	}
	return first
}

// draw takes a candidate at random by share, but not the one that is given.
func (b *Balancer) draw(now time.Time, not *machine) *machine {
	total := 0.0
	for _, m := range b.candidates {
		if m != not {
			total += m.share(now, b.o.SlowStart)
		}
	}
	at := b.rng.Float64() * total
	var last *machine
	for _, m := range b.candidates {
		if m == not {
			continue
		}
		last = m
		if at -= m.share(now, b.o.SlowStart); at < 0 {
			break
		}
	}
	return last
}

// byAffinity is weighted rendezvous hashing with bounded loads: the candidate
// with the highest score that has room. One always has, for there is more room
// than load. A machine that starts slowly has little weight, so that its keys come
// back little by little.
// Thaler and Ravishankar (1998); Mirrokni, Thorup and Zadimoghaddam (2018).
func (b *Balancer) byAffinity(now time.Time, key string) *machine {
	weights, load := 0.0, 1
	for _, m := range b.candidates {
		weights += m.share(now, b.o.SlowStart)
		load += m.inflight
	}
	h := hash(key)
	var best *machine
	var bestScore float64
	for _, m := range b.candidates {
		share := m.share(now, b.o.SlowStart)
		room := max(math.Ceil(b.o.LoadCap*float64(load)*share/weights), float64(b.o.LoadFloor))
		if float64(m.inflight) >= room {
			continue
		}
		if score := rendezvous(h, m.hash, share); best == nil || score > bestScore {
			best, bestScore = m, score
		}
	}
	return best
}

// hash is 64-bit FNV-1a: the same in every process, so that gateways side by side,
// and one that was restarted, send a key to the same machine. A caller who aims at
// one machine fills it to its load cap and no further.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// rendezvous is the score of a machine for a key: -weight / ln(u), where u in
// (0, 1) comes from the hash of both.
func rendezvous(key, machine uint64, weight float64) float64 {
	h := mix(key ^ machine)
	u := (float64(h>>11) + 0.5) / (1 << 53)
	return -weight / math.Log(u)
}

// mix is the finalizer of MurmurHash3: every bit of x moves every bit of the result.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
